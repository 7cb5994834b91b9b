"""Images and states as plain values: what a prediction depends on and what it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import bounding_box
from edgeflow.prompts.click import Click
from edgeflow.prompts.start import NOTHING, Start


@dataclass(frozen=True)
class EncodedImage:
    """An image on the model's device.

    Attributes:
        pixels: 1×3×H×W uint8 RGB, channels last in memory.
        overview: 1×3×h×w float32 in [0, 1], the whole image at network size: the view of every
            first click, before any closer one.
        digest: Hex digest of size and pixels.
    """

    pixels: Tensor
    overview: Tensor
    digest: str

    @property
    def size(self) -> Size:
        """Height and width in image pixels."""
        return Size(int(self.pixels.shape[2]), int(self.pixels.shape[3]))

    @property
    def nbytes(self) -> int:
        """Bytes held on the device."""
        return self.pixels.nbytes + self.overview.nbytes


@dataclass(frozen=True)
class State:
    """What a prefix of clicks leaves behind.

    Attributes:
        start: What the next step starts from; a prior mask changes with each click.
        implied: Clicks that the last step added to the annotator's.
        clicks: The prefix itself.
        region: Zoom-in region of the last step; None for the whole image.
        probability: 1×1×h×w float32 mask probability inside the region, network pixels, before
            any cleaning.
        feedback: 1×1×h×w float32 map that the network is fed at the next click, network pixels.
            EdgeFlow's edge map; RITM's mask.
        mask_box: Bounding box of the mask that the next region follows, image pixels: before any
            cleaning, unless the start decides about the mask. None when it is empty.
        close: Whether the object was found in a closer look, whose scale later regions keep.
    """

    start: Start
    implied: tuple[Click, ...]
    clicks: tuple[Click, ...]
    region: Box | None
    probability: Tensor
    feedback: Tensor
    mask_box: Box | None
    close: bool = False

    @property
    def nbytes(self) -> int:
        """Bytes held, on the device and on the host."""
        return self.probability.nbytes + self.feedback.nbytes + self.start.nbytes

    @classmethod
    def nothing(cls, image: EncodedImage, start: Start = NOTHING) -> State:
        """The state before any click and any network run."""
        blank = image.overview.new_zeros((1, 1, *image.overview.shape[-2:]))
        box = None if start.prior is None else bounding_box(start.prior)
        return cls(start, (), (), None, blank, blank, box)


class StateStore(Protocol):
    """Keeps states by digest. Losing any entry at any time is allowed."""

    def get(self, key: bytes) -> State | None:
        """The state under ``key``; None if there is none, or none any more."""
        ...

    def put(self, key: bytes, state: State) -> None:
        """Store ``state``; it may be lost again at once."""
        ...
