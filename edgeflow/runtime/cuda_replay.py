"""Network steps that are recorded once for each shape and then replayed.

A small network on a GPU spends its time waiting for Python to launch several hundred kernels; a
recording (a CUDA graph) launches them all at once. Shapes are few: sides are multiples of 32, and
batches are padded to powers of two.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Step = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""A network step: N×3×h×w image and prompt to two N×1×h×w maps."""

RUNS_BEFORE = 2
"""Runs of a shape before it is recorded: some shapes never occur again."""

MAX_SHAPES = 96
"""Limit of remembered shapes; the least recently used one is forgotten."""

_log = logging.getLogger(__name__)


class Recorder(Protocol):
    """Records the work that a call gives to a device."""

    def record(
        self, step: Callable[[], tuple[Tensor, Tensor]], /
    ) -> tuple[tuple[Tensor, Tensor], Callable[[], object]]:
        """Record one call.

        Returns:
            The tensors that hold the results after each replay, and the function that replays.

        Raises:
            RuntimeError: The device cannot record the call.
        """
        ...


@dataclass(frozen=True)
class _Recording:
    image: Tensor
    prompt: Tensor
    outputs: tuple[Tensor, Tensor]
    replay: Callable[[], object]


@dataclass
class _Shape:
    runs: int = 0
    recording: _Recording | None = None


class Replayed:
    """A network that replays recorded shapes. Thread-safe: one step at a time.

    Args:
        step: Step that does the same work for the same shape, whatever the values, and never waits
            for the device.
        recorder: Recorder of the device.
    """

    def __init__(self, step: Step, recorder: Recorder) -> None:
        self._step = step
        self._recorder: Recorder | None = recorder
        self._shapes: OrderedDict[tuple[int, ...], _Shape] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, image: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor]:
        """One step on N×3×h×w inputs; later steps do not overwrite the results."""
        with self._lock:
            recording = self._recording_for(image)
            if recording is None:
                return self._step(image, prompt)
            count = len(image)
            recording.image[:count].copy_(image)
            recording.prompt[:count].copy_(prompt)
            recording.replay()
            mask, feedback = recording.outputs
            copy = mask[:count].clone()
            return copy, copy if feedback is mask else feedback[:count].clone()

    def _recording_for(self, image: Tensor) -> _Recording | None:
        """The recording of a shape; None as long as the step itself should run."""
        if self._recorder is None:
            return None
        key = (padded(len(image)), *image.shape[1:])
        shape = self._shapes.setdefault(key, _Shape())
        self._shapes.move_to_end(key)
        if len(self._shapes) > MAX_SHAPES:
            self._shapes.popitem(last=False)
        if shape.recording is None:
            shape.runs += 1
            if shape.runs > RUNS_BEFORE:
                shape.recording = self._record(self._recorder, key, image)
        return shape.recording

    def _record(self, recorder: Recorder, key: tuple[int, ...], like: Tensor) -> _Recording | None:
        image, prompt = (
            like.new_zeros(key).contiguous(memory_format=torch.channels_last) for _ in range(2)
        )
        try:
            outputs, replay = recorder.record(lambda: self._step(image, prompt))
        except RuntimeError as error:
            _log.warning(
                "the network's steps cannot be recorded (%s): kernels are launched one by one, "
                "which is slower and gives the same masks",
                error,
            )
            self._recorder = None
            self._shapes.clear()
            return None
        return _Recording(image, prompt, outputs, replay)


def padded(count: int) -> int:
    """The smallest power of two that is at least ``count``."""
    return 1 << (count - 1).bit_length()
