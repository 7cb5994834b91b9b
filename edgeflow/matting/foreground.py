"""The object's own colours where it is partly transparent, so that no old background shows.

Blur fusion: Forte, "Approximate fast foreground colour estimation", ICIP 2021. The object's and the
background's colours are taken from around, weighted by alpha, and then corrected until together
they give the pixel; once from far, once from near.
"""

from __future__ import annotations

import cv2
import numpy as np

from edgeflow.arrays import FloatArray, FloatMap, RGBImage
from edgeflow.matting.scale import in_unit_range, places_in, resized, sample

FAR = 11
"""Side of the first window, in radii of the band."""

NEAR = 0.75
"""Side of the second."""

_NONE = 1e-5
"""Added to a divisor that may be 0."""


def own_colours(rgb: RGBImage, alpha: FloatMap, radius: int, *, scale: float = 1) -> RGBImage:
    """Replace the colours of partly transparent pixels by the object's.

    Args:
        rgb: H×W×3 uint8; left as it is.
        alpha: H×W float32 in [0, 1].
        radius: Radius of the band, pixels.
        scale: At which part of the image's scale colours are looked for.

    Returns:
        H×W×3 uint8, a new array; 0 where alpha is 0.
    """
    colours = np.where(alpha[..., None] > 0, rgb, 0).astype(np.uint8)
    image = in_unit_range(resized(rgb, scale))
    opacity = resized(alpha, scale)[..., None]
    far, near = (max(3, round(part * radius * scale)) for part in (FAR, NEAR))
    own, behind = _around(image, image, opacity, far)
    own = np.clip(own + opacity * (image - opacity * own - (1 - opacity) * behind), 0, 1)
    own, behind = _around(own, behind, opacity, near)
    for rows, columns in places_in((alpha > 0) & (alpha < 1)):
        here, there = (sample(each, rows, columns, rgb.shape[:2]) for each in (own, behind))
        pixels = in_unit_range(rgb[rows, columns])
        part = alpha[rows, columns][:, None]
        here += part * (pixels - part * here - (1 - part) * there)
        colours[rows, columns] = np.clip(here * 255 + 0.5, 0, 255).astype(np.uint8)
    return colours


def _around(
    own: FloatArray, behind: FloatArray, opacity: FloatArray, side: int
) -> tuple[FloatArray, FloatArray]:
    """Means of the object's and the background's colours, weighted by how much of each there is."""

    def mean(array: FloatArray) -> FloatArray:
        return cv2.blur(array, (side, side)).astype(np.float32)

    much = mean(opacity)[..., None]
    return (
        mean(own * opacity) / (much + _NONE),
        mean(behind * (1 - opacity)) / (1 - much + _NONE),
    )
