"""From clicks to a mask: a pure function of (weights, image, ordered clicks).

There is no ``set_image`` and no session. The state after click k is what replaying clicks 1..k
gives; a store may keep it under the digest of all it depends on, which saves work and never decides
an answer.
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
from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, find
from edgeflow.errors import PromptError
from edgeflow.geometry import Box, Size
from edgeflow.inference.patch import Patch
from edgeflow.inference.quality import Quality
from edgeflow.inference.runs import Steps, drive
from edgeflow.inference.state import EncodedImage, State, StateStore
from edgeflow.inference.steps import Stepper
from edgeflow.inference.transfer import upload
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.masks.cleanup import Cleanup
from edgeflow.masks.patch import MaskPatch
from edgeflow.masks.score import Calibration
from edgeflow.prompts.click import Click, check_clicks, prefix_digests
from edgeflow.prompts.start import NOTHING, Start
from edgeflow.runtime.base import Runtime
from edgeflow.runtime.features.encoder import Encoder
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
    """A network with its zoom policy, clean-up and quality. Immutable, so threads may share it."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        version: str,
        policy: ZoomPolicy,
        cleanup: Cleanup | None = None,
        calibration: Calibration | None = None,
        quality: Quality | None = None,
        encoder: Encoder | None = None,
    ) -> None:
        self.runtime = runtime
        self.encoder = encoder
        self.version = version
        self.policy = policy
        self.cleanup = cleanup or Cleanup()
        self.calibration = calibration or Calibration()
        self.quality = quality or Quality()
        self._stepper = Stepper(
            policy,
            self.cleanup,
            runtime.device,
            runtime.feedback,
            self.quality,
            self.calibration,
        )
        depends_on = [version, policy, self.cleanup, runtime.name, self.quality]
        if self.quality.asks:
            depends_on.append(self.calibration)
        self._identity = "|".join(map(str, depends_on))

    @property
    def execution(self) -> str:
        """Runtime, device, precision and, where clicks take longer for it, the quality."""
        name, quality = self.runtime.name, self.quality
        return name if quality == Quality() else f"{name}, quality {quality.name}"

    def encode(self, image: RGBImage, *, copy: bool = True) -> EncodedImage:
        """Bring an image to the device.

        Args:
            image: H×W×3 uint8 RGB, EXIF orientation already applied.
            copy: Whether to copy it on the host. Without a copy, the caller gives it away: what
                changes in it later changes the encoded image.

        Raises:
            ValueError: Another shape or type.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"expected H×W×3 uint8, got {image.shape} {image.dtype}")
        image = np.array(image, order="C") if copy else np.ascontiguousarray(image)
        height, width, _ = image.shape
        digest = hashlib.sha256(f"{height}x{width}|".encode())
        digest.update(image.data)
        pixels = upload(image, self.runtime.device).permute(2, 0, 1)[None]
        size = Size(height, width)
        policy = self.policy
        overview = policy.sampling.view(pixels, Box.whole(size), policy.network_size(size))
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
            image: From :meth:`encode`.
            clicks: Image pixels, in the order in which they were made; at least one, unless
                ``start`` is an outline.
            store: Where states of prefixes are looked up and left.
            start: What the object starts from: an outline or a mask; None for clicks alone.

        Raises:
            PromptError: No clicks, or a click or start that does not lie on the image.
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
        """:meth:`predict` for callers that run the network themselves, perhaps for several at once.

        The generator yields inputs for this predictor's runtime and is sent its outputs. ``store``
        is not asked before the first ``next``. Any thread may take the next step.

        Raises:
            PromptError: At once, not at the first ``next``; see :meth:`predict`.
        """
        start = NOTHING if start is None else start
        if not clicks and not start.opens:
            raise PromptError("no clicks", hint="send at least one positive click")
        check_clicks(clicks, image.size)
        start.check(image.size)
        return self._predicting(image, clicks, store, start)

    @torch.inference_mode()  # PyTorch leaves it at each yield and enters it again at each send
    def _predicting(
        self,
        image: EncodedImage,
        clicks: Sequence[Click],
        store: StateStore | None,
        start: Start,
    ) -> Steps[Prediction]:
        keys = self.prefixes(image, clicks, start)
        state, count, steps = yield from self._resume(image, start, keys, store)
        patch: Patch | None = None
        for key, click in zip(keys[count + 1 :], clicks[count:], strict=True):
            state, patch, runs = yield from self._stepper.step(image, state, click)
            steps += runs
            if store is not None:
                store.put(key, state)
        mask = (patch or self._stepper.patch(image, state)).mask
        score = 0.0 if mask.empty else self._score(state)
        return Prediction(mask, score, steps, state)

    def prefixes(
        self, image: EncodedImage, clicks: Sequence[Click], start: Start | None = None
    ) -> list[bytes]:
        """The keys under which a store keeps the states of a click sequence.

        Returns:
            ``len(clicks) + 1`` digests of 32 bytes; entry k stands for ``clicks[:k]``.
        """
        start = NOTHING if start is None else start
        decides = f"{self.calibration}|" if self.policy.looks_closer(image.size) else ""
        return prefix_digests(f"{self._identity}|{decides}{image.digest}|{start.digest}", clicks)

    def start(self, image: EncodedImage, start: Start | None = None) -> State:
        """The state before any click; a start that opens runs the network for it."""
        start = NOTHING if start is None else start
        state, _ = drive(self._stepper.start(image, start), self.runtime.run)
        return state

    def step(self, image: EncodedImage, state: State, click: Click) -> tuple[State, Tensor]:
        """One click's network runs.

        Args:
            image: From :meth:`encode`.
            state: State after the clicks so far.
            click: The next one, on the image.

        Returns:
            The state after it, and the mask probability: H×W float32 at the image's size.
        """
        state, patch, _ = drive(self._stepper.step(image, state, click), self.runtime.run)
        return state, patch.whole()

    def probability(self, image: EncodedImage, state: State) -> Tensor:
        """The mask probability of a state at the image's size: H×W float32 on the device.

        For an object that started from a mask: 1 inside and 0 outside.
        """
        return self._stepper.patch(image, state).whole()

    def _resume(
        self,
        image: EncodedImage,
        start: Start,
        keys: Sequence[bytes],
        store: StateStore | None,
    ) -> Steps[tuple[State, int, int]]:
        """The state of the longest prefix in the store, that prefix's length, and steps taken."""
        if store is not None:
            for count in range(len(keys) - 1, -1 if start.opens else 0, -1):
                state = store.get(keys[count])
                if state is not None:
                    return state, count, 0
        state, steps = yield from self._stepper.start(image, start)
        if store is not None and start.opens:
            store.put(keys[0], state)
        return state, 0, steps

    def _score(self, state: State) -> float:
        if state.mask_box is None:
            return 0.0
        return self.calibration(state.probability[0, 0].cpu().numpy(), len(state.clicks))


