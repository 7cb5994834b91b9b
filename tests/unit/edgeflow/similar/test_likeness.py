"""How much an object resembles examples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeflow.similar.descriptor import Descriptor
from edgeflow.similar.likeness import cosine, likeness, nearest

RED, BLUE, GROUND = (np.eye(3, dtype=np.float32)[number] for number in range(3))
EXAMPLE = Descriptor(RED, GROUND, 400.0, 20.0, 20.0)


def test_its_own_like_is_sure() -> None:
    measured = likeness(EXAMPLE, 0.97, 0.9, EXAMPLE)
    assert measured.inside == pytest.approx(1)
    assert measured.size == 0
    assert measured.contrast == pytest.approx(1)
    assert 0.9 < measured.score < 1


def test_another_kind_is_not() -> None:
    assert likeness(replace(EXAMPLE, inside=BLUE), 0.97, 0.9, EXAMPLE).score < 0.45


@pytest.mark.parametrize("worse", ["inside", "size", "certainty", "firmness"])
def test_each_measure_counts(worse: str) -> None:
    own, certainty, firmness = EXAMPLE, 0.9, 0.6
    best = likeness(own, certainty, firmness, EXAMPLE)
    if worse == "inside":
        own = replace(own, inside=(RED + BLUE) / 2)
    if worse == "size":
        own = replace(own, area=100.0)
    if worse == "certainty":
        certainty = 0.6
    if worse == "firmness":
        firmness = 0.2
    assert likeness(own, certainty, firmness, EXAMPLE).score < best.score


def test_smaller_and_larger_are_equally_far() -> None:
    sizes = (likeness(replace(EXAMPLE, area=a), 0.9, 0.6, EXAMPLE).size for a in (200.0, 800.0))
    assert next(sizes) == pytest.approx(next(sizes)) == pytest.approx(np.log(2))


def test_the_nearest_of_several_examples_counts() -> None:
    blue = replace(EXAMPLE, inside=BLUE)
    assert nearest(blue, 0.9, 0.6, [EXAMPLE, blue]) == likeness(blue, 0.9, 0.6, blue)


def test_a_vector_without_length_is_like_none() -> None:
    assert cosine(np.zeros(3, dtype=np.float32), RED) == 0
