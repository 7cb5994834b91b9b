from __future__ import annotations

import pytest
import torch
from torch import Tensor

from edgeflow.runtime.agreement import Agreement, Probe, probe_input
from edgeflow.runtime.base import StepOutput
from tests.unit.edgeflow.samples import FakeRuntime


def maps(*values: float) -> Tensor:
    return torch.tensor(values).view(1, 1, 1, -1)


def test_agreement_is_iou_and_the_largest_logit_difference() -> None:
    ours = StepOutput(maps(0.9, 0.6, 0.2, 0.1), maps(0.5, 0.5, 0.5, 0.5))
    theirs = StepOutput(maps(0.9, 0.4, 0.2, 0.1), maps(0.5, 0.5, 0.5, 0.75))
    agreement = Agreement.between(ours, theirs)
    assert agreement.iou == 0.5  # one pixel of two
    assert agreement.logit_difference == pytest.approx(torch.tensor(3.0).log().item())
    assert "IoU 0.5000" in str(agreement)


def test_two_empty_masks_agree() -> None:
    nothing = StepOutput(maps(0.1, 0.2), maps(0.1, 0.2))
    assert Agreement.between(nothing, nothing) == Agreement(1.0, 0.0)


def test_probabilities_beyond_the_logit_limit_agree() -> None:
    ours, theirs = StepOutput(maps(1.0), maps(0.0)), StepOutput(maps(0.9995), maps(1e-5))
    assert Agreement.between(ours, theirs).logit_difference < 0.01


def test_nan_never_agrees() -> None:
    broken = StepOutput(maps(float("nan")), maps(0.5))
    assert Agreement.between(broken, broken).logit_difference == float("inf")


def test_the_probe_is_what_the_reference_made_of_the_input() -> None:
    runtime = FakeRuntime(mask=0.8, edge=0.3)
    probe = Probe.of(runtime)
    assert torch.equal(runtime.images[0], probe_input()[0])
    assert float(probe.mask.mean()) == pytest.approx(0.8)
    assert Agreement.of(runtime, probe) == Agreement(1.0, 0.0)
    assert Agreement.of(FakeRuntime(mask=0.2, edge=0.3), probe).iou == 0.0


def test_the_probe_input_is_an_image_with_a_click_and_the_same_each_time() -> None:
    image, prompt = probe_input()
    assert image.shape == prompt.shape == (1, 3, 96, 128)
    assert 0 <= float(image.min()) < float(image.max()) <= 1
    assert set(prompt[:, 1].flatten().tolist()) == {0.0, 1.0}
    assert all(torch.equal(a, b) for a, b in zip(probe_input(), (image, prompt), strict=True))
