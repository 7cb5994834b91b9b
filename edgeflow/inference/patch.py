"""A mask probability and its place in the image, without the rest of the image around it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from edgeflow.geometry import Box, Size
from edgeflow.inference.sampling import Sampling
from edgeflow.inference.transfer import above, upload
from edgeflow.masks.patch import MASK_THRESHOLD, MaskPatch
from edgeflow.prompts.start import Start

LARGE = 4_000_000
"""Image pixels from which on a mask is found without its probability map at that size."""


@dataclass(frozen=True)
class ProbabilityPatch:
    """A probability map of a part of the image; outside that part the probability is 0.

    Large images are mostly background, so nothing of their size is made unless it is asked for.

    Attributes:
        probability: h×w float32 on the device, the box's content.
        box: The part of the image.
        image_size: Size of the image.
    """

    probability: Tensor
    box: Box
    image_size: Size

    @classmethod
    def of_mask(cls, mask: MaskPatch, device: torch.device) -> ProbabilityPatch:
        """A mask as a map: probability 1 on it and 0 elsewhere."""
        return cls(upload(mask.pixels, device).float(), mask.box, mask.image_size)

    @cached_property
    def mask(self) -> MaskPatch:
        """Where the probability exceeds :data:`MASK_THRESHOLD`, on the host."""
        solid = above(self.probability, MASK_THRESHOLD)
        return MaskPatch.within_frame(solid, self.box, self.image_size)

    @property
    def mask_box(self) -> Box | None:
        """Bounding box of the mask, in image pixels; None when it is empty."""
        return None if self.mask.empty else self.mask.box

    def whole(self) -> Tensor:
        """The map at the image's size: H×W float32 on the device."""
        if self.box == Box.whole(self.image_size):
            return self.probability
        full = self.probability.new_zeros(tuple(self.image_size))
        full[self.box.slices] = self.probability
        return full


@dataclass(frozen=True)
class EnlargedPatch:
    """A network's map at its place in the image; enlarged only when that is asked for.

    Attributes:
        values: 1×1×h×w float32 on the device, network pixels.
        box: The part of the image.
        image_size: Size of the image.
        sampling: How it is enlarged.
        start: Says where the object cannot be.
    """

    values: Tensor
    box: Box
    image_size: Size
    sampling: Sampling
    start: Start

    @cached_property
    def enlarged(self) -> ProbabilityPatch:
        """The map at the image's scale."""
        probability = self.sampling.enlarge(self.values, self.box.size)
        return ProbabilityPatch(
            self.start.confine(probability, self.box), self.box, self.image_size
        )

    @cached_property
    def mask(self) -> MaskPatch:
        """See :attr:`ProbabilityPatch.mask`."""
        if self.box.area < LARGE:
            return self.enlarged.mask
        found = self.sampling.exceeding(self.values, self.box.size, MASK_THRESHOLD)
        if found is None:
            return self.enlarged.mask
        solid, part = found
        frame = part.shifted(self.box.top, self.box.left)
        confined = self.start.confine(torch.from_numpy(solid), frame)
        return MaskPatch.within_frame(confined.numpy(), frame, self.image_size, copy=False)

    @property
    def mask_box(self) -> Box | None:
        """See :attr:`ProbabilityPatch.mask_box`."""
        return None if self.mask.empty else self.mask.box

    def whole(self) -> Tensor:
        """See :meth:`ProbabilityPatch.whole`."""
        return self.enlarged.whole()


Patch = ProbabilityPatch | EnlargedPatch
