"""What a prediction starts from and what it leaves behind: images and states, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import bounding_box
from edgeflow.prompts.click import Click
from edgeflow.prompts.prior_mask import PriorMask
from edgeflow.prompts.start import Start


@dataclass(frozen=True)
class EncodedImage:
    """An image on the model's device.

    Attributes:
        pixels: 1×3×H×W uint8 RGB, channels last.
        overview: 1×3×h×w float32 in [0, 1]: the whole image at network size, which every first
            click sees.
        digest: hex digest of size and pixels.
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
        start: what the object began with. A prior mask is replaced after each click by the mask as
            it is then.
        clicks: the prefix itself; for an outline, its implied clicks come first.
        implied: how many those are.
        region: the zoom-in region that the last step saw; None for the whole image.
        probability: 1×1×h×w float32 mask probability inside the region, network pixels, before
            any cleaning.
        feedback: 1×1×h×w float32, likewise: what the network is fed at the next click. EdgeFlow's
            edge map; RITM's mask.
        mask_box: bounding box of the mask, before any cleaning, in image pixels; None when it is
            empty.
    """

    start: Start | None
    clicks: tuple[Click, ...]
    region: Box | None
    probability: Tensor
    feedback: Tensor
    mask_box: Box | None
    implied: int = 0

    @property
    def nbytes(self) -> int:
        """Bytes held, on the device and beside it."""
        start = self.start
        beside = start.mask if isinstance(start, PriorMask) else start.inside if start else None
        held = 0 if beside is None else beside.nbytes
        return self.probability.nbytes + self.feedback.nbytes + held

    @classmethod
    def nothing(cls, image: EncodedImage, start: Start | None = None) -> State:
        """Before any click and any network run; a prior mask has its bounding box."""
        blank = image.overview.new_zeros((1, 1, *image.overview.shape[-2:]))
        box = bounding_box(start.mask) if isinstance(start, PriorMask) else None
        return cls(start, (), None, blank, blank, box)


class StateStore(Protocol):
    """Remembers states by digest. Losing any entry at any time is allowed."""

    def get(self, key: bytes) -> State | None:
        """Return the state under ``key`` if it is still known."""
        ...

    def put(self, key: bytes, state: State) -> None:
        """Remember ``state``; it may be forgotten again at once."""
        ...
