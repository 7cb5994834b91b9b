from __future__ import annotations

import numpy as np
import pytest

from edgeflow.arrays import FloatArray
from edgeflow.learning.order.clusters import MOST, clusters


def images(count: int, kind: int, seed: int = 0) -> list[FloatArray]:
    """Summaries of images of one kind, which lie near each other and far from other kinds."""
    centre = np.random.default_rng(kind).normal(0, 10, 16)
    rng = np.random.default_rng((seed, kind))
    return list((centre + rng.normal(0, 0.5, (count, 16))).astype(np.float32))


def test_images_of_a_kind_are_together_and_the_most_frequent_kind_is_the_first() -> None:
    found = clusters([*images(5, 0), *images(9, 1), *images(4, 2)])
    assert len({*found[:5]}) == len({*found[14:]}) == 1
    assert 0 in found[5:14]
    assert not {*found[:5]} & {*found[5:14]}
    assert not {*found[14:]} & {*found[:14]}


def test_each_call_parts_them_alike() -> None:
    summaries = [*images(20, 0), *images(20, 3)]
    assert clusters(summaries) == clusters(summaries)


@pytest.mark.parametrize(("count", "kinds"), [(0, 0), (1, 1), (2, 1), (8, 2), (1000, MOST)])
def test_there_are_as_many_kinds_as_their_number_bears(count: int, kinds: int) -> None:
    rng = np.random.default_rng(0)
    found = clusters(list(rng.normal(size=(count, 6)).astype(np.float32)))
    assert (len(found), len({*found})) == (count, kinds)


def test_images_that_do_not_differ_are_of_one_kind() -> None:
    assert {*clusters([np.ones(4, dtype=np.float32)] * 50)} == {0}
