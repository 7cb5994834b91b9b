"""Masks as 8-bit PNG."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from edgeflow.arrays import BoolMask
from edgeflow.errors import MaskCodecError


def to_png(mask: BoolMask) -> bytes:
    """Encode an H×W bool mask as a greyscale 8-bit PNG with values 0 and 255."""
    if mask.ndim != 2 or not mask.size:
        raise MaskCodecError(f"cannot write a PNG of shape {mask.shape}")
    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(buffer, "PNG")
    return buffer.getvalue()
