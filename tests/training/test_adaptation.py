"""What a project's objects teach, on drawings of a kind that no photograph prepares for."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from edgeflow.checkpoints.checkpoint import find, load_tensors
from edgeflow.data.base import Sample
from edgeflow.evaluate.summary import Summary, summarise
from edgeflow.evaluate.traces import Rules, click_dataset
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.learning.adaptation.adapt import adapt
from edgeflow.learning.adaptation.options import AdaptationOptions
from edgeflow.masks.cleanup import UNTOUCHED
from edgeflow.nn.interface import ClickNetwork
from edgeflow.runtime.torch_eager import TorchRuntime
from edgeflow.train.validation import HeldOut

SIDE = 128
RULES = Rules(max_clicks=8, stop_at=0.9)


def pills(seed: int) -> Sample:
    """Three pills, half of one colour and half of another, on noise: one half is half an object."""
    rng = np.random.default_rng(seed)
    rgb = rng.integers(60, 110, (SIDE, SIDE, 3), dtype=np.uint8)
    objects = []
    for row, col in ((34, 34), (34, 94), (94, 64)):
        centre = (col + int(rng.integers(-6, 7)), row + int(rng.integers(-6, 7)))
        axes = (int(rng.integers(18, 25)), int(rng.integers(9, 13)))
        angle = float(rng.integers(180))
        for colour, (start, end) in (((210, 50, 60), (-90, 90)), ((40, 70, 220), (90, 270))):
            cv2.ellipse(rgb, centre, axes, angle, start, end, colour, -1)
        mask = np.zeros((SIDE, SIDE), dtype=np.uint8)
        cv2.ellipse(mask, centre, axes, angle, 0, 360, 1, -1)
        objects.append(mask.astype(np.bool_))
    return Sample(f"pills {seed}", rgb, tuple(objects))


def measure(network: ClickNetwork, samples: HeldOut) -> Summary:
    predictor = Predictor(
        TorchRuntime(network.eval(), torch.device("cpu")),
        version="adapted",
        policy=ZoomPolicy(long_side=SIDE, closer=None),
        cleanup=UNTOUCHED,
    )
    return summarise(list(click_dataset(predictor, samples, RULES)), RULES)


@pytest.mark.slow
def test_learning_from_a_dozen_objects_lowers_the_clicks_of_the_next(tmp_path: Path) -> None:
    base = find("edgeflow_lite")
    unseen = HeldOut(tuple(pills(seed) for seed in range(100, 104)))
    options = AdaptationOptions(steps=24, minutes=30, side=SIDE, rate=2e-4, precision="float32")
    adaptation = adapt(base, [pills(seed) for seed in range(4)], options, folder=tmp_path)
    before = measure(base.load(), unseen)
    network = base.load()
    load_tensors(network, adaptation.tensors(1.0), source="adaptation")
    after = measure(network, unseen)
    assert after.noc[85].mean < before.noc[85].mean
    assert after.iou_at[1].mean > before.iou_at[1].mean
