"""From a picture and a mask to a picture with transparency."""

from __future__ import annotations

import cv2
import numpy as np

from edgeflow.arrays import BoolMask, RGBAImage, RGBImage


def cutout(rgb: RGBImage, mask: BoolMask, *, soft: bool = True) -> RGBAImage:
    """Cut an object out.

    Args:
        rgb: H×W×3 uint8 RGB; left as it is.
        mask: H×W bool, true on the object; left as it is.
        soft: Whether the border becomes partly transparent where the picture says so, with the
            object's own colours. Without it, alpha is 0 or 255 and colours stay.

    Returns:
        H×W×4 uint8 RGBA, alpha straight (not premultiplied). Colours are 0 where alpha is 0.

    Raises:
        ValueError: Another shape or type.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ValueError(f"expected H×W×3 uint8, got {rgb.shape} {rgb.dtype}")
    if mask.shape != rgb.shape[:2] or mask.dtype != np.bool_:
        raise ValueError(f"expected {rgb.shape[:2]} bool, got {mask.shape} {mask.dtype}")
    alpha = mask.astype(np.uint8) * 255
    if soft and mask.any():
        alpha = cv2.GaussianBlur(alpha, (0, 0), 1.0).astype(np.uint8)
    return np.where(alpha[..., None] > 0, np.dstack([rgb, alpha]), 0).astype(np.uint8)
