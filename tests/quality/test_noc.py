"""Clicks needed on the benchmarks, where they are at hand; in CI they always are."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.noc import Result, measure, next_click
from edgeflow.geometry import ImagePoint
from edgeflow.predictor import load_predictor
from edgeflow.prompts import Click

BENCHMARKS = Path(__file__).parents[3] / "shared" / "data" / "benchmarks"


def test_the_first_click_falls_in_the_middle_of_the_object() -> None:
    truth = np.zeros((9, 11), dtype=np.bool_)
    truth[2:7, 3:8] = True
    everything = np.ones_like(truth)
    assert next_click(np.zeros_like(truth), truth, everything, everything) == Click(
        ImagePoint(5, 4)
    )


def test_the_next_click_corrects_the_larger_error_and_ties_are_negative() -> None:
    truth = np.zeros((20, 40), dtype=np.bool_)
    truth[5:12, 2:9] = True
    predicted = np.zeros_like(truth)
    predicted[5:12, 22:29] = True
    everything = np.ones_like(truth)
    assert next_click(predicted, truth, everything, everything) == Click(ImagePoint(25, 8), False)
    predicted[5, :] = False
    assert next_click(predicted, truth, everything, everything) == Click(ImagePoint(5, 8))


def test_ignored_pixels_and_old_clicks_are_left_out() -> None:
    truth = np.ones((5, 5), dtype=np.bool_)
    valid = truth.copy()
    valid[:, 3:] = False
    free = truth.copy()
    free[2, 1] = False
    assert next_click(~truth, truth, valid, free) == Click(ImagePoint(1, 1))


def test_objects_that_never_get_there_count_as_twenty_clicks() -> None:
    result = Result([[0.5, 0.95], [0.1] * 20], seconds=1.0)
    assert result.noc(0.9) == 11.0
    assert result.failures(0.9) == 1
    assert result.iou_at(5) == pytest.approx((0.95 + 0.1) / 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "objects", "published"), [("grabcut", 50, 1.76), ("berkeley", 100, 3.47)]
)
def test_the_shipped_weights_need_no_more_clicks_than_their_training_measured(
    name: str, objects: int, published: float
) -> None:
    if not BENCHMARKS.is_dir():
        message = f"THE BENCHMARKS ARE NOT AT {BENCHMARKS}: clicks were not measured"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    result = measure(load_predictor(device="cpu"), BENCHMARKS / name)
    assert len(result.ious) == objects
    assert result.noc(0.9) <= published + 0.06