def load_predictor(
    model: str = DEFAULT_MODEL,
    *,
    folder: Path | None = None,
    device: str = "auto",
    policy: ZoomPolicy | None = None,
    cleanup: Cleanup | None = None,
    quality: Quality | None = None,
    runtime: str = "torch",
    exports: Path | None = None,
) -> Predictor:
    """Load a model by name or path.

    Args:
        model: See :func:`edgeflow.checkpoints.checkpoint.find`.
        folder: Folder of converted and downloaded models.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        policy: One of :data:`edgeflow.inference.zoom.POLICIES`; ``edgeflow`` by default.
        cleanup: What is cleaned of each mask; specks and pinholes by default.
        quality: One of :data:`edgeflow.inference.quality.QUALITIES`; ``fast`` by default.
        runtime: One of :data:`edgeflow.runtime.selection.RUNTIME_NAMES`; PyTorch by default, which
            gives the same masks on every processor.
        exports: Folder of exported graphs; ``~/.cache/edgeflow/exports`` by default.

    Raises:
        CheckpointError: The weights cannot be used.
        DeviceError: The device does not exist.
        RuntimeUnavailableError: There is no runtime of that name.
    """
    checkpoint = find(model, folder)
    policy = policy or ZoomPolicy()
    started = start_runtime(
        runtime,
        checkpoint,
        device=device,
        side_multiple=policy.side_multiple,
        exports=exports,
    )
    return Predictor(
        started,
        version=checkpoint.version,
        policy=policy,
        cleanup=cleanup,
        calibration=checkpoint.entry.calibration,
        quality=quality,
        encoder=Encoder(checkpoint, started),
    )
