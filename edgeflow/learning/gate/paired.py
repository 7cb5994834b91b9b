"""The paired test: could as much be saved by chance alone?"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edgeflow.evaluate.chance import chance

EXACT = 14
"""Up to so many pairs all signs are tried."""

DRAWS = 9_999
"""Signs that are drawn where there are more pairs."""

_SLACK = 1e-9
"""Of sums of the same numbers in another order."""


def sign_flip_test(saved: Sequence[float]) -> float:
    """How likely the pairs save at least as much if neither side were better.

    Fisher's paired randomisation test, one-sided: without a difference, each pair's would have had
    either sign. Nothing is assumed of how the differences are distributed.

    Args:
        saved: First side minus second side of each pair, positive where the second is better.

    Returns:
        The p-value, 0 to 1; 1 where no pair differs. The same at every call.
    """
    pairs = np.array([each for each in saved if each], dtype=np.float64)
    if not len(pairs):
        return 1.0
    observed = float(pairs.sum()) - _SLACK * float(np.abs(pairs).sum())
    if len(pairs) <= EXACT:
        return float(np.mean(_all_signs(len(pairs)) @ pairs >= observed))
    rng = chance("sign flips", len(pairs))
    as_much = sum(
        int(np.count_nonzero(rng.choice((-1.0, 1.0), (count, len(pairs))) @ pairs >= observed))
        for count in _parts(DRAWS)
    )
    return (1 + as_much) / (1 + DRAWS)


def _all_signs(count: int) -> npt.NDArray[np.float64]:
    return np.array(list(itertools.product((-1.0, 1.0), repeat=count)))


def _parts(total: int, size: int = 1_000) -> list[int]:
    return [min(size, total - part * size) for part in range(math.ceil(total / size))]
