from __future__ import annotations

import pytest

from edgeflow.evaluate.jitter.summary import summarise_jitter
from edgeflow.evaluate.traces import Rules, Trace
from edgeflow.geometry import ImagePoint
from edgeflow.prompts.click import Click


def trace(*ious: float) -> Trace:
    count = len(ious)
    click = Click(ImagePoint(0, 0))
    return Trace("a", 1, (click,) * count, ious, (0.5,) * count, (0.1,) * count, (1, 1), b"")


def test_runs_are_averaged_and_compared_with_the_standard_clicks() -> None:
    standard = [trace(0.95), trace(0.5, 0.96)]
    runs = [
        [trace(0.5, 0.5, 0.95), trace(0.5, 0.96)],
        [trace(0.95), trace(0.7, 0.5, 0.5, 0.96)],
    ]
    jitter = summarise_jitter(standard, runs, Rules(max_clicks=5))
    assert jitter.runs == 2
    assert jitter.noc[90].mean == pytest.approx((3 + 2 + 1 + 4) / 4)
    assert jitter.added[90].mean == pytest.approx(2.5 - 1.5)
    assert jitter.spread[90] == pytest.approx((2**0.5 + 2**0.5) / 2)  # 3, 1 and 2, 4
    assert jitter.iou_at[1].mean == pytest.approx((0.5 + 0.5 + 0.95 + 0.7) / 4)
    assert jitter.ious == (((0.5, 0.5, 0.95), (0.95,)), ((0.5, 0.96), (0.7, 0.5, 0.5, 0.96)))
    assert jitter.added[90].low <= 1 <= jitter.added[90].high


def test_an_object_that_was_not_reached_counts_as_the_most_clicks() -> None:
    jitter = summarise_jitter([trace(0.95)], [[trace(0.1)], [trace(0.1)]], Rules(max_clicks=5))
    assert jitter.noc[80].mean == 5
    assert jitter.spread[80] == 0
