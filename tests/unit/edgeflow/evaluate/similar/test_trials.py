from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from edgeflow.data.base import Sample
from edgeflow.data.left_out import LeftOut
from edgeflow.evaluate.similar.matching import Counts
from edgeflow.evaluate.similar.trials import Trial, try_dataset
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.prompts.click import Click
from tests.unit.edgeflow.evaluate.scripted import Images, ScriptedPredictor, sample, square
from tests.unit.edgeflow.evaluate.similar.scripted_finder import (
    ScriptedFinder,
    block,
    conditions,
)
from tests.unit.edgeflow.samples import FakeRuntime

ONE, TWO, THREE, NONE = block(0, 0), block(8, 0), block(8, 10), block(14, 20)
NEARLY_TWO = square(20, 30, slice(8, 11), slice(0, 4))
"""IoU .75."""

PICTURE = sample("x/a", ONE, TWO, THREE)


def tried(
    finder: ScriptedFinder,
    image: Sample = PICTURE,
    asked: Predictor | None = None,
    **what: object,
) -> list[Trial]:
    return list(try_dataset(asked or predictor(), finder, Images(image), conditions(**what)))


def predictor() -> ScriptedPredictor:
    """Each click's answer is the block that was clicked; of the third only after two clicks."""

    def answer(clicks: Sequence[Click]) -> npt.NDArray[np.float32]:
        first = clicks[0].point
        mask = next(each for each in (ONE, TWO, THREE) if each[int(first.y), int(first.x)])
        if mask is THREE and len(clicks) == 1:
            mask = square(20, 30, slice(8, 12), slice(10, 12))
        return mask.astype(np.float32)

    return ScriptedPredictor(answer)


def test_every_example_is_tried_against_the_others() -> None:
    finder = ScriptedFinder(TWO, NONE)
    trials = tried(finder)
    assert sorted(trial.example for trial in trials) == [1, 2, 3]
    assert len(finder.examples) == 3
    by_example = {trial.example: trial for trial in trials}
    first = by_example[1]
    assert first.others == (2, 3)
    assert first.matching.counts(0.5) == Counts(right=1, suggested=2, objects=2)
    assert first.example_iou == 1
    assert (first.steps, first.seconds, first.complete) == (7, 0.5, False)
    # A suggestion that is the example again is wrong.
    assert by_example[2].matching.counts(0.5) == Counts(right=0, suggested=2, objects=2)


def test_the_example_and_the_suggestions_are_kept_by_number() -> None:
    trials = list(
        try_dataset(predictor(), ScriptedFinder(TWO, NONE), Images(PICTURE), conditions())
    )
    numbers = next(trial for trial in trials if trial.example == 1).numbers
    assert [int(numbers[mask].min()) for mask in (ONE, TWO, NONE)] == [1, 2, 3]
    assert np.count_nonzero(numbers) == 3 * 16


def clicked(*suggested: npt.NDArray[np.bool_]) -> Trial:
    trials = tried(ScriptedFinder(*suggested), max_clicks=5)
    return next(trial for trial in trials if trial.example == 1)


def test_objects_are_clicked_for_the_cost() -> None:
    trial = clicked(NEARLY_TWO, NONE)
    assert trial.example_clicked is not None
    assert trial.example_clicked.clicks == 1
    assert [each.clicks for each in trial.others_clicked] == [1, 2]
    assert [each.clicks for each in trial.others_corrected] == [1, 0]
    assert trial.cost(corrected=False).clicked.actions == 1 + 1 + 2
    # The example, the check mark, a removal, two clicks; and one to correct a suggestion.
    assert trial.cost(corrected=False).suggested.actions == 1 + 1 + 1 + 2
    assert trial.cost(corrected=True).suggested.actions == 1 + 1 + 1 + 2 + 1


def test_a_good_suggestion_needs_no_correction() -> None:
    assert [each.clicks for each in clicked(TWO).others_corrected] == [0, 0]


def test_without_clicks_there_is_no_cost() -> None:
    trial = tried(ScriptedFinder())[0]
    with pytest.raises(ValueError, match="not clicked"):
        trial.cost(corrected=False)


def test_an_only_object_is_tried_without_clicks() -> None:
    (trial,) = tried(ScriptedFinder(NONE), sample("alone", ONE), max_clicks=5)
    assert trial.others == ()
    assert trial.matching.counts(0.5) == Counts(right=0, suggested=1, objects=0)
    assert trial.example_clicked is None


def test_what_the_annotation_ignores_is_neither_suggested_nor_to_be_found() -> None:
    image = sample("a", ONE, TWO, THREE, ignore=NONE | THREE)
    trials = list(
        try_dataset(predictor(), ScriptedFinder(THREE, NONE), Images(image), conditions())
    )
    assert sorted(trial.example for trial in trials) == [1, 2]
    assert {trial.matching.counts(0.5) for trial in trials} == {Counts(0, 0, 1)}


def real(mask: float) -> Predictor:
    return Predictor(FakeRuntime(mask=mask), version="v", policy=ZoomPolicy(long_side=32))


def test_the_search_is_given_the_mask_of_one_click() -> None:
    finder = ScriptedFinder()
    trials = tried(finder, asked=real(0.9), example="click")
    assert all(example.whole().all() for example in finder.examples)
    assert trials[0].example_iou == pytest.approx(16 / 600)


def test_where_a_click_finds_nothing_nothing_is_searched() -> None:
    finder = ScriptedFinder(TWO)
    trials = tried(finder, asked=real(0.1), example="click")
    assert not finder.examples
    assert [trial.matching.suggestions for trial in trials] == [()] * 3
    assert {trial.example_iou for trial in trials} == {0}


def test_progress_and_what_is_left_out_are_told() -> None:
    left_out = LeftOut("its code is malformed", "x.json: an annotation of a")
    dataset = Images(replace(PICTURE, left_out=(left_out,)), sample("b", ONE, TWO))
    seen: list[tuple[int, int]] = []
    told: list[LeftOut] = []
    list(
        try_dataset(
            predictor(), ScriptedFinder(), dataset, conditions(),
            lambda done, total: seen.append((done, total)), told.extend,
        )
    )  # fmt: skip
    assert seen == [(1, 2), (2, 2)]
    assert told == [left_out]
