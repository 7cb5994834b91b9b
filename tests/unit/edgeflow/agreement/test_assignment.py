from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from edgeflow.agreement.assignment import best_assignment

WEIGHTS = st.dictionaries(
    st.tuples(st.integers(0, 7), st.integers(0, 9)),
    st.one_of(st.floats(0.01, 1), st.sampled_from([0.5, 1.0])),
)


@settings(deadline=None)
@given(WEIGHTS)
def test_the_sum_is_the_largest_that_there_is(weights: dict[tuple[int, int], float]) -> None:
    chosen = best_assignment(weights)
    assert set(chosen) <= weights.keys()
    for side in (0, 1):
        assert len({pair[side] for pair in chosen}) == len(chosen)
    matrix = np.zeros((8, 10))
    for pair, weight in weights.items():
        matrix[pair] = weight
    best = matrix[linear_sum_assignment(matrix, maximize=True)].sum()
    assert sum(weights[pair] for pair in chosen) == pytest.approx(best)


@pytest.mark.parametrize("shape", [(60, 60), (40, 90), (90, 40)], ids=str)
def test_many_that_hang_together(shape: tuple[int, int]) -> None:
    matrix = np.random.default_rng(1).random(shape)
    weights = {(row, col): float(matrix[row, col]) for row, col in np.ndindex(*shape)}
    chosen = best_assignment(weights)
    assert len(chosen) == min(shape)
    best = matrix[linear_sum_assignment(matrix, maximize=True)].sum()
    assert sum(weights[pair] for pair in chosen) == pytest.approx(best)


def test_the_sum_counts_and_not_the_best_pair() -> None:
    assert best_assignment({(0, 0): 0.9, (0, 1): 0.8, (1, 0): 0.7}) == [(0, 1), (1, 0)]


def test_nothing_is_assigned_to_nothing() -> None:
    assert best_assignment({}) == []
