"""Samples of more than 8 bits, as 8 bits.

One rule for all formats: 16-bit data that reach into the upper half of their range keep their high
byte, as browsers show them. All other data (12 bits in 16, signed, 32-bit, float) are stretched
from their smallest to their largest value, over all colours together. NaN counts as the smallest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_ROWS = 64
"""Rows that are worked on at once, which saves memory."""


def to_8_bits(samples: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Samples of any shape and numeric type, as uint8 of the same shape."""
    if samples.dtype == np.uint8 or not samples.size:
        return samples.astype(np.uint8)
    if samples.dtype.kind == "u" and samples.dtype.itemsize == 2 and samples.max() > 32767:
        return (samples >> 8).astype(np.uint8)
    low, high = _range(samples)
    # Halves, since the whole range of float64 has no number of its own.
    scale = 255 / (high / 2 - low / 2) if high > low else 0.0
    levels = np.zeros(samples.shape, np.uint8)
    for top in range(0, len(samples) if scale else 0, _ROWS):
        rows = samples[top : top + _ROWS].astype(np.float64)
        rows = np.clip(np.nan_to_num(rows, nan=low, posinf=high, neginf=low), low, high)
        levels[top : top + _ROWS] = (rows / 2 - low / 2) * scale
    return levels


def _range(samples: npt.NDArray[Any]) -> tuple[float, float]:
    """The smallest and the largest finite value; 0 and 0 if there is none."""
    if samples.dtype.kind != "f":
        return float(samples.min()), float(samples.max())
    low, high = np.inf, -np.inf
    for top in range(0, len(samples), _ROWS):
        rows = samples[top : top + _ROWS]
        finite = rows[np.isfinite(rows)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return (low, high) if low <= high else (0.0, 0.0)
