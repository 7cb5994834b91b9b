"""A mask probability where it lies in the image, without the rest of the image around it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from edgeflow.geometry import Box, Size
from edgeflow.inference.state import mask_box
from edgeflow.inference.transfer import above, upload

MASK_THRESHOLD = 0.5


@dataclass(frozen=True)
class ProbabilityPatch:
    """What a step shows of an object.

    Large images are mostly background, so nothing of their size is made unless it is asked for.

    Attributes:
        inside: h×w float32 probability at the frame's size.
        frame: where it lies; outside the probability is 0.
        image: the image's size.
    """

    inside: Tensor
    frame: Box
    image: Size

    @cached_property
    def solid(self) -> npt.NDArray[np.bool_]:
        """h×w on the CPU: the mask within the frame."""
        return above(self.inside, MASK_THRESHOLD)

    @property
    def box(self) -> Box | None:
        """Bounding box of the mask, in image pixels; None when it is empty."""
        box = mask_box(torch.from_numpy(self.solid))
        if box is None:
            return None
        top, left = self.frame.top, self.frame.left
        return Box(box.top + top, box.left + left, box.bottom + top, box.right + left)

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """H×W, at the image's size, on the CPU."""
        if self.frame == Box.whole(self.image):
            return self.solid
        full = np.zeros(tuple(self.image), dtype=np.bool_)
        full[self._slices] = self.solid
        return full

    @property
    def probability(self) -> Tensor:
        """H×W float32 on the device, at the image's size."""
        if self.frame == Box.whole(self.image):
            return self.inside
        full = self.inside.new_zeros(tuple(self.image))
        full[self._slices] = self.inside
        return full

    @property
    def _slices(self) -> tuple[slice, slice]:
        frame = self.frame
        return slice(frame.top, frame.bottom), slice(frame.left, frame.right)

    @classmethod
    def of_mask(cls, mask: npt.NDArray[np.bool_], device: torch.device) -> ProbabilityPatch:
        """A mask as it is: probability 1 inside and 0 outside."""
        size = Size(*mask.shape)
        return cls(upload(mask, device).float(), Box.whole(size), size)
