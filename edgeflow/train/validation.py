"""Clicks needed on held-out images, counted during training."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch

from edgeflow.data.base import Sample
from edgeflow.evaluate.summary import Summary, summarise
from edgeflow.evaluate.traces import Rules, click_dataset
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.masks.cleanup import UNTOUCHED
from edgeflow.nn.interface import ClickNetwork
from edgeflow.runtime.torch_eager import TorchRuntime

RULES = Rules(stop_at=0.9)


@dataclass(frozen=True)
class HeldOut:
    """Held-out samples in memory; a :class:`edgeflow.data.base.Dataset`."""

    samples: tuple[Sample, ...]
    name: str = "held out"

    @property
    def sample_names(self) -> tuple[str, ...]:
        """Names of the samples, in order."""
        return tuple(sample.name for sample in self.samples)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        return self.samples[index]


def hold(samples: Iterable[Sample], min_area: float) -> HeldOut:
    """Keep one of the large enough objects of each sample, chosen by the sample's name.

    Args:
        samples: Samples; those without such an object are passed over.
        min_area: Share of its image that an object must cover.
    """
    kept = []
    for sample in samples:
        large = [n for n, mask in enumerate(sample.objects) if mask.mean() >= min_area]
        if large:
            digest = hashlib.sha256(sample.name.encode()).digest()
            chosen = large[int.from_bytes(digest[:4], "big") % len(large)]
            one = slice(chosen, chosen + 1)
            kept.append(replace(sample, objects=sample.objects[one], labels=sample.labels[one]))
    return HeldOut(tuple(kept))


def validate(network: ClickNetwork, device: torch.device, data: HeldOut, side: int) -> Summary:
    """Count the clicks that a network needs, in float32.

    Args:
        network: Network; a copy is measured, so it does not change.
        device: Device to run it on.
        data: At least one sample.
        side: Network pixels of the longer side.
    """
    measured = copy.deepcopy(network).eval()
    predictor = Predictor(
        TorchRuntime(measured, device),
        version="in training",
        policy=ZoomPolicy(long_side=side),
        cleanup=UNTOUCHED,
    )
    return summarise(list(click_dataset(predictor, data, RULES)), RULES)
