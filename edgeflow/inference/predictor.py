"""From clicks to a mask: a pure function of (weights, image, ordered clicks).

There is no ``set_image`` and no session. The state after click k is what replaying clicks 1..k
gives; a store may remember it under the digest of all it depends on, which saves work and never
decides an answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from edgeflow.arrays import BoolMask, RGBImage
from edgeflow.checkpoints.checkpoint import find
from edgeflow.errors import PromptError
from edgeflow.geometry import Box, Size
from edgeflow.inference.patch import ProbabilityPatch
from edgeflow.inference.state import EncodedImage, State, StateStore
from edgeflow.inference.steps import Stepper, Steps, drive
from edgeflow.inference.transfer import upload
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.masks.cleanup import Cleanup
from edgeflow.masks.patch import MaskPatch
from edgeflow.masks.score import Calibration
from edgeflow.prompts.click import Click, check_clicks, prefix_digests
from edgeflow.prompts.outline import Outline
from edgeflow.prompts.start import Start
from edgeflow.runtime.base import Runtime
from edgeflow.runtime.selection import start_runtime


@dataclass(frozen=True)
class Prediction:
    """The answer to a sequence of clicks.

    Attributes:
        patch: The mask, and where in the image it lies.
        score: Estimate of the mask's IoU with the object, 0 to 1; 0 for an empty mask.
        steps: Network runs that this answer took; fewer where a prefix was in the store.
        state: State after the last click.
    """

    patch: MaskPatch
    score: float
    steps: int
    state: State

    @cached_property
    def mask(self) -> BoolMask:
        """H×W bool at the image's size."""
        return self.patch.whole()


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
        self._stepper = Stepper(policy, self.cleanup, runtime.device, runtime.feedback)
        self._identity = f"{version}|{policy}|{self.cleanup}|{runtime.name}"

    def encode(self, image: RGBImage) -> EncodedImage:
        """Bring an image to the device.

        Args:
            image: H×W×3 uint8 RGB, EXIF orientation already applied.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"expected H×W×3 uint8, got {image.shape} {image.dtype}")
        image = np.array(image, order="C")  # a copy: what the caller does later must not matter
        height, width, _ = image.shape
        digest = hashlib.sha256(f"{height}x{width}|".encode())
        digest.update(image.data)
        pixels = upload(image, self.runtime.device).permute(2, 0, 1)[None]
        size = Size(height, width)
        overview = self.policy.sampling.view(
            pixels, Box.whole(size), self.policy.network_size(size)
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
            PromptError: no clicks, or one that is not on the image.
        """
        return drive(self.predicting(image, clicks, store, start=start), self.runtime.run)

    def predicting(
        self,
        image: EncodedImage,
        clicks: Sequence[Click],
        store: StateStore | None = None,
        *,
        start: Start | None = None,
    ) -> Steps[Prediction]:
        """:meth:`predict` for whoever runs the network themselves, perhaps for several at once.

        It yields what this predictor's runtime is to be shown and is sent what that said. Nothing
        is looked up in ``store`` before the first ``next``. Any thread may take the next step.

        Raises:
            PromptError: at once; see :meth:`predict`.
        """
        if not clicks and not isinstance(start, Outline):
            raise PromptError("no clicks", hint="send at least one positive click")
        check_clicks(clicks, image.size)
        if start is not None:
            start.check(image.size)
        return self._predicting(image, clicks, store, start)

    @torch.inference_mode()  # PyTorch leaves it at each yield and enters it again at each send
    def _predicting(
        self,
        image: EncodedImage,
        clicks: Sequence[Click],
        store: StateStore | None,
        start: Start | None,
    ) -> Steps[Prediction]:
        begun = start.digest if start is not None else "nothing"
        keys = prefix_digests(f"{self._identity}|{image.digest}|{begun}", clicks)
        state, known, steps = yield from self._resume(image, start, keys, store)
        shown: ProbabilityPatch | None = None
        for count in range(known + 1, len(clicks) + 1):
            state, shown = yield from self._stepper.step(image, state, clicks[count - 1])
            steps += 1
            if store is not None:
                store.put(keys[count], state)
        patch = (shown or self._stepper.shown(image, state)).mask
        score = 0.0 if patch.empty else self._score(state)
        return Prediction(patch, score, steps, state)

    def start(self, image: EncodedImage, start: Start | None = None) -> State:
        """The state before any click: nothing found, unless ``start`` says more.

        For an outline this runs the network twice: with implied clicks in its middle and outside
        its corners, then with the middle of what that found.
        """
        state, _ = drive(self._stepper.start(image, start), self.runtime.run)
        return state

    def step(self, image: EncodedImage, state: State, click: Click) -> tuple[State, Tensor]:
        """One network run.

        Args:
            image: from :meth:`encode`.
            state: after the clicks so far.
            click: the next one, on the image.

        Returns:
            The state after it, and the mask probability: H×W float32 at the image's size.
        """
        state, shown = drive(self._stepper.step(image, state, click), self.runtime.run)
        return state, shown.whole()

    def probability(self, image: EncodedImage, state: State) -> Tensor:
        """The mask probability of a state at the image's size: H×W float32 on the device.

        An object that began as a mask is 1 inside and 0 outside.
        """
        return self._stepper.shown(image, state).whole()

    def _resume(
        self,
        image: EncodedImage,
        start: Start | None,
        keys: Sequence[bytes],
        store: StateStore | None,
    ) -> Steps[tuple[State, int, int]]:
        """The state of the longest known prefix, that prefix's length, and steps it took."""
        opens = isinstance(start, Outline)
        if store is not None:
            for count in range(len(keys) - 1, -1 if opens else 0, -1):
                state = store.get(keys[count])
                if state is not None:
                    return state, count, 0
        state, steps = yield from self._stepper.start(image, start)
        if store is not None and opens:
            store.put(keys[0], state)
        return state, 0, steps

    def _score(self, state: State) -> float:
        if state.mask_box is None:
            return 0.0
        made = len(state.clicks) - state.implied
        return self.calibration(state.probability[0, 0].cpu().numpy(), made)


def load_predictor(
    model: str = "edgeflow_lite",
    *,
    folder: Path | None = None,
    device: str = "auto",
    policy: ZoomPolicy | None = None,
    cleanup: Cleanup | None = None,
    runtime: str = "torch",
    exports: Path | None = None,
) -> Predictor:
    """Load a model by name or path.

    Args:
        model: see :func:`edgeflow.checkpoints.checkpoint.find`.
        folder: of converted and downloaded models.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        policy: one of :data:`edgeflow.inference.zoom.POLICIES`; ours by default.
        cleanup: what is cleaned of each mask; specks and pinholes by default.
        runtime: one of :data:`edgeflow.runtime.selection.RUNTIME_NAMES`; PyTorch by default, which
            gives the same masks on every processor.
        exports: folder of exported graphs; ``~/.cache/edgeflow/exports`` by default.

    Raises:
        CheckpointError: the weights cannot be used.
        DeviceError: the device does not exist.
        RuntimeUnavailableError: there is no runtime of that name.
    """
    checkpoint = find(model, folder)
    policy = policy or ZoomPolicy()
    return Predictor(
        start_runtime(
            runtime,
            checkpoint,
            device=device,
            side_multiple=policy.side_multiple,
            exports=exports,
        ),
        version=checkpoint.version,
        policy=policy,
        cleanup=cleanup,
        calibration=checkpoint.entry.calibration,
    )
