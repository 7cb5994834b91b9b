from __future__ import annotations

import numpy as np
import pytest

from edgeflow.learning.gate.paired import sign_flip_test


def test_a_few_pairs_give_the_exact_chance() -> None:
    assert sign_flip_test([1, 2, 0.5, 3, 1]) == pytest.approx(1 / 32)
    assert sign_flip_test([1, 1, 1, 1, -1]) == pytest.approx(6 / 32)
    assert sign_flip_test([-1, -2, -3]) == 1
    assert sign_flip_test([0, 0]) == 1
    assert sign_flip_test([]) == 1


def test_many_pairs_are_drawn_and_agree_with_the_normal_approximation() -> None:
    rng = np.random.default_rng(0)
    saved = list(rng.normal(0.25, 1, 60))
    z = sum(saved) / np.sqrt(sum(each**2 for each in saved))
    expected = float(np.mean(rng.normal(size=200_000) >= z))
    assert sign_flip_test(saved) == pytest.approx(expected, abs=0.01)
    assert sign_flip_test(saved) == sign_flip_test(saved)


def test_without_a_difference_it_passes_no_more_often_than_its_level() -> None:
    rng = np.random.default_rng(1)
    passed = [sign_flip_test(list(rng.normal(0, 1, 10))) <= 0.05 for _ in range(400)]
    assert np.mean(passed) < 0.08
