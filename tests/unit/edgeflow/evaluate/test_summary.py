from __future__ import annotations

import numpy as np
import pytest

from edgeflow.evaluate.summary import summarise
from edgeflow.evaluate.traces import Rules, Trace
from edgeflow.geometry import ImagePoint
from edgeflow.prompts.click import Click


def trace(*ious: float, seconds: float = 0.5) -> Trace:
    count = len(ious)
    return Trace(
        sample="s",
        number=1,
        clicks=(Click(ImagePoint(0, 0)),) * count,
        ious=ious,
        boundary_ious=tuple(iou / 2 for iou in ious),
        seconds=(seconds,) * count,
        shape=(1, 1),
        packed=b"",
    )


def test_clicks_are_counted_to_the_first_time_a_target_is_reached() -> None:
    summary = summarise([trace(0.5, 0.82, 0.79, 0.91, 0.96)], Rules())
    assert {key: each.mean for key, each in summary.noc.items()} == {80: 2, 85: 4, 90: 4, 95: 5}
    assert summary.failures == {80: 0, 85: 0, 90: 0, 95: 0}


def test_objects_that_never_get_there_count_as_the_most_clicks() -> None:
    summary = summarise([trace(0.5, 0.95), trace(*[0.1] * 20)], Rules())
    assert summary.noc[90].mean == 11.0
    assert summary.failures[90] == 1
    assert summary.iou_at[5].mean == pytest.approx((0.95 + 0.1) / 2)
    assert summary.boundary_iou_at[1].mean == pytest.approx((0.25 + 0.05) / 2)


def test_one_that_gets_there_at_the_last_click_is_no_failure() -> None:
    summary = summarise([trace(*[0.1] * 19, 0.9)], Rules())
    assert summary.noc[90].mean == 20
    assert summary.failures[90] == 0


def test_targets_that_were_not_aimed_at_are_left_out() -> None:
    assert list(summarise([trace(0.9)], Rules(stop_at=0.9)).noc) == [80, 85, 90]


def test_seconds_are_a_mean_over_clicks() -> None:
    summary = summarise([trace(0.99, seconds=1.0), trace(0.1, 0.2, 0.99, seconds=2.0)], Rules())
    assert summary.seconds_per_click == pytest.approx(7 / 4)
    assert summary.clicks == 4


def test_equal_objects_leave_no_doubt() -> None:
    estimate = summarise([trace(0.7, 0.99)] * 10, Rules()).noc[90]
    assert (estimate.low, estimate.mean, estimate.high) == (2, 2, 2)


def test_the_interval_is_as_wide_as_the_normal_approximation_says() -> None:
    rng = np.random.default_rng(1)
    ious = rng.normal(0.7, 0.1, size=400).clip(0, 1)
    estimate = summarise([trace(float(iou)) for iou in ious], Rules()).iou_at[1]
    half = 1.96 * ious.std() / np.sqrt(len(ious))
    assert estimate.mean == pytest.approx(ious.mean())
    assert estimate.low == pytest.approx(ious.mean() - half, abs=half / 8)
    assert estimate.high == pytest.approx(ious.mean() + half, abs=half / 8)


def test_figures_are_the_same_at_every_call() -> None:
    traces = [trace(0.3, 0.92), trace(0.96), trace(0.1, 0.2, 0.97)]
    assert summarise(traces, Rules()) == summarise(traces, Rules())


def test_nothing_clicked_is_an_error() -> None:
    with pytest.raises(ValueError, match="no object"):
        summarise([], Rules())
