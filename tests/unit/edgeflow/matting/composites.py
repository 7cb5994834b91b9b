"""Pictures whose alpha is known: objects with textures of the demo photos, laid on others."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from edgeflow.arrays import BoolMask, FloatArray, FloatMap, RGBImage
from edgeflow.images import decode_image
from tests.unit.edgeflow.samples import ROOT

SIDE = 256
FINE = 4
"""Shapes are drawn at this scale, so that their borders have real alpha."""


class Composite(NamedTuple):
    """A picture and what it was made of."""

    picture: RGBImage
    alpha: FloatMap
    own: FloatArray
    behind: FloatArray
    mask: BoolMask


def texture(photo: str, top: int, left: int, side: int) -> FloatArray:
    data = (ROOT / "demo" / "photos" / f"{photo}.jpg").read_bytes()
    part = decode_image(data)[top : top + side, left : left + side]
    return cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC).astype(np.float32)


def composite(kind: str) -> Composite:
    """One of hair, legs, ring and defocus. The mask errs like that of a network."""
    own, behind = {
        "hair": (texture("cat", 20, 160, 70), texture("rocket", 20, 120, 140)),
        "legs": (texture("cameraman", 160, 60, 80), texture("cameraman", 380, 330, 120)),
        "ring": (texture("coffee", 230, 150, 40), texture("astronaut", 20, 270, 90)),
        "defocus": (texture("astronaut", 330, 40, 70), texture("coffee", 270, 0, 90)),
    }[kind]
    alpha = _small(_drawn(kind))
    if kind == "defocus":
        alpha = cv2.GaussianBlur(alpha, (0, 0), 2).astype(np.float32)
    mixed = own * alpha[..., None] + behind * (1 - alpha[..., None])
    picture = np.rint(mixed).clip(0, 255).astype(np.uint8)
    mask = cv2.GaussianBlur(np.roll(alpha, 1, axis=1), (0, 0), 1) > 0.5
    return Composite(picture, alpha, own, behind, mask)


def _small(drawn: npt.NDArray[np.uint8]) -> FloatMap:
    small: FloatMap = cv2.resize(drawn, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(
        np.float32
    ) / np.float32(255)
    return small


def _drawn(kind: str) -> npt.NDArray[np.uint8]:
    drawn = np.zeros((SIDE * FINE, SIDE * FINE), np.uint8)
    middle = SIDE * FINE // 2
    if kind == "hair":
        cv2.circle(drawn, (middle, middle), middle // 2, 255, -1)
        random = np.random.default_rng(3)
        for angle, length in zip(
            random.uniform(0, 2 * np.pi, 300), random.uniform(10, 50, 300), strict=True
        ):
            ray = np.array([np.cos(angle), np.sin(angle)])
            start, end = (middle + ray * reach for reach in (middle / 2 - 9, middle / 2 + length))
            line = [(round(float(x)), round(float(y))) for x, y in (start, end)]
            cv2.line(drawn, line[0], line[1], 255, 3)
    elif kind == "legs":
        cv2.rectangle(drawn, (middle - 80, 120), (middle + 80, 300), 255, -1)
        for foot, width in ((-300, 20), (0, 24), (280, 22)):
            cv2.line(drawn, (middle, 280), (middle + foot, 940), 255, width)
    elif kind == "ring":
        cv2.ellipse(drawn, (middle, middle), (300, 340), 0, 0, 360, 255, 60)
    else:
        cv2.ellipse(drawn, (middle, middle), (260, 340), 20, 0, 360, 255, -1)
    return drawn
