from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydantic import ValidationError

from edgeflow.masks.score import Calibration, logit

FloatMap = npt.NDArray[np.float32]

PROPERTY = settings(deadline=None)
SHIPPED = Calibration(bias=-1.072, slope=1.511, clicks=0.341)
MAPS = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.floats(0, 1, width=32),
)
CALIBRATIONS = st.builds(
    Calibration, bias=st.floats(-20, 20), slope=st.floats(0.01, 20), clicks=st.floats(-5, 5)
)


def flat(value: float, *, shape: tuple[int, int] = (4, 6)) -> FloatMap:
    return np.full(shape, value, np.float32)


# The defaults


@pytest.mark.parametrize("value", [0.51, 0.6, 0.75, 0.9, 0.99, 0.9999])
def test_the_defaults_give_the_mean_probability(value: float) -> None:
    assert Calibration()(flat(value), 1) == pytest.approx(value, abs=1e-6)


@pytest.mark.slow
@PROPERTY
@given(MAPS, st.integers(1, 50))
def test_the_defaults_give_the_mean_probability_inside_whatever_the_clicks(
    values: FloatMap, clicks: int
) -> None:
    inside = values[values > 0.5].astype(np.float64)
    expected = inside.mean() if inside.size else 0
    assert Calibration()(values, clicks) == pytest.approx(expected, abs=2e-6)


# What counts


@pytest.mark.parametrize("calibration", [Calibration(), SHIPPED, Calibration(bias=9.0)])
@pytest.mark.parametrize("value", [0.0, 0.2, 0.5])
@pytest.mark.parametrize("shape", [(1, 1), (4, 6)])
def test_an_empty_mask_scores_nothing(
    calibration: Calibration, value: float, shape: tuple[int, int]
) -> None:
    assert calibration(flat(value, shape=shape), 3) == 0.0


def test_what_is_outside_the_mask_does_not_count() -> None:
    values = flat(0.8)
    values[0] = 0.5
    values[1] = 0.0
    assert SHIPPED(values, 2) == SHIPPED(flat(0.8), 2)


def test_size_shape_and_layout_do_not_count() -> None:
    values = np.random.default_rng(0).random((12, 20), dtype=np.float32)
    expected = SHIPPED(values, 2)
    for other in (
        values.T,
        np.asfortranarray(values),
        values[::-1, ::-1],
        values.reshape(1, -1),
        np.kron(values, np.ones((3, 3), np.float32)),
    ):
        assert SHIPPED(other, 2) == pytest.approx(expected, abs=1e-9)


def test_the_mean_of_many_pixels_is_exact() -> None:
    value = np.float32(0.9)
    assert Calibration()(flat(0.9, shape=(2048, 2048)), 1) == pytest.approx(float(value), abs=1e-9)


def test_the_map_stays_as_it_was() -> None:
    values = np.random.default_rng(0).random((12, 20), dtype=np.float32)
    values.flags.writeable = False
    assert 0 < SHIPPED(values, 1) < 1


# The curve


@pytest.mark.parametrize("value", [0.6, 0.9, 0.99])
@pytest.mark.parametrize("clicks", [1, 2, 20])
def test_the_curve_is_platts(value: float, clicks: int) -> None:
    odds = math.exp(-1.072) * (value / (1 - value)) ** 1.511 * clicks**0.341
    assert SHIPPED(flat(value), clicks) == pytest.approx(odds / (1 + odds), abs=1e-5)


@PROPERTY
@given(CALIBRATIONS, st.lists(st.floats(0.501, 1), min_size=2, max_size=6), st.integers(1, 20))
def test_a_surer_mask_never_scores_less(
    calibration: Calibration, means: list[float], clicks: int
) -> None:
    scores = [calibration(flat(mean), clicks) for mean in sorted(means)]
    assert all(low <= high for low, high in pairwise(scores))
    assert all(0 <= score <= 1 for score in scores)


def test_a_surer_mask_scores_more() -> None:
    scores = [SHIPPED(flat(mean), 1) for mean in (0.55, 0.7, 0.85, 0.95, 0.999)]
    assert all(low < high for low, high in pairwise(scores))


@pytest.mark.parametrize(("weight", "sign"), [(0.341, 1), (0.0, 0), (-0.2, -1)])
def test_clicks_count_as_they_are_weighed(weight: float, sign: int) -> None:
    calibration = Calibration(clicks=weight)
    scores = [calibration(flat(0.8), clicks) for clicks in (1, 2, 5, 20)]
    assert all(np.sign(high - low) == sign for low, high in pairwise(scores))
    assert scores[0] == pytest.approx(0.8, abs=1e-6)


@pytest.mark.parametrize("calibration", [Calibration(), SHIPPED, Calibration(clicks=-3)])
def test_no_clicks_count_as_one(calibration: Calibration) -> None:
    assert calibration(flat(0.8), 0) == calibration(flat(0.8), 1)


@pytest.mark.parametrize("calibration", [Calibration(), SHIPPED, Calibration(slope=20, clicks=5)])
@pytest.mark.parametrize("clicks", [0, 1, 1000])
def test_a_certain_mask_scores_high_and_finitely(calibration: Calibration, clicks: int) -> None:
    assert 0.99 < calibration(flat(1.0), clicks) <= 1


@pytest.mark.parametrize(
    "calibration",
    [
        Calibration(bias=1000),
        Calibration(bias=-1000),
        Calibration(slope=1000),
        Calibration(slope=-1000),
        Calibration(clicks=1e6),
        Calibration(clicks=-1e6),
    ],
    ids=str,
)
def test_an_absurd_calibration_still_gives_a_score(calibration: Calibration) -> None:
    for mean in (0.500001, 0.9, 1.0):
        assert 0 <= calibration(flat(mean), 7) <= 1


@PROPERTY
@given(MAPS, CALIBRATIONS, st.integers(0, 1000))
def test_a_score_lies_between_0_and_1(
    values: FloatMap, calibration: Calibration, clicks: int
) -> None:
    score = calibration(values, clicks)
    assert isinstance(score, float)
    assert 0 <= score <= 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.5, 0.0), (0.75, math.log(3)), (0.25, -math.log(3)), (1.0, 13.8155), (0.0, -13.8155)],
)
def test_logits(value: float, expected: float) -> None:
    assert logit(value) == pytest.approx(expected, abs=1e-4)


@PROPERTY
@given(st.floats(1e-6, 1 - 1e-6))
def test_the_logit_is_the_inverse_of_the_logistic_function(value: float) -> None:
    assert 1 / (1 + math.exp(-logit(value))) == pytest.approx(value, rel=1e-6)
    assert logit(1 - value) == pytest.approx(-logit(value), abs=1e-6)


# The form


@pytest.mark.parametrize(
    "content",
    [
        {"bias": "high"},
        {"bias": None},
        {"bias": math.nan},
        {"slope": math.inf},
        {"clicks": -math.inf},
        {"offset": 1.0},
        {"bias": [1.0]},
    ],
    ids=str,
)
def test_only_finite_known_numbers_calibrate(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Calibration.model_validate(content)


def test_a_calibration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        SHIPPED.bias = 0.0  # type: ignore[misc]
    assert Calibration() == Calibration(bias=0, slope=1, clicks=0)
