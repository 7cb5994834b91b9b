from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeflow.agreement.staple import staple
from edgeflow.arrays import BoolMask
from edgeflow.geometry import Size
from tests.unit.edgeflow.agreement.drawing import block


def by_the_paper(masks: list[BoolMask]) -> BoolMask:
    """Equations 14, 18 and 19 pixel by pixel, without a logarithm or a pattern of votes."""
    votes = np.stack([mask.ravel() for mask in masks]).astype(np.float64)
    prior = votes.mean()
    p = q = np.full(len(masks), 0.99999)
    weights = votes.mean(axis=0)
    for _ in range(400):
        yes = prior * np.prod(np.where(votes == 1, p[:, None], 1 - p[:, None]), axis=0)
        no = (1 - prior) * np.prod(np.where(votes == 0, q[:, None], 1 - q[:, None]), axis=0)
        weights = yes / (yes + no)
        p = (votes @ weights) / weights.sum()
        q = ((1 - votes) @ (1 - weights)) / (1 - weights).sum()
    inside: BoolMask = (weights > 0.5).reshape(masks[0].shape)
    return inside


def noisy(truth: BoolMask, rates: list[tuple[float, float]], seed: int = 0) -> list[BoolMask]:
    """Masks whose pixels are missed and added with these probabilities."""
    chance = np.random.default_rng(seed)
    return [
        np.where(truth, chance.random(truth.shape) >= miss, chance.random(truth.shape) < add)
        for miss, add in rates
    ]


RATES = [(0.05, 0.02), (0.1, 0.05), (0.2, 0.1), (0.3, 0.02), (0.15, 0.2)]


@pytest.mark.parametrize("count", [3, 4, 5])
def test_it_is_what_the_papers_equations_give(count: int) -> None:
    masks = noisy(block(10, 12, 30, 40, (40, 52)), RATES[:count])  # type: ignore[arg-type]
    assert (staple(masks) == by_the_paper(masks)).all()


def test_one_careful_annotator_outweighs_careless_ones() -> None:
    truth = block(10, 12, 30, 40, Size(40, 52))
    masks = noisy(truth, [(0.001, 0.001), *[(0.35, 0.35)] * 4])
    by_majority = np.sum(masks, axis=0) > 2
    assert (staple(masks) != truth).sum() < 0.15 * (by_majority != truth).sum()


MASKS = hnp.arrays(np.bool_, (3, 4, 5))


@settings(deadline=None)
@given(MASKS)
def test_the_order_of_annotators_does_not_count(stack: BoolMask) -> None:
    first = staple(list(stack))
    for order in ((1, 0, 2), (1, 2, 0)):  # all others are made of these two
        assert (staple([stack[number] for number in order]) == first).all()


@settings(deadline=None)
@given(hnp.arrays(np.bool_, (4, 5)), st.integers(1, 5))
def test_what_all_agree_on_is_the_mask(mask: BoolMask, count: int) -> None:
    assert (staple([mask] * count) == mask).all()


def test_more_annotators_than_an_integer_has_bits() -> None:
    truth = block(10, 12, 30, 40, Size(40, 52))
    masks = noisy(truth, [(0.2, 0.1)] * 130)
    assert (staple(masks) == truth).all()
