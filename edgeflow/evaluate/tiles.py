"""Images of one size side by side in rows: the grid of every contact sheet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgeflow.arrays import RGBImage

COLUMNS = 6


def tile(cells: Sequence[RGBImage]) -> RGBImage:
    """Lay images out in rows of six; the last row is filled up with white.

    Args:
        cells: At least one h×w×3 uint8 image, all of one size.

    Returns:
        H×W×3 uint8.
    """
    blanks = [np.full_like(cells[0], 255)] * (-len(cells) % COLUMNS)
    row_of = [*cells, *blanks]
    rows = [np.hstack(row_of[at : at + COLUMNS]) for at in range(0, len(row_of), COLUMNS)]
    return np.vstack(rows)
