"""Where an image looks like an example."""

from __future__ import annotations

import pytest

from edgeflow.similar.descriptor import describe
from edgeflow.similar.places import Place, places
from tests.unit.edgeflow.similar.scenes import patch, scene

OTHERS = [(16, 16), (96, 40), (88, 200)]


def corners_of(found: list[Place], corners: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The squares of 24 pixels, by their corners, on which a place lies."""
    return [
        (row, col)
        for row, col in corners
        if any(
            row <= place.point.y < row + 24 and col <= place.point.x < col + 24 for place in found
        )
    ]


def test_every_square_like_the_example_is_a_place() -> None:
    features = scene([(40, 80), *OTHERS])
    found = places(features, [describe(features, patch(40, 80))])
    assert corners_of(found, OTHERS) == OTHERS
    assert {place.length for place in found} == {24}
    assert found[0].response == pytest.approx(1)


def test_no_place_lies_on_the_ground_and_other_colours_come_later() -> None:
    squares = [(40, 80), *OTHERS]
    features = scene([(40, 80)], blue=OTHERS)
    found = places(features, [describe(features, patch(40, 80))])
    assert all(corners_of([place], squares) for place in found)
    for place in found:
        expected = 1 if corners_of([place], [(40, 80)]) else 0.5
        assert place.response == pytest.approx(expected)
    assert found[0].response == pytest.approx(1)


def test_each_of_several_examples_is_looked_for() -> None:
    features = scene([(40, 80), (16, 16)], blue=[(96, 40), (88, 200)])
    kinds = [describe(features, patch(40, 80)), describe(features, patch(96, 40))]
    found = places(features, kinds)
    assert corners_of(found, [(16, 16), (88, 200)]) == [(16, 16), (88, 200)]


def test_what_looks_like_a_counter_example_comes_later() -> None:
    features = scene([(40, 80), (16, 16)], blue=[(96, 40), (88, 200)])
    both = [describe(features, patch(40, 80)), describe(features, patch(96, 40))]
    found = places(features, both, [describe(features, patch(96, 40))])
    for place in found:
        expected = 0.75 if corners_of([place], [(40, 80), (16, 16)]) else 0.5
        assert place.response == pytest.approx(expected)
    assert found[0].response == pytest.approx(0.75)


def test_an_example_that_its_surroundings_look_like_has_no_like() -> None:
    features = scene([])
    assert places(features, [describe(features, patch(40, 80))]) == []
