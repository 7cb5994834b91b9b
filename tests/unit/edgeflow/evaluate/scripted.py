"""A predictor that answers what a test tells it to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from edgeflow.data.base import Sample
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage, State
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.masks.cleanup import UNTOUCHED
from edgeflow.prompts.click import Click
from tests.unit.edgeflow.samples import FakeRuntime

Answer = Callable[[Sequence[Click]], npt.NDArray[np.float32]]


class ScriptedPredictor(Predictor):
    """Gives ``answer(clicks)`` as the probability; the network is never run."""

    def __init__(self, answer: Answer) -> None:
        policy = ZoomPolicy(long_side=32)
        super().__init__(FakeRuntime(), version="scripted-0", policy=policy, cleanup=UNTOUCHED)
        self._answer = answer

    def step(self, image: EncodedImage, state: State, click: Click) -> tuple[State, Tensor]:  # noqa: ARG002
        clicks = (*state.clicks, click)
        return replace(state, clicks=clicks), torch.from_numpy(self._answer(clicks))


class Images:
    """Samples as a dataset."""

    def __init__(self, *samples: Sample, name: str = "images") -> None:
        self._samples = samples
        self.name = name
        self.sample_names = tuple(sample.name for sample in samples)

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:
        return self._samples[index]


def sample(name: str, *objects: npt.NDArray[np.bool_], **fields: npt.NDArray[np.bool_]) -> Sample:
    height, width = objects[0].shape
    rgb = np.random.default_rng(len(name)).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Sample(name, rgb, objects, fields.get("ignore"))


def square(height: int, width: int, rows: slice, cols: slice) -> npt.NDArray[np.bool_]:
    mask = np.zeros((height, width), dtype=np.bool_)
    mask[rows, cols] = True
    return mask
