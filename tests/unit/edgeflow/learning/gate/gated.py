"""Pictures with disks, and networks that are good or bad at them by construction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import cv2
import numpy as np
import torch
from torch import Tensor

from edgeflow.arrays import BoolMask, RGBImage
from edgeflow.data.base import Sample
from edgeflow.inference.predictor import Predictor
from edgeflow.prompts.click import Click

SIDE = 64


def picture(name: str, *, disks: int = 1, seed: int = 0) -> Sample:
    """A picture with disks of a colour of their own."""
    rng = np.random.default_rng([seed, *name.encode()])
    rgb = np.full((SIDE, SIDE, 3), 20, dtype=np.uint8)
    rgb[-1, -1] = rng.integers(256, size=3)  # no other picture is the same file
    masks = []
    for number in range(disks):
        middle = (16 + 32 * (number % 2), 16 + 32 * (number // 2 % 2))
        canvas = np.zeros((SIDE, SIDE), dtype=np.uint8)
        cv2.circle(canvas, middle, int(rng.integers(9, 15)), 1, -1)
        mask = canvas.astype(np.bool_)
        rgb[mask] = 60 + 40 * number
        masks.append(mask)
    return Sample(name, rgb, tuple(masks))


def pictures(count: int, *, disks: int = 1, of: str = "held") -> list[Sample]:
    return [picture(f"{of}-{number}", disks=disks) for number in range(count)]


class _Image(NamedTuple):
    rgb: RGBImage

    @property
    def overview(self) -> Tensor:
        return torch.from_numpy(self.rgb).permute(2, 0, 1)[None] / 255


Answer = Callable[[RGBImage, list[Click]], BoolMask]


class _Network:
    """Stands where a predictor does: the state is the clicks so far."""

    def __init__(self, version: str, answer: Answer) -> None:
        self.version = version
        self.clicked = 0
        self._answer = answer

    def encode(self, rgb: RGBImage) -> _Image:
        return _Image(rgb)

    def start(self, _image: _Image, _start: object = None) -> list[Click]:
        return []

    def step(self, image: _Image, state: list[Click], click: Click) -> tuple[list[Click], Tensor]:
        self.clicked += 1
        clicks = [*state, click]
        return clicks, torch.from_numpy(self._answer(image.rgb, clicks).astype(np.float32))


def sees(rgb: RGBImage, clicks: list[Click]) -> BoolMask:
    """What has the colour of the first click, connected to it."""
    x, y = (round(value) for value in clicks[0].point)
    same = np.all(rgb == rgb[y, x], axis=2).astype(np.uint8)
    _, labels = cv2.connectedComponents(same)
    return cast("BoolMask", labels == labels[y, x])


def blobs(radius: int) -> Answer:
    """Disks at the clicks, whatever the picture shows."""

    def answer(rgb: RGBImage, clicks: list[Click]) -> BoolMask:
        canvas = np.zeros(rgb.shape[:2], dtype=np.uint8)
        for click in clicks:
            x, y = (round(value) for value in click.point)
            cv2.circle(canvas, (x, y), radius if click.positive else 2, int(click.positive), -1)
        return canvas.astype(np.bool_)

    return answer


def only(samples: Sequence[Sample], answer: Answer, otherwise: Answer) -> Answer:
    """One answer on some pictures, another one elsewhere."""
    known = {sample.rgb.tobytes() for sample in samples}
    return lambda rgb, clicks: (answer if rgb.tobytes() in known else otherwise)(rgb, clicks)


def network(answer: Answer, version: str = "a network") -> Predictor:
    return cast("Predictor", _Network(version, answer))


def clicks_made(predictor: Predictor) -> int:
    return int(cast("Any", predictor).clicked)
