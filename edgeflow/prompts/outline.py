"""A box or lasso drawn around an object.

What each choice is worth on training images is in ``docs/prompts.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from edgeflow.arrays import BoolMask
from edgeflow.errors import PromptError
from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.masks.patch import MaskPatch, check_shape, mask_digest
from edgeflow.prompts.beyond import beyond
from edgeflow.prompts.click import Click
from edgeflow.prompts.implied import contradicts, deepest_point
from edgeflow.prompts.start import Opening, Start

CORNER_DISTANCE = 0.06
"""How far outside an outline's corners its implied negative clicks lie, in parts of its sides."""


@dataclass(frozen=True, eq=False)
class Outline(Start):
    """A rectangle or a lasso drawn around the object.

    A mask leaves a rectangle for a little where the network is sure of it, and never a lasso.

    Attributes:
        box: The rectangle, or the lasso's bounding box; on the image and not empty.
        inside: H×W bool, the lasso's inside at the image's size; None for the whole rectangle.
        beyond: Where else the object may be; see :meth:`loosened`.
    """

    box: Box
    inside: BoolMask | None = None
    beyond: MaskPatch | None = None
    opens: ClassVar[bool] = True
    confines: ClassVar[bool] = True

    def __post_init__(self) -> None:
        # A copy in rows: callers may change their array, and its layout must not matter.
        if self.inside is not None:
            object.__setattr__(self, "inside", np.array(self.inside, order="C"))

    @cached_property
    def digest(self) -> str:
        """See :attr:`.Start.digest`."""
        inside = "" if self.inside is None else mask_digest(self.inside)
        return f"outline {tuple(self.box)} {inside}"

    @property
    def nbytes(self) -> int:
        """See :attr:`.Start.nbytes`."""
        return 0 if self.inside is None else self.inside.nbytes

    def check(self, size: Size) -> None:
        """Refuse an outline that does not lie on the image, or is empty; see :meth:`.Start.check`.

        Raises:
            PromptError: Naming the outline and the image's size.
        """
        if self.inside is not None:
            check_shape("lasso", self.inside, size)
        box = self.box
        on_image = box == box.intersection(Box.whole(size))
        empty = min(box.size) < 1 or (self.inside is not None and not self.inside.any())
        if empty or not on_image:
            raise PromptError(
                f"the outline {tuple(box)} does not lie on the image "
                f"({size.width}×{size.height}), or is empty",
                hint="draw it around the object, on the image",
            )

    def opening(self, size: Size, masks: Sequence[MaskPatch]) -> Opening | None:
        """A run with implied clicks, then one with the middle of what the first found.

        See :meth:`.Start.opening`.
        """
        if not masks:
            return Opening(self.implied_clicks(size), self.box)
        if len(masks) > 1 or masks[0].empty:
            return None
        middle = deepest_point(masks[0].whole())
        return Opening((Click(middle), *self._corners(size)), self.box)

    def implied_clicks(self, size: Size) -> tuple[Click, ...]:
        """A positive click in the middle, negative ones outside the corners that lie in view.

        Args:
            size: Image size.
        """
        return (Click(self._middle()), *self._corners(size))

    def imply(self, implied: tuple[Click, ...], clicks: Sequence[Click]) -> tuple[Click, ...]:
        """The implied clicks, without the middle once the newest click contradicts it.

        See :meth:`.Start.imply`.
        """
        middle = implied[0] if implied else None
        if middle and middle.positive and contradicts(clicks[-1], middle.point, self.box.size):
            return implied[1:]
        return implied

    def loosened(self, values: Tensor, frame: Box, size: Size) -> Outline:
        """With the pieces of the object beyond a rectangle; see :meth:`.Start.loosened`."""
        if self.inside is not None:
            return self
        pieces = beyond(values[0, 0].cpu().numpy(), self.box, frame, size)
        return self if pieces is None else replace(self, beyond=pieces)

    def confine(self, probability: Tensor, box: Box) -> Tensor:
        """A copy of the map that is 0 outside the outline; see :meth:`.Start.confine`."""
        common = self.box.intersection(box).shifted(-box.top, -box.left)
        confined = torch.zeros_like(probability)
        if common.area:
            confined[common.slices] = probability[common.slices]
        if self.inside is not None:
            confined *= torch.from_numpy(self.inside[box.slices]).to(probability.device)
        if self.beyond is not None:
            self._restore(confined, probability, box, self.beyond)
        return confined

    @staticmethod
    def _restore(confined: Tensor, probability: Tensor, box: Box, pieces: MaskPatch) -> None:
        """Copy what lies in pieces of a map of ``box`` back into its confined copy."""
        common = pieces.box.intersection(box)
        if common.area:
            here = common.shifted(-box.top, -box.left).slices
            there = common.shifted(-pieces.box.top, -pieces.box.left).slices
            stays = torch.from_numpy(pieces.pixels[there]).to(probability.device)
            confined[here] = torch.where(stays, probability[here], confined[here])

    def _middle(self) -> ImagePoint:
        if self.inside is not None:
            return deepest_point(self.inside)
        top, left, bottom, right = self.box
        return ImagePoint((left + right - 1) / 2, (top + bottom - 1) / 2)

    def _corners(self, size: Size) -> tuple[Click, ...]:
        """Negative clicks outside the corners that lie in view."""
        top, left, bottom, right = self.box
        down, across = (round(CORNER_DISTANCE * side) + 2 for side in self.box.size)
        corners = (
            ImagePoint(float(x), float(y))
            for y in (top - down, bottom - 1 + down)
            for x in (left - across, right - 1 + across)
        )
        image = Box.whole(size)
        return tuple(Click(corner, positive=False) for corner in corners if image.contains(corner))
