"""A mask that exists before the first click, and how clicks change it.

What each choice is worth on training images is in ``docs/refining.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch
from torch import Tensor

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import (
    MASK_THRESHOLD,
    MaskPatch,
    bounding_box,
    check_shape,
    mask_digest,
)
from edgeflow.nn.interface import Feedback
from edgeflow.prompts.click import Click
from edgeflow.prompts.implied import implied_clicks
from edgeflow.prompts.start import Start

BAND_WIDTH = 9
"""Width of the edge map made from a mask's boundary, in network pixels."""

BAND_PROBABILITY = 0.9
"""Value of that edge map on the boundary: about what the network's own edge maps reach."""


@dataclass(frozen=True, eq=False)
class PriorMask(Start):
    """A mask of the object, drawn by hand or made by any model; clicks refine it.

    Attributes:
        mask: H×W bool at the image's size.
    """

    mask: BoolMask

    def __post_init__(self) -> None:
        # A copy in rows: callers may change their array, and its layout must not matter.
        object.__setattr__(self, "mask", np.array(self.mask, order="C"))

    @cached_property
    def digest(self) -> str:
        """See :attr:`.Start.digest`."""
        return f"mask {mask_digest(self.mask)}"

    @property
    def nbytes(self) -> int:
        """See :attr:`.Start.nbytes`."""
        return self.mask.nbytes

    @property
    def prior(self) -> BoolMask:
        """The mask itself; see :attr:`.Start.prior`."""
        return self.mask

    def check(self, size: Size) -> None:
        """Refuse a mask of another size than the image's; see :meth:`.Start.check`.

        Raises:
            PromptError: Naming both sizes.
        """
        check_shape("mask", self.mask, size)

    def imply(
        self,
        implied: tuple[Click, ...],  # noqa: ARG002 - the mask has changed since
        clicks: Sequence[Click],
    ) -> tuple[Click, ...]:
        """A positive click deep in the mask; see :meth:`.Start.imply`."""
        box = bounding_box(self.mask)
        return () if box is None else implied_clicks(self.mask, clicks, box.size)

    def after(self, mask: MaskPatch, click: Click) -> PriorMask:
        """The mask with the change that the click asks for; see :meth:`.Start.after`."""
        return PriorMask(merge(self.mask, mask.whole(), click))


def feedback_of(mask: BoolMask, frame: Box, size: Size, kind: Feedback) -> Tensor:
    """The map that a network would have fed back had it made this mask.

    Args:
        mask: H×W at the image's size.
        frame: Zoom-in region.
        size: Network size of that region.
        kind: ``edge`` for a band along the boundary, ``mask`` for the mask itself.

    Returns:
        1×1×size float32.
    """
    part = mask[frame.slices].astype(np.float32)
    small = cv2.resize(part, (size.width, size.height), interpolation=cv2.INTER_AREA)
    if kind == "mask":
        return torch.from_numpy(small)[None, None]
    solid = (small > MASK_THRESHOLD).astype(np.uint8)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (BAND_WIDTH, BAND_WIDTH))
    band = cv2.dilate(solid, disk) - cv2.erode(solid, disk)
    return torch.from_numpy(band.astype(np.float32) * BAND_PROBABILITY)[None, None]


def merge(before: BoolMask, predicted: BoolMask, click: Click) -> BoolMask:
    """Change a mask only where a click asks for it.

    Of all that the prediction would add, a positive click adds the connected part that it lies in;
    of all that the prediction would remove, a negative click removes the part that it lies in.
    Everything else stays as the annotator left it. (Progressive merge after Chen et al.,
    "FocalClick", CVPR 2022, arXiv:2204.02574.) A click that the prediction does not follow changes
    nothing.

    Args:
        before: H×W mask.
        predicted: H×W mask that the network found.
        click: The newest, on the image.

    Returns:
        H×W mask, a new array.
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
