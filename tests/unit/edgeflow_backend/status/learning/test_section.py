from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from edgeflow.label_studio.values import JSONObject
from edgeflow.learning.effort import Effort, Point
from edgeflow_backend.openapi.status import Status
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.learning.entry import Learned
from edgeflow_backend.status.learning.plot import plot
from edgeflow_backend.status.page import render_html
from edgeflow_backend.status.report import report
from tests.unit.edgeflow_backend.status.snapshots import READY
from tests.unit.edgeflow_backend.status.test_page import HOSTILE, Page

AT = datetime(2026, 5, 4, 8, tzinfo=timezone.utc)
EFFORT = Effort("cell", 15, 41, tuple(Point(5 * n, AT, 5.0 - n) for n in (1, 2, 3)))
LEARNED = Learned("12", AT, tasks=4, objects=17, held_out=3, objects_bytes=10**6, effort=(EFFORT,))


def page(journal: Journal, **changes: Any) -> Page:
    body = report(journal, replace(READY, learning=(replace(LEARNED, **changes),)))
    Status.model_validate(body)
    return Page(render_html(body))


def test_the_curve_has_a_point_for_each_group_and_its_numbers_beside_it(journal: Journal) -> None:
    shown = page(journal)
    assert shown.count("circle") == 3
    assert shown.count("polyline") == 2
    words = " ".join(shown.text.split())
    assert "cell 15 2.73 2.00" in words
    assert "17 accepted" in words
    assert "3 objects held out" in words
    assert "2026-05-04" in words


def test_points_lie_where_their_values_are_and_zero_is_at_the_bottom() -> None:
    given: list[JSONObject] = [
        {"objects": 5, "mean": 4.0},
        {"objects": 10, "mean": 1.0},
        {"objects": 20, "mean": 0},
    ]
    found = plot(given, 120, 60, 10)
    assert found.top == 4
    assert found.dots == ((35.0, 10.0), (60.0, 40.0), (110.0, 50.0))
    assert found.line == "35.0,10.0 60.0,40.0 110.0,50.0"


def test_a_single_point_is_a_dot_and_no_line(journal: Journal) -> None:
    shown = page(journal, effort=(EFFORT._replace(points=EFFORT.points[:1]),))
    assert (shown.count("circle"), shown.count("polyline")) == (1, 0)


def test_without_clicks_on_record_it_says_so(journal: Journal) -> None:
    shown = page(journal, effort=())
    assert shown.count("svg") == 0
    assert "No accepted object has clicks on record yet." in shown.text


def test_a_reading_that_failed_is_a_warning_with_the_way_out(journal: Journal) -> None:
    shown = page(journal, failed=True, message="no answer", hint="start Label Studio")
    assert "Ready, but accepted objects could not be read." in shown.text
    assert "No answer." in shown.text
    assert "Start Label Studio." in shown.text


@pytest.mark.parametrize("text", HOSTILE)
def test_no_label_puts_markup_into_the_page(journal: Journal, text: str) -> None:
    plain = page(journal, project="text", message="text", hint="text")
    effort = (EFFORT._replace(label=text),)
    shown = page(journal, project=text, message=text, hint=text, effort=effort)
    assert [tag for tag, _ in shown.tags] == [tag for tag, _ in plain.tags]
    assert [set(names) for _, names in shown.tags] == [set(names) for _, names in plain.tags]
    assert shown.comments == plain.comments
