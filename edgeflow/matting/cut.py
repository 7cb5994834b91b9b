"""From an image and a mask to an image with transparency."""

from __future__ import annotations

import math

import numpy as np

from edgeflow.arrays import BoolMask, FloatMap, RGBAImage, RGBImage
from edgeflow.geometry import Size
from edgeflow.masks.patch import bounding_box
from edgeflow.matting.alpha import soft_alpha
from edgeflow.matting.band import FARTHEST, band_radius
from edgeflow.matting.compose import grown
from edgeflow.matting.foreground import FAR, own_colours

WORKING_PIXELS = 1 << 21
"""Pixels around the object up to which all is computed at the image's scale."""

LEAST_KEPT = 0.5
"""Part of the mask that stays at least: lines and dots, which are all border, would fade away. Of
them the mask is taken as it is."""


def cutout(
    rgb: RGBImage, mask: BoolMask, *, soft: bool = True, probability: FloatMap | None = None
) -> RGBAImage:
    """Cut an object out.

    Args:
        rgb: H×W×3 uint8 RGB; left as it is.
        mask: H×W bool, true on the object; left as it is.
        soft: Whether the border becomes partly transparent where the image says so, with the
            object's own colours. Without it, alpha is 0 or 255 and colours stay.
        probability: H×W float32 in [0, 1], the network's, where it is at hand; what it is unsure of
            near the border is looked at as well.

    Returns:
        H×W×4 uint8 RGBA, alpha straight (not premultiplied). Colours are 0 where alpha is 0.

    Raises:
        ValueError: Another shape or type.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ValueError(f"expected H×W×3 uint8, got {rgb.shape} {rgb.dtype}")
    if mask.shape != rgb.shape[:2] or mask.dtype != np.bool_:
        raise ValueError(f"expected {rgb.shape[:2]} bool, got {mask.shape} {mask.dtype}")
    if probability is not None and probability.shape != mask.shape:
        raise ValueError(f"expected {mask.shape}, got a probability of {probability.shape}")
    rgba: RGBAImage = np.zeros((*mask.shape, 4), np.uint8)
    box = bounding_box(mask)
    if box is None:
        return rgba
    if not soft:
        rgba[mask, :3] = rgb[mask]
        rgba[mask, 3] = 255
        return rgba
    radius = band_radius(mask)
    # Around the object there has to be enough background to take its colours from.
    part = grown(box, max(FARTHEST, FAR // 2) * radius, Size(*mask.shape)).slices
    scale = min(1.0, math.sqrt(WORKING_PIXELS / mask[part].size))
    # OpenCV takes no arrays that run backwards.
    image, solid = np.ascontiguousarray(rgb[part]), np.ascontiguousarray(mask[part])
    near = None if probability is None else np.ascontiguousarray(probability[part])
    alpha = soft_alpha(image, solid, radius, near, scale=scale)
    if alpha[solid].sum() < LEAST_KEPT * np.count_nonzero(solid):
        alpha = solid.astype(np.float32)
    alpha = np.rint(alpha * 255) / np.float32(255)  # colours fit the alpha that is written
    rgba[part][..., :3] = own_colours(image, alpha, radius, scale=scale)
    rgba[part][..., 3] = np.rint(alpha * 255)
    return rgba
