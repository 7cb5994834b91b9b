from __future__ import annotations

from dataclasses import replace

import pytest

from edgeflow.evaluate.similar.cost import Clicked
from edgeflow.evaluate.similar.matching import Matching
from edgeflow.evaluate.similar.summary import by_set, mean, ratio, summarise
from edgeflow.evaluate.similar.trials import Trial
from edgeflow.evaluate.summary import Estimate
from edgeflow.geometry import Size


def trial(
    sample: str, suggestions: tuple[float, ...], objects: tuple[float, ...], example: int = 1
) -> Trial:
    """One whose suggestions and objects are paired in their order, as far as IoUs are not 0."""
    partners = tuple(place if iou else None for place, iou in enumerate(objects))
    return Trial(
        sample=sample,
        label=None,
        example=example,
        others=tuple(range(2, 2 + len(objects))),
        example_iou=0.9,
        matching=Matching(suggestions, objects, partners),
        steps=10,
        seconds=2.0,
        complete=True,
        size=Size(4, 4),
        packed=b"",
    )


def about(value: float) -> object:
    return pytest.approx(value)


HALF = trial("a", (0.8, 0.6), (0.8, 0.6, 0, 0))
"""Recall .5 at precision 1; from .75 on .25 and .5."""

NOTHING = trial("a", (), (0, 0, 0, 0))
WRONG = trial("b", (0,), (0,))


def test_each_image_counts_as_much_whatever_its_trials() -> None:
    several = summarise([HALF, NOTHING, WRONG]).several
    assert several is not None
    assert (several.images, several.trials, several.cut_short) == (2, 3, 0)
    at = several.accuracy[50]
    assert at.recall is not None
    assert at.recall.mean == about((0.25 + 0) / 2)
    assert at.f1 is not None
    assert at.f1.mean == about((2 / 3 / 2 + 0) / 2)
    assert several.objects is not None
    assert several.objects.mean == (4 + 1) / 2


def test_precision_is_of_trials_with_suggestions() -> None:
    several = summarise([HALF, NOTHING, WRONG]).several
    assert several is not None
    assert several.accuracy[50].precision is not None
    assert several.accuracy[50].precision.mean == (1 + 0) / 2
    assert several.accuracy[75].precision is not None
    assert several.accuracy[75].precision.mean == (0.5 + 0) / 2
    none = summarise([NOTHING]).several
    assert none is not None
    assert none.accuracy[50].precision is none.iou is None


def test_all_together_large_images_count_more() -> None:
    several = summarise([HALF, NOTHING, WRONG]).several
    assert several is not None
    at = several.accuracy[50]
    assert at.all_precision is not None
    assert at.all_precision.mean == about(2 / 3)
    assert at.all_recall is not None
    assert at.all_recall.mean == about(2 / 9)


def test_an_iou_is_of_the_right_suggestions_alone() -> None:
    several = summarise([trial("a", (0.8, 0.6, 0.3), (0.8, 0.6, 0.3))]).several
    assert several is not None
    assert several.iou is not None
    assert several.iou.mean == about(0.7)


def test_costs_are_shares_of_each_images_clicks() -> None:
    clicked = replace(
        HALF,
        example_clicked=Clicked(1, 0.5),
        others_clicked=(Clicked(1), Clicked(2), Clicked(2), Clicked(3)),
        others_corrected=(Clicked(0), Clicked(1), Clicked(0), Clicked(0)),
    )
    several = summarise([clicked]).several
    assert several is not None
    savings = several.savings
    assert savings is not None
    assert savings.clicked == Estimate(9, 9, 9)
    assert savings.as_found.actions == Estimate(7, 7, 7)  # example, check mark, 2 and 3 clicks
    assert savings.corrected.actions == Estimate(8, 8, 8)
    assert savings.as_found.share == Estimate(*[about(7 / 9)] * 3)  # type: ignore[arg-type]
    assert savings.as_found.time == Estimate(*[about(9.5 / 9.5)] * 3)  # type: ignore[arg-type]
    without = summarise([HALF]).several
    assert without is not None
    assert without.savings is None


def test_images_with_one_object_are_counted_apart() -> None:
    group = summarise([trial("a", (0, 0), ()), trial("b", (), ()), HALF])
    assert group.alone is not None
    assert (group.alone.images, group.alone.with_any) == (2, 1)
    assert group.alone.false is not None
    assert group.alone.false.mean == 1
    assert group.several is not None
    assert group.several.images == 1
    assert summarise([HALF]).alone is None
    assert summarise([trial("a", (), ())]).several is None


def test_sets_are_told_apart_by_the_names_of_images() -> None:
    groups = by_set([trial("x/1", (1,), (1,)), trial("y/z/1", (), ())])
    assert list(groups) == ["x", "y/z"]
    assert groups["x"].several is not None
    assert groups["y/z"].alone is not None


def test_intervals_are_over_images() -> None:
    assert mean([[1, 0], [None, 0.5]]) == Estimate(0.5, 0.5, 0.5)
    assert mean([[None], []]) is None
    spread = mean([[0], [1]] * 20)
    assert spread is not None
    assert 0.3 < spread.low < spread.mean == 0.5 < spread.high < 0.7
    assert ratio([1, 3], [2, 6]) == Estimate(0.5, 0.5, 0.5)
    assert ratio([0, 0], [0, 0]) is None
    half_empty = ratio([0, 1], [0, 2])
    assert half_empty == Estimate(0.5, 0.5, 0.5)
