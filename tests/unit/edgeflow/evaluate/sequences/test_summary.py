from __future__ import annotations

import pytest

from edgeflow.evaluate.sequences.stack import Stack
from edgeflow.evaluate.sequences.summary import by_set, summarise
from edgeflow.evaluate.sequences.trials import CarriedPage, SequenceTrial


def trial(
    name: str, ious: list[float], scores: list[float], stack: Stack | None = None
) -> SequenceTrial:
    pages = [CarriedPage(i, s, 0.05, b"") for i, s in zip(ious, scores, strict=True)]
    return SequenceTrial(name, 1.0, 0, tuple(pages), stack)


def test_a_distance_counts_the_sequences_that_are_so_long() -> None:
    long, short = trial("a", [0.9, 0.8, 0.6], [1, 1, 1]), trial("b", [0.7], [1])
    figures = summarise([long, short], least_score=0.5, target=0.8)
    count, mean = figures.iou[1]
    assert count == 2
    assert mean is not None
    assert mean.mean == pytest.approx(0.8)
    count, mean = figures.iou[3]
    assert count == 1
    assert mean is not None
    assert mean.mean == pytest.approx(0.6)
    assert figures.iou[10] == (0, None)
    assert figures.milliseconds == pytest.approx(50)


def test_answered_pages_end_where_the_score_falls() -> None:
    figures = summarise(
        [trial("a", [0.9, 0.7, 0.5, 0.9], [0.9, 0.6, 0.4, 0.8])], least_score=0.5, target=0.8
    )
    answered = figures.answered
    assert answered.share == 0.5
    assert answered.iou == pytest.approx(0.8)
    assert answered.good == 0.5
    assert answered.error == pytest.approx((0 + 0.1 + 0.1 + 0.1) / 4)


def test_nothing_answered_has_no_quality() -> None:
    answered = summarise([trial("a", [0.9], [0.1])], least_score=0.5, target=0.8).answered
    assert answered.share == 0
    assert answered.iou is None
    assert answered.good is None


def test_clicks_are_shared_over_all_stacks() -> None:
    stacks = [Stack(20, 40, 8, 3, 0), Stack(10, 20, 12, 5, 1)]
    trials = [trial(str(n), [1.0], [1.0], stack) for n, stack in enumerate(stacks)]
    clicks = summarise(trials, least_score=0.5, target=0.8).clicks
    assert clicks is not None
    assert clicks.share == pytest.approx(20 / 60)
    assert (clicks.pages, clicks.unreached) == (30, 1)
    assert summarise([trial("a", [1.0], [1.0])], least_score=0.5, target=0.8).clicks is None


def test_sets_are_the_names_before_the_slash() -> None:
    trials = [trial(name, [1.0], [1.0]) for name in ("x/1", "y/1", "x/2")]
    assert {name: len(each) for name, each in by_set(trials).items()} == {"x": 2, "y": 1}
