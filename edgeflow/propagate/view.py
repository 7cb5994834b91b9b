"""A part of a page around an object, as the network sees it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch
from torch import Tensor

from edgeflow.arrays import BoolMask, FloatArray, FloatMap
from edgeflow.geometry import Box, Size
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.inference.transfer import upload
from edgeflow.masks.patch import MASK_THRESHOLD
from edgeflow.prompts.disks import disk_pixels
from edgeflow.prompts.prior_mask import feedback_of
from edgeflow.propagate.hints import hints

LONG_SIDE = 320
"""Network pixels of a view's longer side: no worse than 448, in half the time."""

MULTIPLE = 32


@dataclass(frozen=True)
class View:
    """A part of a page.

    Attributes:
        predictor: Its policy says how large the part is, and its runtime looks at it.
        page: The page.
        frame: The part.
    """

    predictor: Predictor
    page: EncodedImage
    frame: Box

    @classmethod
    def around(cls, predictor: Predictor, page: EncodedImage, box: Box) -> View:
        """The view of an object that lies in a box."""
        return cls(predictor, page, predictor.policy.around(box, page.size))

    @cached_property
    def size(self) -> Size:
        """At the network."""
        policy = self.predictor.policy
        if policy.square:
            return policy.network_size(self.frame.size)
        scale = LONG_SIDE / max(self.frame.size)
        return Size(
            *(max(MULTIPLE, round(s * scale / MULTIPLE) * MULTIPLE) for s in self.frame.size)
        )

    @cached_property
    def pixels(self) -> Tensor:
        """1×3×h×w float32 RGB, 0 to 1, on the device."""
        return self.predictor.policy.sampling.view(self.page.pixels, self.frame, self.size)

    @cached_property
    def rgb(self) -> FloatArray:
        """h×w×3 float32 RGB, 0 to 1, on the host."""
        values: FloatArray = self.pixels[0].permute(1, 2, 0).cpu().numpy()
        return values

    def shown(self, mask: BoolMask) -> BoolMask:
        """A mask of the page's size as the view shows it: h×w."""
        part = mask[self.frame.slices].astype(np.float32)
        shape = (self.size.width, self.size.height)
        return cv2.resize(part, shape, interpolation=cv2.INTER_AREA) > MASK_THRESHOLD

    @torch.inference_mode()
    def look(self, mask: BoolMask) -> FloatMap:
        """What the network sees, being told where the object should be.

        Args:
            mask: h×w.

        Returns:
            h×w float32, 0 to 1.
        """
        runtime, size = self.predictor.runtime, self.size
        band = feedback_of(mask, Box.whole(size), size, runtime.feedback).to(self.pixels.device)
        disks = self.pixels.new_zeros((1, 2, *size))
        points = disk_pixels(hints(mask), size)
        disks.view(-1).index_fill_(0, upload(points, self.pixels.device), 1.0)
        output = runtime.run(self.pixels, torch.cat((band, disks), dim=1))
        values: FloatMap = output.mask[0, 0].cpu().numpy()
        return values

    def mask(self, probability: FloatMap) -> BoolMask:
        """The mask of an h×w map at the page's size: H×W."""
        whole = np.zeros(tuple(self.page.size), dtype=np.bool_)
        values = torch.from_numpy(np.ascontiguousarray(probability))[None, None]
        enlarged = self.predictor.policy.sampling.enlarge(values, self.frame.size)
        whole[self.frame.slices] = enlarged.numpy() > MASK_THRESHOLD
        return whole
