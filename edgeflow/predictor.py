"""From clicks to a mask: a pure function of (weights, picture, ordered clicks).

There is no ``set_image`` and no session. The state after click k is what replaying clicks 1..k
gives; a store may remember it under the digest of all it depends on, which saves work and never
decides an answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from edgeflow.checkpoints import find
from edgeflow.cleanup import Cleanup
from edgeflow.confidence import Calibration
from edgeflow.crop import ZoomPolicy
from edgeflow.errors import PromptError
from edgeflow.geometry import NetworkPoint, Region, Size
from edgeflow.prompts import Click, check_clicks, disk_maps, prefix_digests
from edgeflow.runtime import Runtime, StepOutput
from edgeflow.runtime.torch_eager import TorchRuntime, pick_device
from edgeflow.starts import (
    Outline,
    PriorMask,
    Start,
    contradicts,
    deepest_point,
    feedback_of,
    implied_clicks,
    merge,
)

MASK_THRESHOLD = 0.5

OUTLINE_STEPS = 2
"""Network runs that an outline takes before any click; one where the first finds nothing."""


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
        start: what the object began with. A prior mask is replaced after each click by the mask as
            it is then.
        clicks: the prefix itself; for an outline, its implied clicks come first.
        implied: how many those are.
        region: the zoom-in region that the last step saw; None for the whole picture.
        probability: 1×1×h×w float32 mask probability inside the region, network pixels, before
            any cleaning.
        feedback: 1×1×h×w float32, likewise: what the network is fed at the next click. EdgeFlow's
            edge map; RITM's mask.
        mask_box: bounding box of the mask, before any cleaning, in image pixels; None when it is
            empty.
    """

    start: Start | None
    clicks: tuple[Click, ...]
    region: Region | None
    probability: Tensor
    feedback: Tensor
    mask_box: Region | None
    implied: int = 0

    @property
    def nbytes(self) -> int:
        """Bytes held, on the device and beside it."""
        start = self.start
        beside = start.mask if isinstance(start, PriorMask) else start.inside if start else None
        held = 0 if beside is None else beside.nbytes
        return self.probability.nbytes + self.feedback.nbytes + held


