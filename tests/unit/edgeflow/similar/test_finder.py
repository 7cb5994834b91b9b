"""Searches: with a network that sees colours, and with the shipped one on coins."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeflow.errors import PromptError
from edgeflow.geometry import ImagePoint
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.inference.runs import drive
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.masks.patch import MaskPatch
from edgeflow.nn.interface import NoFeaturesError
from edgeflow.prompts.click import Click
from edgeflow.similar.features import ImageFeatures
from edgeflow.similar.finder import SimilarFinder
from edgeflow.similar.found import Found, SimilarOptions
from tests.unit.edgeflow.similar.painted import (
    BLUE,
    PINK,
    RED,
    ColourRuntime,
    Square,
    colour_finder,
    painted,
    patch_of,
)

COINS = Path(__file__).parents[4] / "demo" / "photos" / "coins.jpg"
COIN = ImagePoint(101, 197)
OTHER_COINS = (
    (45, 54), (101, 56), (155, 51), (215, 51), (275, 53), (335, 45),
    (45, 124), (103, 126), (154, 127), (206, 125), (271, 119), (337, 125),
    (44, 197), (155, 197), (213, 193), (273, 194), (347, 187),
    (46, 261), (114, 266), (172, 262), (245, 264), (302, 264), (358, 268),
)  # fmt: skip

EXAMPLE: Square = (32, 32, 32)
REDS: list[Square] = [(32, 128, 32), (160, 64, 32), (176, 240, 32)]
BLUES: list[Square] = [(96, 240, 32), (104, 144, 32)]
PATIENT = SimilarOptions(seconds=600)


def scene() -> np.ndarray:
    return painted([*((s, RED) for s in (EXAMPLE, *REDS)), *((s, BLUE) for s in BLUES)])


def squares(found: Found, wanted: list[Square]) -> list[Square]:
    """Those of the wanted squares that were found, best first; all that was found must be such."""
    answer = []
    for candidate in found.candidates:
        ious = [candidate.mask.iou(patch_of(square)) for square in wanted]
        assert max(ious) > 0.85
        answer.append(wanted[int(np.argmax(ious))])
    return answer


def test_all_others_of_the_examples_colour_are_found_and_nothing_else() -> None:
    finder, runtime, _ = colour_finder()
    image = finder.predictor.encode(scene())
    found = finder.find(image, [patch_of(EXAMPLE)], options=PATIENT)
    assert sorted(squares(found, REDS)) == sorted(REDS)
    assert found.complete
    assert found.steps == runtime.runs
    assert found.seconds > 0
    scores = [candidate.score for candidate in found.candidates]
    assert scores == sorted(scores, reverse=True)
    assert all(0.45 <= score <= 1 for score in scores)
    assert all(candidate.similarity > 0.95 for candidate in found.candidates)


def test_each_candidates_click_lies_on_it() -> None:
    finder, _, _ = colour_finder()
    image = finder.predictor.encode(scene())
    for candidate in finder.find(image, [patch_of(EXAMPLE)], options=PATIENT).candidates:
        point = candidate.click.point
        assert candidate.click.positive
        assert candidate.mask.whole()[round(point.y), round(point.x)]


def test_the_same_question_has_the_same_answer() -> None:
    finder, _, _ = colour_finder()
    image = finder.predictor.encode(scene())
    one, other = (finder.find(image, [patch_of(EXAMPLE)], options=PATIENT) for _ in range(2))
    assert [c.mask.digest for c in one.candidates] == [c.mask.digest for c in other.candidates]
    assert [c.score for c in one.candidates] == [c.score for c in other.candidates]


def test_several_examples_are_several_kinds() -> None:
    finder, _, _ = colour_finder()
    image = finder.predictor.encode(scene())
    found = finder.find(image, [patch_of(EXAMPLE), patch_of(BLUES[0])], options=PATIENT)
    assert sorted(squares(found, [*REDS, BLUES[1]])) == sorted([*REDS, BLUES[1]])


def test_masks_that_exist_are_not_suggested_again() -> None:
    finder, _, _ = colour_finder()
    image = finder.predictor.encode(scene())
    found = finder.find(image, [patch_of(EXAMPLE)], taken=[patch_of(REDS[0])], options=PATIENT)
    assert sorted(squares(found, REDS[1:])) == sorted(REDS[1:])


def test_an_empty_mask_takes_no_room() -> None:
    finder, _, _ = colour_finder()
    image = finder.predictor.encode(scene())
    nothing = MaskPatch.of(np.zeros(tuple(image.size), dtype=np.bool_))
    found = finder.find(image, [patch_of(EXAMPLE)], taken=[nothing], options=PATIENT)
    assert len(found.candidates) == len(REDS)


def test_what_resembles_a_counter_example_more_stays_away() -> None:
    finder, _, _ = colour_finder()
    pinks: list[Square] = [(96, 64, 32), (96, 240, 32)]
    image = finder.predictor.encode(
        painted([*((s, RED) for s in (EXAMPLE, *REDS)), *((s, PINK) for s in pinks)])
    )
    without = finder.find(image, [patch_of(EXAMPLE)], options=PATIENT)
    assert sorted(squares(without, [*REDS, *pinks])) == sorted([*REDS, *pinks])
    found = finder.find(
        image, [patch_of(EXAMPLE)], counter_examples=[patch_of(pinks[0])], options=PATIENT
    )
    assert sorted(squares(found, REDS)) == sorted(REDS)


def test_smaller_objects_are_found() -> None:
    finder, _, _ = colour_finder()
    small: list[Square] = [(168, 72, 22), (40, 160, 22)]
    image = finder.predictor.encode(painted([(s, RED) for s in (EXAMPLE, *small)]))
    found = finder.find(image, [patch_of(EXAMPLE)], options=PATIENT)
    assert sorted(squares(found, small)) == sorted(small)


def test_an_object_larger_than_the_window_is_found_whole() -> None:
    finder, _, _ = colour_finder()
    large: Square = (100, 100, 80)
    image = finder.predictor.encode(painted([(EXAMPLE, RED), (large, RED)]))
    found = finder.find(image, [patch_of(EXAMPLE)], options=PATIENT)
    assert squares(found, [large]) == [large]


def test_what_has_no_end_is_not_found() -> None:
    finder, _, _ = colour_finder()
    endless = np.array(painted([(EXAMPLE, RED)]))
    endless[100:, :] = RED
    image = finder.predictor.encode(endless)
    assert finder.find(image, [patch_of(EXAMPLE)], options=PATIENT).candidates == ()


def test_an_object_alone_has_no_like() -> None:
    finder, _, _ = colour_finder()
    image = finder.predictor.encode(painted([(EXAMPLE, RED)]))
    found = finder.find(image, [patch_of(EXAMPLE)], options=PATIENT)
    assert found.candidates == ()
    assert found.complete


def test_an_example_may_come_from_another_image() -> None:
    finder, _, _ = colour_finder()
    one, other = (
        finder.predictor.encode(painted([(s, RED) for s in shown])) for shown in ([EXAMPLE], REDS)
    )
    descriptor = finder.describe(one, patch_of(EXAMPLE))
    found = finder.find(other, [], descriptors=[descriptor], options=PATIENT)
    assert sorted(squares(found, REDS)) == sorted(REDS)


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (dataclasses.replace(PATIENT, limit=2), 2),
        (dataclasses.replace(PATIENT, steps=1), 1),
        (dataclasses.replace(PATIENT, seconds=0.0), 0),
    ],
    ids=["limit", "steps", "seconds"],
)
def test_an_answer_that_was_cut_short_says_so(options: SimilarOptions, count: int) -> None:
    finder, _, _ = colour_finder()
    image = finder.predictor.encode(scene())
    found = finder.find(image, [patch_of(EXAMPLE)], options=options)
    assert not found.complete
    assert len(found.candidates) == count
    rest = finder.find(
        image,
        [patch_of(EXAMPLE)],
        taken=[candidate.mask for candidate in found.candidates],
        options=PATIENT,
    )
    both = squares(found, REDS) + squares(rest, REDS)
    assert sorted(both) == sorted(REDS)
    assert rest.complete


def test_the_network_may_be_run_by_someone_else() -> None:
    finder, runtime, _ = colour_finder()
    image = finder.predictor.encode(scene())
    steps = finder.finding(image, [patch_of(EXAMPLE)], options=PATIENT)
    step = next(steps)
    while True:
        assert step.image.shape == step.prompt.shape
        assert not {side % 32 for side in step.image.shape[2:]} - {0}
        try:
            step = steps.send(runtime.run(step.image, step.prompt))
        except StopIteration as done:
            found = done.value
            break
    assert sorted(squares(found, REDS)) == sorted(REDS)


def test_features_are_kept_where_there_is_a_store() -> None:
    plain, _, encoder = colour_finder()
    kept: dict[str, ImageFeatures] = {}

    class Store:
        get = staticmethod(kept.get)
        put = staticmethod(kept.__setitem__)

    finder = SimilarFinder(plain.predictor, Store())
    image = finder.predictor.encode(scene())
    for _ in range(2):
        finder.find(image, [patch_of(EXAMPLE)], options=PATIENT)
    finder.describe(image, patch_of(EXAMPLE))
    assert encoder.calls == 1
    ((key, features),) = kept.items()
    assert image.digest in key
    assert finder.predictor.version in key
    assert features.nbytes == features.values.nbytes > 0
    other = finder.predictor.encode(painted([(EXAMPLE, RED)]))
    finder.find(other, [patch_of(EXAMPLE)], options=PATIENT)
    assert encoder.calls == len(kept) == 2


def test_a_search_does_not_compute_the_features_that_it_is_given() -> None:
    finder, runtime, encoder = colour_finder()
    image = finder.predictor.encode(scene())
    features = finder.look(image, [patch_of(EXAMPLE)])
    assert encoder.calls == 1
    steps = finder.finding(image, [patch_of(EXAMPLE)], options=PATIENT, features=features)
    found = drive(steps, runtime.run)
    assert sorted(squares(found, REDS)) == sorted(REDS)
    assert encoder.calls == 1


def test_unusable_examples_are_refused_before_the_first_step() -> None:
    finder, runtime, encoder = colour_finder()
    image = finder.predictor.encode(scene())
    empty = MaskPatch.of(np.zeros(tuple(image.size), dtype=np.bool_))
    foreign = MaskPatch.of(np.ones((5, 5), dtype=np.bool_))
    with pytest.raises(PromptError, match="no example"):
        finder.finding(image, [])
    for bad in (empty, foreign):
        for ask in (finder.finding, finder.look):
            with pytest.raises(PromptError, match="an example is"):
                ask(image, [bad])
        with pytest.raises(PromptError, match="an example is"):
            finder.finding(image, [patch_of(EXAMPLE)], counter_examples=[bad])
        with pytest.raises(PromptError, match="an example is"):
            finder.describe(image, bad)
    assert runtime.runs == encoder.calls == 0


def test_a_predictor_without_an_encoder_says_so() -> None:
    predictor = Predictor(ColourRuntime(), version="v", policy=ZoomPolicy())
    image = predictor.encode(scene())
    with pytest.raises(NoFeaturesError) as caught:
        SimilarFinder(predictor).find(image, [patch_of(EXAMPLE)])
    assert "load_predictor" in caught.value.hint


def test_one_coin_finds_all_the_others() -> None:
    predictor = load_predictor(device="cpu")
    bgr = cv2.imread(str(COINS))
    assert bgr is not None
    image = predictor.encode(np.ascontiguousarray(bgr[:, :, ::-1]))
    example = predictor.predict(image, [Click(COIN)]).patch
    found = SimilarFinder(predictor).find(image, [example], options=PATIENT)
    masks = [candidate.mask.whole() for candidate in found.candidates]
    on = [[mask[y, x] for mask in masks] for x, y in OTHER_COINS]
    assert [sum(each) for each in on] == [1] * len(OTHER_COINS)
    assert len(masks) == len(OTHER_COINS)
    areas = np.array([mask.sum() for mask in masks])
    boxes = np.array([candidate.mask.box.area for candidate in found.candidates])
    # A disk fills π/4 of its box.
    np.testing.assert_allclose(areas / boxes, np.pi / 4, atol=0.06)
    assert found.complete
    assert found.steps < 40
