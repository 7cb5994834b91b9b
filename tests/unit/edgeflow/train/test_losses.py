"""Losses against references written in float64 with NumPy, and their gradients by differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from edgeflow.train.losses import (
    balanced_cross_entropy,
    cross_entropy,
    edge_target,
    normalised_focal_loss,
)

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def focal_reference(logits: Array, truth: Mask, valid: Mask, frozen: Array | None = None) -> float:
    """RITM's loss, sample by sample; ``frozen`` logits give the scale, which has no gradient."""
    losses = []
    for index in range(len(logits)):
        keep = valid[index]
        scales = []
        for x in (logits[index], logits[index] if frozen is None else frozen[index]):
            p = sigmoid(x)[keep]
            pt = np.where(truth[index][keep], p, 1 - p)
            scales.append(((1 - pt) ** 2, pt))
        (beta, pt), (frozen_beta, _) = scales
        scale = keep.sum() / frozen_beta.sum()
        losses.append((-0.5 * beta * scale * np.log(pt)).sum() / keep.sum())
    return float(np.mean(losses))


def entropy_reference(logits: Array, target: Array, valid: Mask) -> float:
    losses = []
    for x, y, keep in zip(logits, target, valid, strict=True):
        p = sigmoid(x)[keep]
        losses.append(np.mean(-y[keep] * np.log(p) - (1 - y[keep]) * np.log(1 - p)))
    return float(np.mean(losses))


def balanced_reference(logits: Array, truth: Mask, valid: Mask) -> float:
    losses = []
    for x, y, keep in zip(logits, truth, valid, strict=True):
        p = sigmoid(x)
        edge, rest = -np.log(p[y & keep]), -np.log(1 - p[~y & keep])
        losses.append((edge.mean() + rest.mean()) / 2)
    return float(np.mean(losses))


@pytest.fixture
def case() -> tuple[Array, Mask, Mask]:
    rng = np.random.default_rng(3)
    shape = (3, 1, 6, 7)
    return rng.normal(0, 3, shape), rng.random(shape) < 0.4, rng.random(shape) < 0.8


def tensors(*arrays: npt.NDArray[np.generic]) -> list[Tensor]:
    return [torch.from_numpy(array) for array in arrays]


def test_the_focal_loss_is_that_of_the_paper(case: tuple[Array, Mask, Mask]) -> None:
    loss = normalised_focal_loss(*tensors(*case))
    assert loss.dtype == torch.float32
    assert float(loss) == pytest.approx(focal_reference(*case), rel=1e-5)


def test_cross_entropy_takes_masks_and_probabilities(case: tuple[Array, Mask, Mask]) -> None:
    logits, truth, valid = case
    assert float(cross_entropy(*tensors(*case))) == pytest.approx(
        entropy_reference(logits, truth.astype(np.float64), valid), rel=1e-5
    )
    soft = np.random.default_rng(0).random(truth.shape)
    assert float(cross_entropy(*tensors(logits, soft, valid))) == pytest.approx(
        entropy_reference(logits, soft, valid), rel=1e-5
    )


def test_edges_and_the_rest_weigh_the_same(case: tuple[Array, Mask, Mask]) -> None:
    loss = balanced_cross_entropy(*tensors(*case))
    assert float(loss) == pytest.approx(balanced_reference(*case), rel=1e-5)


@pytest.mark.parametrize(
    ("loss", "reference"),
    [
        (normalised_focal_loss, focal_reference),
        (balanced_cross_entropy, balanced_reference),
        (cross_entropy, lambda x, y, v: entropy_reference(x, y.astype(np.float64), v)),
    ],
)
def test_gradients_are_those_of_the_reference(
    loss: Callable[..., Tensor],
    reference: Callable[..., float],
    case: tuple[Array, Mask, Mask],
) -> None:
    logits, truth, valid = case
    x = torch.from_numpy(logits).requires_grad_()
    torch.autograd.backward(loss(x, *tensors(truth, valid)))
    assert x.grad is not None
    extra = {"frozen": logits} if reference is focal_reference else {}
    for spot in [(0, 0, 0, 0), (1, 0, 3, 2), (2, 0, 5, 6), (0, 0, 2, 4), (2, 0, 1, 1)]:
        step = np.zeros_like(logits)
        step[spot] = 1e-5
        up = reference(logits + step, truth, valid, **extra)
        down = reference(logits - step, truth, valid, **extra)
        assert float(x.grad[spot]) == pytest.approx((up - down) / 2e-5, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("loss", [normalised_focal_loss, cross_entropy, balanced_cross_entropy])
def test_extreme_logits_and_samples_without_valid_pixels_cost_finite_amounts(
    loss: Callable[..., Tensor],
) -> None:
    logits = torch.tensor([-200.0, 200.0, -200.0, 200.0]).view(1, 1, 2, 2).repeat(2, 1, 1, 1)
    logits.requires_grad_()
    truth = torch.tensor([True, False, False, True]).view(1, 1, 2, 2).repeat(2, 1, 1, 1)
    valid = torch.stack((torch.ones(1, 2, 2), torch.zeros(1, 2, 2))).bool()
    value = loss(logits, truth, valid)
    torch.autograd.backward(value)
    assert logits.grad is not None
    assert torch.isfinite(value)
    assert torch.isfinite(logits.grad).all()
    assert (logits.grad[1] == 0).all()


def test_a_perfect_answer_costs_nothing() -> None:
    truth = torch.rand(1, 1, 8, 8) < 0.5
    logits = torch.where(truth, 30.0, -30.0)
    everywhere = torch.ones_like(truth)
    for loss in (normalised_focal_loss, cross_entropy, balanced_cross_entropy):
        assert float(loss(logits, truth, everywhere)) < 1e-6


def test_the_edge_target_is_a_band_around_the_outermost_pixels() -> None:
    truth = torch.zeros(1, 1, 20, 20, dtype=torch.bool)
    truth[..., 6:14, 6:14] = True
    band = edge_target(truth, 5)
    assert band[0, 0, 10].int().tolist() == [0] * 4 + [1] * 5 + [0] * 2 + [1] * 5 + [0] * 4
    assert edge_target(truth, 1)[0, 0, 10].int().tolist() == [0] * 6 + [1] + [0] * 6 + [1] + [0] * 6


def test_where_an_object_is_cut_off_by_the_view_there_is_no_edge() -> None:
    truth = torch.zeros(1, 1, 20, 20, dtype=torch.bool)
    truth[..., :, :10] = True
    band = edge_target(truth, 5)
    assert not band[..., :7].any()
    assert band[..., 7:12].all()
    assert not edge_target(torch.ones_like(truth), 5).any()
