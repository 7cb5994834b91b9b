"""Where the runs of a mask begin, row after row, in memory of the mask's bounding box."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgeflow.arrays import BoolMask
from edgeflow.masks.patch import MaskPatch

Ints = npt.NDArray[np.int64]

_STRIP = 1 << 20
"""Pixels that are copied at once."""


def run_starts(patch: MaskPatch) -> Ints:
    """Where a mask's runs begin: positions at which it differs from the pixel before, ascending.

    Before the first pixel the mask counts as 0.

    Args:
        patch: The mask; may be empty.

    Returns:
        n int64 positions in the flat image, row after row.
    """
    (height, width), box, pixels = patch.image_size, patch.box, patch.pixels
    if patch.empty:
        return np.zeros(0, dtype=np.int64)
    if box.size.width == width:
        positions = _changes(pixels) + box.top * width
        if pixels[-1, -1]:
            positions = np.append(positions, box.bottom * width)
    else:  # a column of background ends each row's last run
        down = max(_STRIP // box.size.width, 1)
        strips = []
        for top in range(0, box.size.height, down):
            padded = np.pad(pixels[top : top + down], ((0, 0), (0, 1)))
            row, col = np.divmod(_changes(padded), padded.shape[1])
            strips.append((row + top + box.top) * width + col + box.left)
        positions = np.concatenate(strips)
    inside: Ints = positions[positions < height * width]
    return inside


def _changes(mask: BoolMask) -> Ints:
    """Positions at which a mask, row after row, differs from the pixel before, or begins with 1."""
    flat = np.ascontiguousarray(mask).view(np.uint8).ravel()
    packed = np.packbits(flat)
    if spare := -flat.size % 8:  # let what follows the mask continue it
        packed[-1] |= np.uint8((1 << spare) - 1) * flat[-1]
    before = packed >> 1
    before[1:] |= (packed[:-1] & 1) << 7
    changed = (packed ^ before).astype(np.uint8, copy=False)
    touched = np.flatnonzero(changed != 0)
    bits = np.unpackbits(changed[touched]).reshape(-1, 8)
    rows, cols = np.nonzero(bits)
    positions: Ints = touched[rows] * 8 + cols
    return positions