@dataclass(frozen=True)
class Prediction:
    """The answer to a sequence of clicks.

    Attributes:
        mask: H×W bool at the picture's size.
        score: an estimate of the mask's IoU with the object, 0 to 1; 0 for an empty mask.
        steps: network runs that this answer took; fewer where a prefix was known.
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
    """A network with its zoom policy and its clean-up. Immutable, so threads may share it."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        version: str,
        policy: ZoomPolicy,
        cleanup: Cleanup | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        self.runtime = runtime
        self.version = version
        self.policy = policy
        self.cleanup = cleanup or Cleanup()
        self.calibration = calibration or Calibration()
        self._identity = f"{version}|{policy}|{self.cleanup}|{runtime.name}"

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
        self,
        image: EncodedImage,
        clicks: Sequence[Click],
        store: StateStore | None = None,
        *,
        start: Start | None = None,
    ) -> Prediction:
        """Answer a sequence of clicks.

        Args:
            image: from :meth:`encode`.
            clicks: in the order in which they were made, in image pixels; at least one, unless
                ``start`` is an outline.
            store: where states of prefixes are looked up and left.
            start: what the object begins with, instead of nothing.

        Raises:
            PromptError: no clicks, or one that is not on the picture.
        """
        if not clicks and not isinstance(start, Outline):
            raise PromptError("no clicks", hint="send at least one positive click")
        check_clicks(clicks, image.size)
        if start is not None:
            start.check(image.size)
        begun = start.digest if start is not None else "nothing"
        keys = prefix_digests(f"{self._identity}|{image.digest}|{begun}", clicks)
        state, known, steps = self._resume(image, start, keys, store)
        probability: Tensor | None = None
        for count in range(known + 1, len(clicks) + 1):
            state, probability = self.step(image, state, clicks[count - 1])
            steps += 1
            if store is not None:
                store.put(keys[count], state)
        if probability is None:
            probability = self.probability(image, state)
        mask = (probability > MASK_THRESHOLD).cpu().numpy()
        score = self._score(state) if mask.any() else 0.0
        return Prediction(mask, score, steps, state)

    @torch.inference_mode()
    def start(self, image: EncodedImage, start: Start | None = None) -> State:
        """The state before any click: nothing found, unless ``start`` says more.

        For an outline this runs the network twice: with implied clicks in its middle and outside
        its corners, then with the middle of what that found.
        """
        if isinstance(start, Outline):
            return self._outlined(image, start)[0]
        blank = image.overview.new_zeros((1, 1, *image.overview.shape[-2:]))
        box = mask_box(torch.from_numpy(start.mask)) if start is not None else None
        return State(start, (), None, blank, blank, box)

    @torch.inference_mode()
    def _outlined(self, image: EncodedImage, start: Outline) -> tuple[State, int]:
        """The state of an outline before any click, and the network runs it took."""
        blank = image.overview.new_zeros((1, 1, *image.overview.shape[-2:]))
        nothing = State(start, (), None, blank, blank, None)
        region = self.policy.around(start.region, image.size)
        implied = start.implied_clicks(image.size)
        state, probability = self._step_to(image, nothing, implied, region)
        steps = 1
        if state.mask_box is not None:
            middle = deepest_point((probability > MASK_THRESHOLD).cpu().numpy())
            negatives = (click for click in implied if not click.positive)
            state, _ = self._step_to(image, state, (Click(middle), *negatives), region)
            steps = OUTLINE_STEPS
        return replace(state, implied=len(state.clicks)), steps

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
        clicks = (*state.clicks, click)
        if isinstance(state.start, PriorMask):
            return self._refine(image, state, state.start, clicks)
        if isinstance(state.start, Outline) and state.implied and state.clicks[0].positive:
            middle = state.clicks[0].point
            if contradicts(click, middle, state.start.region.size):
                clicks = clicks[1:]
                state = replace(state, implied=state.implied - 1)
        region = self.policy.choose(state.region, state.mask_box, clicks, image.size)
        return self._step_to(image, state, clicks, region)

    def probability(self, image: EncodedImage, state: State) -> Tensor:
        """The mask probability of a state at the picture's size: H×W float32 on the device.

        An object that began as a mask is 1 inside and 0 outside.
        """
        if isinstance(state.start, PriorMask):
            return torch.from_numpy(state.start.mask).to(self.runtime.device).float()
        _, probability = self._show(
            image, state.probability, state.region, state.clicks, state.start
        )
        return probability

    def _step_to(
        self,
        image: EncodedImage,
        state: State,
        clicks: tuple[Click, ...],
        region: Region | None,
    ) -> tuple[State, Tensor]:
        """Show the network ``clicks`` in ``region``, with what ``state`` feeds back."""
        whole = Region.whole(image.size)
        frame = region or whole
        size = self.policy.network_size(frame.size)
        fed_back = self.policy.sampling.carry(
            state.feedback, state.region or whole, frame, size, image.size
        )
        output = self._run(image, frame, size, clicks, fed_back)
        raw, probability = self._show(image, output.mask, region, clicks, state.start)
        # Regions follow what the network found, as they did when it was trained and measured.
        followed = probability if isinstance(state.start, Outline) else raw
        box = mask_box(followed > MASK_THRESHOLD)
        after = State(state.start, clicks, region, output.mask, output.feedback, box, state.implied)
        return after, probability

    def _refine(
        self, image: EncodedImage, state: State, prior: PriorMask, clicks: tuple[Click, ...]
    ) -> tuple[State, Tensor]:
        """Change a mask around the newest click; the network is told of the rest of it."""
        seen = clicks
        if state.mask_box is not None:
            seen = (*implied_clicks(prior.mask, clicks, state.mask_box.size), *clicks)
        region = self.policy.choose(None, state.mask_box, seen, image.size)
        frame = region or Region.whole(image.size)
        size = self.policy.network_size(frame.size)
        fed_back = feedback_of(prior.mask, frame, size, self.runtime.feedback)
        output = self._run(image, frame, size, seen, fed_back.to(self.runtime.device))
        _, shown = self._show(image, output.mask, region, seen, None)
        predicted = (shown > MASK_THRESHOLD).cpu().numpy()
        merged = merge(prior.mask, predicted, clicks[-1])
        box = mask_box(torch.from_numpy(merged))
        now = PriorMask(merged)
        after = State(now, clicks, region, output.mask, output.feedback, box)
        return after, torch.from_numpy(merged).to(self.runtime.device).float()

    def _run(
        self,
        image: EncodedImage,
        frame: Region,
        size: Size,
        clicks: Sequence[Click],
        fed_back: Tensor,
    ) -> StepOutput:
        sampling = self.policy.sampling
        whole = frame == Region.whole(image.size)
        view = image.overview if whole else sampling.view(image.pixels, frame, size)
        disks = torch.from_numpy(disk_maps(self._located(clicks, frame, size), size))
        disks = disks.to(self.runtime.device)
        return self.runtime.run(view, torch.cat((fed_back, disks[None]), dim=1))

    def _show(
        self,
        image: EncodedImage,
        values: Tensor,
        region: Region | None,
        clicks: Sequence[Click],
        start: Start | None,
    ) -> tuple[Tensor, Tensor]:
        """A 1×1×h×w probability map at its place in the picture, raw and cleaned: H×W each."""
        frame = region or Region.whole(image.size)
        size = Size(int(values.shape[2]), int(values.shape[3]))
        before = values[0, 0].cpu().numpy()
        after = self.cleanup(before, self._located(clicks, frame, size))
        paste = self.policy.sampling.paste
        raw = paste(values, frame, image.size)
        cleaned = raw
        if after is not before:
            changed = torch.from_numpy(after)[None, None].to(values.device)
            cleaned = paste(changed, frame, image.size)
        return raw, start.confine(cleaned) if isinstance(start, Outline) else cleaned

    def _located(
        self, clicks: Sequence[Click], frame: Region, size: Size
    ) -> list[tuple[NetworkPoint, bool]]:
        locate = self.policy.sampling.locate
        return [(locate(click.point, frame, size), click.positive) for click in clicks]

    def _resume(
        self,
        image: EncodedImage,
        start: Start | None,
        keys: Sequence[bytes],
        store: StateStore | None,
    ) -> tuple[State, int, int]:
        """The state of the longest known prefix, that prefix's length, and steps it took."""
        opens = isinstance(start, Outline)
        if store is not None:
            for count in range(len(keys) - 1, -1 if opens else 0, -1):
                state = store.get(keys[count])
                if state is not None:
                    return state, count, 0
        if not isinstance(start, Outline):
            return self.start(image, start), 0, 0
        state, steps = self._outlined(image, start)
        if store is not None:
            store.put(keys[0], state)
        return state, 0, steps

    def _score(self, state: State) -> float:
        if state.mask_box is None:
            return 0.0
        made = len(state.clicks) - state.implied
        return self.calibration(state.probability[0, 0].cpu().numpy(), made)


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
    cleanup: Cleanup | None = None,
) -> Predictor:
    """Load a model by name or path.

    Args:
        model: see :func:`edgeflow.checkpoints.find`.
        folder: of converted and downloaded models.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        policy: one of :data:`edgeflow.crop.POLICIES`; ours by default.
        cleanup: what is cleaned of each mask; specks and pinholes by default.

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
        cleanup=cleanup,
        calibration=checkpoint.entry.calibration,
    )
