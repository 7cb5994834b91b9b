"""A long sequence in pieces that an editor bears."""

from __future__ import annotations

import itertools
import math


def spans(count: int, pages: int, overlap: int) -> list[range]:
    """Split a sequence into the fewest pieces of about the same length.

    Args:
        count: Its length.
        pages: Most pages of a piece.
        overlap: Pages that neighbouring pieces share; fewer than ``pages``.

    Returns:
        Ranges of indices that together hold each of ``count``, in order.
    """
    if count <= 0:
        return []
    step = pages - overlap
    pieces = max(1, math.ceil((count - overlap) / step))
    fresh = count - overlap
    bounds = [fresh * number // pieces for number in range(pieces + 1)]
    return [range(begin, min(end + overlap, count)) for begin, end in itertools.pairwise(bounds)]
