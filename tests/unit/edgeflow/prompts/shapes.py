"""Masks of known shapes and layouts, for the tests of all prompts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Box

# On a busy machine, single examples may take long.
PROPERTY = settings(deadline=None)

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=16)
MASKS = hnp.arrays(np.bool_, SHAPES, elements=st.booleans())


def blank(height: int = 60, width: int = 80) -> BoolMask:
    return np.zeros((height, width), np.bool_)


def boxed(region: Box, height: int = 60, width: int = 80) -> BoolMask:
    mask = blank(height, width)
    mask[region.top : region.bottom, region.left : region.right] = True
    return mask


def disk(row: float, col: float, radius: float, height: int = 60, width: int = 80) -> BoolMask:
    rows, cols = np.mgrid[:height, :width]
    inside: BoolMask = np.hypot(rows - row, cols - col) <= radius
    return inside


def frozen(mask: BoolMask) -> BoolMask:
    mask = mask.copy()
    mask.flags.writeable = False
    return mask


LAYOUTS: dict[str, Callable[[BoolMask], BoolMask]] = {
    "as it is": lambda mask: mask,
    "column by column": np.asfortranarray,
    "a mirrored view": lambda mask: mask[:, ::-1].copy()[:, ::-1],
    "an upside-down view": lambda mask: mask[::-1].copy()[::-1],
    "every other pixel": lambda mask: np.repeat(np.repeat(mask, 2, 0), 2, 1)[::2, ::2],
    "read-only": frozen,
}
