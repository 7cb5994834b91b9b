"""Pillow's images as RGB arrays."""

from __future__ import annotations

import numpy as np
from PIL import Image

from edgeflow.arrays import RGBImage
from edgeflow.images.depth import to_8_bits


def to_rgb(image: Image.Image) -> RGBImage:
    """A loaded image of any mode as H×W×3, on white."""
    if image.mode == "F" or image.mode.startswith("I"):
        # Pillow's own conversion clips these to white instead of scaling.
        wide = np.asarray(image)
        return np.repeat(to_8_bits(wide)[..., None], 3, axis=2)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image.convert("RGB"))
