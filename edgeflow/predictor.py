"""From clicks to a mask: a pure function of (weights, picture, ordered clicks).

There is no ``set_image`` and no session. The state after click k is what replaying clicks 1..k
gives; a store may remember it under the digest of all it depends on, which saves work and never
decides an answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from edgeflow.checkpoints import find
from edgeflow.crop import ZoomPolicy
from edgeflow.errors import PromptError
from edgeflow.geometry import Region, Size
from edgeflow.prompts import Click, check_clicks, disk_maps, prefix_digests
from edgeflow.runtime import Runtime
from edgeflow.runtime.torch_eager import TorchRuntime, pick_device

MASK_THRESHOLD = 0.5


@dataclass(frozen=True)
class EncodedImage:
    """A picture on the model's device.

    Attributes:
        pixels: 1×3×H×W uint8 RGB, channels last.
        overview: 1×3×h×w float32 in [0, 1]: the whole picture at network size, which every first
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
        clicks: the prefix itself.
        region: the zoom-in region that the last step saw; None for the whole picture.
        probability: 1×1×h×w float32 mask probability inside the region, network pixels.
        feedback: 1×1×h×w float32, likewise: what the network is fed at the next click. EdgeFlow's
            edge map; RITM's mask.
        mask_box: bounding box of the mask in image pixels; None when it is empty.
    """

    clicks: tuple[Click, ...]
    region: Region | None
    probability: Tensor
    feedback: Tensor
    mask_box: Region | None

    @property
    def nbytes(self) -> int:
        """Bytes held on the device."""
        return self.probability.nbytes + self.feedback.nbytes


@dataclass(frozen=True)
class Prediction:
    """The answer to a sequence of clicks.

    Attributes:
        mask: H×W bool at the picture's size.
        score: mean probability of the mask's network pixels, 0 to 1; 0 for an empty mask.
        steps: network runs that this answer took (fewer than clicks when a prefix was known).
        state: the state after the last click.
    """

    mask: npt.NDArray[np.bool_]
    score: float
    steps: int
    state: State


class StateStore(Protocol):
    """Remembers states by digest. Losing any entry at any time is allowed."""

    def get(self, key: bytes) -> State | None:
        """Return the state under ``key`` if it is still known."""
        ...

    def put(self, key: bytes, state: State) -> None:
        """Remember ``state``; it may be forgotten again at once."""
        ...


class Predictor:
    """A network with its zoom policy. Immutable, so threads may share it."""

    def __init__(self, runtime: Runtime, *, version: str, policy: ZoomPolicy) -> None:
        self.runtime = runtime
        self.version = version
        self.policy = policy
        self._identity = f"{version}|{policy}|{runtime.name}"

    def encode(self, image: npt.NDArray[np.uint8]) -> EncodedImage:
        """Bring a picture to the device.

        Args:
            image: H×W×3 uint8 RGB, EXIF orientation already applied.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"expected H×W×3 uint8, got {image.shape} {image.dtype}")
        image = np.array(image, order="C")  # a copy: what the caller does later must not matter
        height, width, _ = image.shape
        digest = hashlib.sha256(f"{height}x{width}|".encode())
        digest.update(image.data)
        pixels = torch.from_numpy(image).permute(2, 0, 1)[None].to(self.runtime.device)
        size = Size(height, width)
        overview = self.policy.sampling.view(
            pixels, Region.whole(size), self.policy.network_size(size)
        )
        return EncodedImage(pixels, overview, digest.hexdigest())

    def predict(
        self, image: EncodedImage, clicks: Sequence[Click], store: StateStore | None = None
    ) -> Prediction:
        """Answer a sequence of clicks.

        Args:
            image: from :meth:`encode`.
            clicks: at least one, in the order in which they were made, in image pixels.
            store: where states of prefixes are looked up and left.

        Raises:
            PromptError: no clicks, or one that is not on the picture.
        """
        if not clicks:
            raise PromptError("no clicks", hint="send at least one positive click")
        check_clicks(clicks, image.size)
        keys = prefix_digests(f"{self._identity}|{image.digest}", clicks)
        state, known = self._resume(image, keys, store)
        probability: Tensor | None = None
        for count in range(known + 1, len(clicks) + 1):
            state, probability = self.step(image, state, clicks[count - 1])
            if store is not None:
                store.put(keys[count], state)
        if probability is None:
            probability = self.probability(image, state)
        mask = (probability > MASK_THRESHOLD).cpu().numpy()
        return Prediction(mask, _score(state), len(clicks) - known, state)

    def start(self, image: EncodedImage) -> State:
        """The state before any click: nothing found, nothing fed back."""
        blank = image.overview.new_zeros((1, 1, *image.overview.shape[-2:]))
        return State((), None, blank, blank, None)

    @torch.inference_mode()
    def step(self, image: EncodedImage, state: State, click: Click) -> tuple[State, Tensor]:
        """One network run.

        Args:
            image: from :meth:`encode`.
            state: after the clicks so far.
            click: the next one, on the picture.

        Returns:
            The state after it, and the mask probability: H×W float32 at the picture's size.
        """
        sampling = self.policy.sampling
        clicks = (*state.clicks, click)
        region = self.policy.choose(state.region, state.mask_box, clicks, image.size)
        whole = Region.whole(image.size)
        frame = region or whole
        size = self.policy.network_size(frame.size)
        view = image.overview if frame == whole else sampling.view(image.pixels, frame, size)
        fed_back = sampling.carry(state.feedback, state.region or whole, frame, size, image.size)
        points = [(sampling.locate(c.point, frame, size), c.positive) for c in clicks]
        disks = torch.from_numpy(disk_maps(points, size)).to(self.runtime.device)
        output = self.runtime.run(view, torch.cat((fed_back, disks[None]), dim=1))
        probability = sampling.paste(output.mask, frame, image.size)
        box = mask_box(probability > MASK_THRESHOLD)
        return State(clicks, region, output.mask, output.feedback, box), probability

    def probability(self, image: EncodedImage, state: State) -> Tensor:
        """The mask probability of a state at the picture's size: H×W float32 on the device."""
        frame = state.region or Region.whole(image.size)
        return self.policy.sampling.paste(state.probability, frame, image.size)

    def _resume(
        self, image: EncodedImage, keys: Sequence[bytes], store: StateStore | None
    ) -> tuple[State, int]:
        """The state of the longest prefix that is known, and that prefix's length."""
        if store is not None:
            for count in range(len(keys) - 1, 0, -1):
                state = store.get(keys[count])
                if state is not None:
                    return state, count
        return self.start(image), 0


