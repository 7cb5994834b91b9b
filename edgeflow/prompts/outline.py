"""What an object starts from before its first click: an outline drawn around it, or a mask.

No network here is trained for either, so both are turned into what it knows: implied clicks, a
zoom-in region, and the map that it is fed. What each choice is worth on training images is in
``docs/prompts.md`` and ``docs/refining.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from edgeflow.arrays import BoolMask
from edgeflow.errors import PromptError
from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.masks.patch import check_shape, mask_digest
from edgeflow.prompts.click import Click
from edgeflow.prompts.implied import deepest_point

CORNER_DISTANCE = 0.06
"""How far outside an outline's corners its implied negative clicks lie, in parts of its sides."""


@dataclass(frozen=True, eq=False)
class Outline:
    """A rectangle or a lasso drawn around the object; the mask never leaves it.

    Attributes:
        region: the rectangle, or the lasso's bounding box; on the image and not empty.
        inside: H×W bool, the lasso's inside at the image's size; None for the whole rectangle.
    """

    region: Box
    inside: BoolMask | None = None

    def __post_init__(self) -> None:
        if self.inside is not None:
            object.__setattr__(self, "inside", np.array(self.inside, order="C"))

    @cached_property
    def digest(self) -> str:
        """Stands for this start wherever a prediction is remembered."""
        inside = "" if self.inside is None else mask_digest(self.inside)
        return f"outline {tuple(self.region)} {inside}"

    def check(self, size: Size) -> None:
        """Refuse an outline that is not on an image, or holds nothing of it.

        Raises:
            PromptError: saying which.
        """
        if self.inside is not None:
            check_shape("lasso", self.inside, size)
        region = self.region
        on = region == region.intersection(Box.whole(size))
        if not on or min(region.size) < 1 or (self.inside is not None and not self.inside.any()):
            raise PromptError(
                f"the outline {tuple(region)} does not lie on the image "
                f"({size.width}×{size.height}), or is empty",
                hint="draw it around the object, on the image",
            )

    def implied_clicks(self, size: Size) -> tuple[Click, ...]:
        """A positive click in the middle, negative ones outside the corners that lie in view."""
        top, left, bottom, right = self.region
        down, across = (round(CORNER_DISTANCE * side) + 2 for side in self.region.size)
        corners = (
            ImagePoint(float(x), float(y))
            for y in (top - down, bottom - 1 + down)
            for x in (left - across, right - 1 + across)
            if Box.whole(size).contains(ImagePoint(float(x), float(y)))
        )
        return (Click(self._middle()), *(Click(corner, positive=False) for corner in corners))

    def confine(self, probability: Tensor) -> Tensor:
        """A copy of an H×W map that is 0 outside the outline."""
        top, left, bottom, right = self.region
        confined = torch.zeros_like(probability)
        confined[top:bottom, left:right] = probability[top:bottom, left:right]
        if self.inside is not None:
            confined *= torch.from_numpy(self.inside).to(probability.device)
        return confined

    def _middle(self) -> ImagePoint:
        if self.inside is not None:
            return deepest_point(self.inside)
        top, left, bottom, right = self.region
        return ImagePoint((left + right - 1) / 2, (top + bottom - 1) / 2)
