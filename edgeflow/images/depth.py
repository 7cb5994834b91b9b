"""Samples of more than 8 bits, as 8 bits.

One rule for all formats: 16-bit data that reach into the upper half of their range keep their high
byte, as browsers show them. All other data (12 bits in 16, signed, 32-bit, float) are stretched
from their smallest to their largest value, over all colours together. NaN counts as the smallest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def to_8_bits(samples: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Samples of any shape and numeric type, as uint8 of the same shape."""
    if samples.dtype == np.uint8 or not samples.size:
        return samples.astype(np.uint8)
    if samples.dtype.kind == "u" and samples.dtype.itemsize == 2 and samples.max() > 32767:
        return (samples >> 8).astype(np.uint8)
    finite = np.isfinite(samples)
    if not finite.any():
        return np.zeros(samples.shape, np.uint8)
    low, high = (float(edge) for edge in (samples[finite].min(), samples[finite].max()))
    scale = 255 / (high - low) if high > low else 0.0
    values = np.nan_to_num(samples.astype(np.float64), nan=low, posinf=high, neginf=low)
    return ((values - low) * scale).astype(np.uint8)
