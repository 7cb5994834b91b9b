"""Soft alpha from a mask: a guess by the guided filter, then a closed-form step on the band.

What each choice is worth is in ``docs/cutouts.md``.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from edgeflow.arrays import BoolMask, FloatArray, FloatMap, RGBImage
from edgeflow.matting.band import CORE_DEPTH, band_around
from edgeflow.matting.closed_form import solve
from edgeflow.matting.local_colours import LinearModel, fit
from edgeflow.matting.scale import in_unit_range, places_in, resized, sample

GUESS_SMOOTHNESS = 1e-4
"""Variance of a colour in [0, 1] below which a window of the guided filter counts as flat."""

SMOOTHNESS = 1e-5
"""The same of the closed form."""

TRUST = 0.01
"""Weight of the guess against the closed form; without it, alpha drifts where there is no colour to
hold on to."""

STEPS = 20
"""Most iterations of the closed form."""

VEIL = 0.04
"""What is as near as this to 0 or 1 is taken for it: a residue that one would see as a veil."""


def soft_alpha(
    rgb: RGBImage,
    mask: BoolMask,
    radius: int,
    probability: FloatMap | None = None,
    *,
    scale: float = 1,
) -> FloatMap:
    """Find alpha around a mask's border.

    Args:
        rgb: H×W×3 uint8.
        mask: H×W bool.
        radius: Radius of the band, pixels.
        probability: H×W float32 in [0, 1], where a network gave one.
        scale: At which part of the image's scale to work, for large images; the fine structure
            is then taken over from the colours.

    Returns:
        H×W float32 in [0, 1]; off the band 0 or 1 as in the mask.
    """
    image = in_unit_range(resized(rgb, scale))
    solid = resized(mask.astype(np.float32), scale)
    unsure = None if probability is None else resized(probability, scale)
    small_radius = max(1, math.ceil(radius * scale))
    band = band_around(solid > 0.5, small_radius, unsure, core_depth=CORE_DEPTH * scale)
    guess = np.clip(fit(image, solid, small_radius, GUESS_SMOOTHNESS).at(image), 0, 1)
    guess = np.where(band, guess, solid > 0.5).astype(np.float32)
    alpha = solve(image, guess, band, trust=TRUST, smoothness=SMOOTHNESS, steps=STEPS)
    if scale < 1:
        alpha = _enlarged(alpha, band, image, rgb, mask)
    clear: FloatMap = (alpha - np.float32(VEIL)) / np.float32(1 - 2 * VEIL)
    return np.clip(clear, 0, 1)


def _enlarged(
    alpha: FloatMap, band: BoolMask, image: FloatArray, rgb: RGBImage, mask: BoolMask
) -> FloatMap:
    """Alpha at the image's scale, where it follows from the colours as at the small scale."""
    model = fit(image, alpha, 1, SMOOTHNESS)
    size = (rgb.shape[1], rgb.shape[0])
    wide = cv2.resize(band.view(np.uint8), size, interpolation=cv2.INTER_NEAREST).view(np.bool_)
    whole: FloatMap = mask.astype(np.float32)
    for rows, columns in places_in(wide):
        fine = LinearModel(
            sample(model.slopes, rows, columns, rgb.shape[:2]),
            sample(model.offsets, rows, columns, rgb.shape[:2]),
        )
        whole[rows, columns] = np.clip(fine.at(in_unit_range(rgb[rows, columns])), 0, 1)
    return whole
