"""What an object looks like, and that as text."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edgeflow.errors import PromptError
from edgeflow.similar.descriptor import Descriptor, describe
from tests.unit.edgeflow.similar.scenes import GROUND, RED, patch, scene


@pytest.fixture
def red() -> Descriptor:
    return describe(scene([(40, 80)]), patch(40, 80))


def test_it_holds_what_is_inside_and_around_and_the_size(red: Descriptor) -> None:
    np.testing.assert_allclose(red.inside, RED)
    np.testing.assert_allclose(red.around, GROUND)
    np.testing.assert_allclose(red.contrast, RED - GROUND)
    assert (red.area, red.height, red.width, red.diameter) == (576, 24, 24, 24)


def test_it_survives_being_written(red: Descriptor) -> None:
    again = Descriptor.from_json(red.to_json())
    np.testing.assert_allclose(again.inside, red.inside, atol=1e-6)
    np.testing.assert_allclose(again.around, red.around, atol=1e-6)
    assert (again.area, again.height, again.width) == (red.area, red.height, red.width)
    assert again.inside.dtype == np.float32


@pytest.mark.parametrize(
    "change",
    [
        {"inside": [1, 2]},
        {"inside": []},
        {"inside": [[1, 0, 0, 0]]},
        {"inside": [1, 0, 0, "x"]},
        {"inside": [1, 0, 0, float("nan")]},
        {"around": [1, 0, 0, float("inf")]},
        {"area": 0},
        {"area": -4},
        {"area": "many"},
        {"height": float("inf")},
        {"width": None},
    ],
    ids=str,
)
def test_what_is_not_a_description_is_refused(red: Descriptor, change: dict[str, object]) -> None:
    with pytest.raises(PromptError, match="not an example's description"):
        Descriptor.from_json(json.dumps({**json.loads(red.to_json()), **change}))


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '"inside"', "{", "[" * 100_000])
def test_neither_is_other_text(text: str) -> None:
    with pytest.raises(PromptError, match="not an example's description"):
        Descriptor.from_json(text)
