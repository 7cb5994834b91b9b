"""A few pictures of a bright disk that moves to the right, and where it is."""

from __future__ import annotations

import cv2
import numpy as np

from edgeflow.arrays import BoolMask, RGBImage

COUNT = 5
HEIGHT, WIDTH = 120, 160


def disk(number: int) -> BoolMask:
    drawn = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    cv2.circle(drawn, (50 + 5 * number, 60), 24, 1, -1)
    return drawn > 0


def picture(number: int) -> RGBImage:
    rng = np.random.default_rng(3)
    ground, inside = (
        cv2.resize(rng.integers(low, high, (30, 40, 3), dtype=np.uint8), (WIDTH, HEIGHT))
        for low, high in ((20, 90), (150, 250))
    )
    moved = np.roll(inside, 5 * number, axis=1)
    return np.where(disk(number)[..., None], moved, ground).astype(np.uint8)


def iou(one: BoolMask, other: BoolMask) -> float:
    return float(np.count_nonzero(one & other) / np.count_nonzero(one | other))
