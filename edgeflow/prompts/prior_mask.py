"""A mask that is there before the first click, and how clicks change it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch
from torch import Tensor

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import check_shape, mask_digest
from edgeflow.nn.interface import Feedback
from edgeflow.prompts.click import Click

BAND_WIDTH = 9
"""Width of the edge map made from a mask's boundary, in network pixels."""


BAND_PROBABILITY = 0.9
"""Its value: about what the network's own edge maps reach."""


@dataclass(frozen=True, eq=False)
class PriorMask:
    """A mask that is there already, drawn by hand or by whatever model.

    Attributes:
        mask: H×W bool at the image's size.
    """

    mask: BoolMask

    def __post_init__(self) -> None:
        # A copy in rows: what becomes of the array does not matter, nor how it lies in memory.
        object.__setattr__(self, "mask", np.array(self.mask, order="C"))

    def check(self, size: Size) -> None:
        """Refuse a mask of another size than the image's.

        Raises:
            PromptError: naming both.
        """
        check_shape("mask", self.mask, size)

    @cached_property
    def digest(self) -> str:
        """Stands for this start wherever a prediction is remembered."""
        return f"mask {mask_digest(self.mask)}"


def feedback_of(mask: BoolMask, frame: Box, size: Size, kind: Feedback) -> Tensor:
    """The map that a network would have fed back had it made this mask.

    Args:
        mask: H×W at the image's size.
        frame: the zoom-in region.
        size: the network's input size for it.
        kind: ``edge`` for a band along the boundary, ``mask`` for the mask itself.

    Returns:
        1×1×size float32.
    """
    part = mask[frame.top : frame.bottom, frame.left : frame.right].astype(np.float32)
    small = cv2.resize(part, (size.width, size.height), interpolation=cv2.INTER_AREA)
    if kind == "mask":
        return torch.from_numpy(small)[None, None]
    solid = (small > 0.5).astype(np.uint8)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (BAND_WIDTH, BAND_WIDTH))
    band = cv2.dilate(solid, disk) - cv2.erode(solid, disk)
    return torch.from_numpy(band.astype(np.float32) * BAND_PROBABILITY)[None, None]


def merge(before: BoolMask, predicted: BoolMask, click: Click) -> BoolMask:
    """Change a mask only where a click asks for it.

    A positive click adds the connected part that holds it of all that the prediction would add; a
    negative one removes likewise; all else stays as the annotator left it. (Progressive merge after
    Chen et al., "FocalClick", CVPR 2022, arXiv:2204.02574.) A click that the prediction does not
    follow changes nothing.

    Args:
        before: H×W.
        predicted: H×W.
        click: on the image.
    """
    row = min(max(round(click.point.y), 0), before.shape[0] - 1)
    col = min(max(round(click.point.x), 0), before.shape[1] - 1)
    merged: BoolMask = before.copy()
    changes = predicted & ~before if click.positive else before & ~predicted
    if changes[row, col]:
        filled = np.ascontiguousarray(changes, dtype=np.uint8)
        cv2.floodFill(filled, None, (col, row), 2)
        merged[filled == 2] = click.positive
    return merged