def _score(state: State) -> float:
    inside = state.probability[state.probability > MASK_THRESHOLD]
    return float(inside.mean()) if state.mask_box is not None and len(inside) else 0.0


def mask_box(mask: Tensor) -> Region | None:
    """Bounding box of an H×W bool mask in image pixels; None when it is empty."""
    rows = mask.any(dim=1).nonzero()
    if len(rows) == 0:
        return None
    cols = mask.any(dim=0).nonzero()
    return Region(int(rows[0]), int(cols[0]), int(rows[-1]) + 1, int(cols[-1]) + 1)


def load_predictor(
    model: str = "edgeflow_lite",
    *,
    folder: Path | None = None,
    device: str = "auto",
    policy: ZoomPolicy | None = None,
) -> Predictor:
    """Load a model by name or path.

    Args:
        model: see :func:`edgeflow.checkpoints.find`.
        folder: of converted and downloaded models.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        policy: one of :data:`edgeflow.crop.POLICIES`; ours by default.

    Raises:
        CheckpointError: the weights cannot be used.
        DeviceError: the device does not exist.
    """
    checkpoint = find(model, folder)
    picked = pick_device(device)
    return Predictor(
        TorchRuntime(checkpoint.load(), picked, feedback=checkpoint.entry.feedback),
        version=checkpoint.version,
        policy=policy or ZoomPolicy(),
    )
