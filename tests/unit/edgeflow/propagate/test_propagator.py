"""A moving shape on textured ground, carried by the shipped weights."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgeflow.arrays import BoolMask
from edgeflow.errors import PromptError
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.propagate.options import PropagateOptions
from edgeflow.propagate.pages import PageError
from edgeflow.propagate.propagator import Propagator

PAGES = 5


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return load_predictor()


@pytest.fixture(scope="module")
def truths() -> list[BoolMask]:
    """A disk that moves to the right."""
    masks = []
    for number in range(PAGES):
        drawn = np.zeros((120, 160), dtype=np.uint8)
        cv2.circle(drawn, (45 + 8 * number, 60), 22, 1, -1)
        masks.append(drawn > 0)
    return masks


class Sequence:
    """Encoded pages, some of which cannot be read; counts what is read."""

    def __init__(self, pages: list[EncodedImage], broken: tuple[int, ...] = ()) -> None:
        self.pages, self.broken, self.read = pages, broken, list[int]()

    def __len__(self) -> int:
        return len(self.pages)

    def __getitem__(self, index: int) -> EncodedImage:
        self.read.append(index)
        if index in self.broken:
            raise PageError(f"page {index + 1} is broken", hint="leave it out")
        return self.pages[index]


@pytest.fixture(scope="module")
def encoded(predictor: Predictor, truths: list[BoolMask]) -> list[EncodedImage]:
    rng = np.random.default_rng(3)
    ground, inside = (
        cv2.resize(rng.integers(low, high, (30, 40, 3), dtype=np.uint8), (160, 120))
        for low, high in ((20, 110), (140, 250))
    )
    return [
        predictor.encode(
            np.where(mask[..., None], np.roll(inside, 8 * number, axis=1), ground).astype(np.uint8)
        )
        for number, mask in enumerate(truths)
    ]


def iou(one: BoolMask, other: BoolMask) -> float:
    return float(np.count_nonzero(one & other) / np.count_nonzero(one | other))


def test_an_object_is_carried_both_ways_nearest_pages_first(
    predictor: Predictor, encoded: list[EncodedImage], truths: list[BoolMask]
) -> None:
    found = list(Propagator(predictor).propagate(encoded, {2: truths[2]}))
    assert [each.index for each in found] == [3, 1, 4, 0]
    for each in found:
        assert iou(each.mask, truths[each.index]) > 0.85
        assert 0.5 <= each.score <= 1


def test_known_pages_are_barriers_and_never_answered(
    predictor: Predictor, encoded: list[EncodedImage], truths: list[BoolMask]
) -> None:
    known = {0: truths[0], 3: np.zeros_like(truths[3])}
    found = list(Propagator(predictor).propagate(encoded, known))
    assert [each.index for each in found] == [1, 2]


def test_a_correction_carries_on_from_its_page_only(
    predictor: Predictor, encoded: list[EncodedImage], truths: list[BoolMask]
) -> None:
    known = {0: truths[0], 3: truths[3]}
    options = PropagateOptions(backward=False)
    found = list(Propagator(predictor).propagate(encoded, known, [3], options))
    assert [each.index for each in found] == [4]


def test_an_unreadable_page_ends_its_direction_alone(
    predictor: Predictor, encoded: list[EncodedImage], truths: list[BoolMask]
) -> None:
    pages = Sequence(encoded, broken=(1,))
    found = list(Propagator(predictor).propagate(pages, {2: truths[2]}))
    assert [each.index for each in found] == [3, 4]
    assert 0 not in pages.read


@pytest.mark.parametrize(
    "options", [PropagateOptions(most_pages=1), PropagateOptions(backward=False, most_pages=1)]
)
def test_no_more_pages_are_looked_at_than_asked_for(
    predictor: Predictor,
    encoded: list[EncodedImage],
    truths: list[BoolMask],
    options: PropagateOptions,
) -> None:
    pages = Sequence(encoded)
    found = list(Propagator(predictor).propagate(pages, {2: truths[2]}, options=options))
    assert [each.index for each in found] == [3]
    assert pages.read == [2, 3]


def test_time_that_is_up_ends_it(
    predictor: Predictor, encoded: list[EncodedImage], truths: list[BoolMask]
) -> None:
    options = PropagateOptions(seconds=0)
    assert list(Propagator(predictor).propagate(encoded, {2: truths[2]}, options=options)) == []


def test_a_score_below_the_least_one_ends_it(
    predictor: Predictor, encoded: list[EncodedImage], truths: list[BoolMask]
) -> None:
    options = PropagateOptions(least_score=1.01)
    assert list(Propagator(predictor).propagate(encoded, {2: truths[2]}, options=options)) == []


@pytest.mark.parametrize(
    ("known", "starts", "reason"),
    [
        ({}, None, "no page to start from"),
        ({1: np.zeros((120, 160), dtype=np.bool_)}, None, "no page to start from"),
        ({1: np.ones((120, 160), dtype=np.bool_)}, [2], "nothing is marked on page 3"),
        ({9: np.ones((120, 160), dtype=np.bool_)}, None, "mask of page 10, but there are 5"),
    ],
)
def test_what_cannot_start_is_refused_at_once(
    predictor: Predictor,
    encoded: list[EncodedImage],
    known: dict[int, BoolMask],
    starts: list[int] | None,
    reason: str,
) -> None:
    with pytest.raises(PromptError, match=reason):
        Propagator(predictor).propagate(encoded, known, starts)


def test_a_mask_of_another_size_is_refused(
    predictor: Predictor, encoded: list[EncodedImage]
) -> None:
    with pytest.raises(PromptError, match="the mask of page 1 is 10×10"):
        list(Propagator(predictor).propagate(encoded, {0: np.ones((10, 10), dtype=np.bool_)}))
