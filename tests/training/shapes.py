"""Coloured shapes on noisy grounds, as a dataset folder: easy to learn, impossible to guess."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 96


def draw(rng: np.random.Generator) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """One image and its labels: two shapes of different colours on a ground of a third."""
    colours = rng.permutation(np.array([40, 110, 180, 240]))
    rgb = np.empty((SIDE, SIDE, 3), dtype=np.float64)
    rgb[:] = rng.integers(0, 120, 3)
    labels = np.zeros((SIDE, SIDE), dtype=np.uint8)
    for label in (1, 2):
        mask = np.zeros_like(labels)
        centre = [int(each) for each in rng.integers(20, SIDE - 20, 2)]
        axes = [int(each) for each in rng.integers(9, 24, 2)]
        if rng.random() < 0.5:
            cv2.ellipse(mask, centre, axes, float(rng.integers(180)), 0, 360, 1, -1)
        else:
            low = [c - a for c, a in zip(centre, axes, strict=True)]
            high = [c + a for c, a in zip(centre, axes, strict=True)]
            cv2.rectangle(mask, low, high, 1, -1)
        inside = mask.astype(np.bool_)
        rgb[inside] = rng.permutation([colours[label], rng.integers(60, 256), 90])
        labels[inside] = label
    noisy = rgb + rng.normal(0, 14, rgb.shape)
    return noisy.clip(0, 255).astype(np.uint8), labels


def write_shapes(folder: Path, count: int, seed: int) -> Path:
    """Write a dataset in the layout ``folder``."""
    rng = np.random.default_rng(seed)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for index in range(count):
        rgb, labels = draw(rng)
        Image.fromarray(rgb).save(folder / "images" / f"{index:03}.png")
        Image.fromarray(labels).save(folder / "masks" / f"{index:03}.png")
    return folder
