from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, find
from edgeflow.data.base import Sample
from edgeflow.errors import CheckpointError
from edgeflow.geometry import ImagePoint
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.learning.accepted import PercentClick
from edgeflow.prompts.click import Click
from edgeflow_backend.learning.training.networks import predictor_of, replays
from tests.unit.edgeflow.learning.gate.gated import picture
from tests.unit.edgeflow.learning.learning_samples import accepted

BASE = find(DEFAULT_MODEL)
SAMPLE = picture("task")


@pytest.fixture(scope="module")
def base() -> Predictor:
    return predictor_of(BASE, ZoomPolicy())


def answer(predictor: Predictor, sample: Sample = SAMPLE) -> torch.Tensor:
    image = predictor.encode(sample.rgb)
    click = Click(ImagePoint(16.0, 16.0), positive=True)
    return predictor.step(image, predictor.start(image), click)[1]


def test_other_weights_answer_otherwise_and_as_they_will_be_stored(base: Predictor) -> None:
    tensors = BASE.load().state_dict()
    same = predictor_of(BASE, ZoomPolicy(), tensors)
    assert torch.equal(answer(same), answer(base))
    rounded_away = {
        name: t * (1 + 1e-5) if t.is_floating_point() else t for name, t in tensors.items()
    }
    assert torch.equal(answer(predictor_of(BASE, ZoomPolicy(), rounded_away)), answer(base))
    other = {name: t * 1.1 if t.is_floating_point() else t for name, t in tensors.items()}
    assert not torch.equal(answer(predictor_of(BASE, ZoomPolicy(), other)), answer(base))


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(CheckpointError):
        predictor_of(BASE, ZoomPolicy(), {"something": torch.zeros(1)})


def test_clicks_that_make_a_mask_are_told_from_those_that_do_not(base: Predictor) -> None:
    mask = SAMPLE.objects[0]
    each = accepted(clicks=(PercentClick(25.0, 25.0, True),))
    assert replays(base, SAMPLE, each, mask)
    assert not replays(base, SAMPLE, each, np.roll(mask, 32, axis=1))
    assert not replays(base, SAMPLE, replace(each, start="hand", clicks=()), mask)
