"""A network that sees colours: an object is what is connected and of the colour at the click."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from edgeflow.arrays import BoolMask, RGBImage
from edgeflow.geometry import Size
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.masks.patch import MaskPatch
from edgeflow.nn.interface import Feedback
from edgeflow.runtime.base import StepOutput
from edgeflow.similar.finder import SimilarFinder

SIZE = Size(240, 320)
GROUND = (40, 40, 40)
RED, PINK, BLUE = (200, 40, 40), (200, 40, 90), (40, 40, 200)
Square = tuple[int, int, int]
"""Top, left, side."""


class ColourRuntime:
    """Answers with the pixels of the clicked colour, and counts its runs."""

    name = "colours"
    device = torch.device("cpu")
    feedback: Feedback = "mask"

    def __init__(self) -> None:
        self.runs = 0

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        """See :meth:`edgeflow.runtime.base.Runtime.run`."""
        self.runs += 1
        row, col = (int(x) for x in torch.nonzero(prompt[0, 1]).float().mean(dim=0).round())
        colour = image[0, :, row, col]
        near = (image[0] - colour[:, None, None]).abs().sum(dim=0) < 0.1
        mask = torch.where(near, 0.97, 0.01)[None, None]
        return StepOutput(mask, mask)


class ColourEncoder:
    """Features that are mean colours, and how often they were asked for."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """See :class:`edgeflow.runtime.features.encoder.Encoder`."""
        self.calls += 1
        return F.avg_pool2d(image, 8), F.avg_pool2d(image, 16)


def painted(squares: Sequence[tuple[Square, tuple[int, int, int]]]) -> RGBImage:
    """Squares on grey ground."""
    image = np.full((*SIZE, 3), GROUND, dtype=np.uint8)
    for (top, left, side), colour in squares:
        cv2.rectangle(image, (left, top), (left + side - 1, top + side - 1), colour, cv2.FILLED)
    return image


def mask_of(square: Square) -> BoolMask:
    """A square's mask."""
    top, left, side = square
    mask = np.zeros(tuple(SIZE), dtype=np.bool_)
    mask[top : top + side, left : left + side] = True
    return mask


def patch_of(square: Square) -> MaskPatch:
    """A square's mask as a patch."""
    return MaskPatch.of(mask_of(square))


def colour_finder() -> tuple[SimilarFinder, ColourRuntime, ColourEncoder]:
    """A finder that sees colours."""
    runtime, encoder = ColourRuntime(), ColourEncoder()
    predictor = Predictor(
        runtime,
        version="colours",
        policy=ZoomPolicy(),
        encoder=encoder,  # type: ignore[arg-type]
    )
    return SimilarFinder(predictor), runtime, encoder


EXAMPLE_IMAGE = painted([((32, 32, 32), RED), ((160, 64, 32), BLUE)])
"""A red and a blue square."""
