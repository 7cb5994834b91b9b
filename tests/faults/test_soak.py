"""The soak: a short one, and a verdict that sees what is lost, wrong or growing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.soak import AFTERMATH_S, Broken, Sample, growth, judge, parse, soak, unexplained
from benchmarks.soak_plot import draw
from tests.faults.annotators import Event
from tests.faults.oracle import BROKEN, RIGHT

DOWN = Broken("pictures-down", 100.0, 103.0)
GOOD: dict[str, Any] = {"wrong": [], "unexplained": [], "all_answered": True, "growth": {}}


def test_a_short_soak_finds_nothing_and_is_drawn(tmp_path: Path) -> None:
    short = "--minutes 0.22 --annotators 3 --fault-every 2 --think 1 --faults pictures-reset"
    report = soak(parse(short.split()))
    assert report["against"] == []
    assert report["outcomes"][RIGHT] > 3
    assert [fault["name"] for fault in report["faults"]] == ["pictures-reset"]
    draw(report, tmp_path / "soak.png")
    assert (tmp_path / "soak.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("event", "excused"),
    [
        (Event(50.0, 0.1, RIGHT), True),
        (Event(50.0, 0.1, "prompt_unusable"), True),
        (Event(102.0, 0.1, "image_fetch"), True),
        (Event(103.0 + AFTERMATH_S, 3.0, "image_fetch"), True),
        (Event(99.0, 0.1, "image_fetch"), False),
        (Event(104.0 + AFTERMATH_S, 0.1, "image_fetch"), False),
        (Event(102.0, 0.1, BROKEN), False),
        (Event(102.0, 0.1, ""), False),
    ],
)
def test_an_error_needs_a_fault_that_explains_it(event: Event, *, excused: bool) -> None:
    assert unexplained([event], [DOWN]) == ([] if excused else [event])


@pytest.mark.parametrize(
    ("change", "against"),
    [
        ({}, ""),
        ({"wrong": ["another's mask"]}, "another's mask"),
        ({"unexplained": ["broken"]}, "broken"),
        ({"all_answered": False}, "no answer"),
    ],
)
def test_the_verdict_names_what_is_lost_or_wrong(change: dict[str, Any], against: str) -> None:
    said = judge(GOOD | change)
    assert [against in each for each in said] == [True] * bool(against)


@pytest.mark.parametrize(
    ("each_mb", "each_files", "against"), [(0.0, 0, 0), (0.5, 0, 1), (0.0, 1, 1), (0.5, 1, 2)]
)
def test_the_verdict_names_what_grows_in_the_last_process(
    each_mb: float, each_files: int, against: int
) -> None:
    samples = [Sample(5.0 * n, 500 + each_mb * n, 20 + each_files * n) for n in range(360)]
    grown = growth(samples, [Broken("kill", 300.0, 310.0)], 1800.0)
    assert len(judge(GOOD | {"growth": grown})) == against


def test_a_process_that_was_watched_for_a_moment_has_no_verdict_on_growth() -> None:
    samples = [Sample(5.0 * n, 500 + 9.0 * n, 20) for n in range(360)]
    assert growth(samples, [Broken("kill", 1500.0, 1510.0)], 1800.0) == {}
