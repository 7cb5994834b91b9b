"""Values as grey."""

from typing import Any

import numpy as np
import pytest

from edgeflow.tiles.sidecar import Stretch
from edgeflow.tiles.sources.levels import Levels, stretch_of, valid_pixels

KINDS = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "int64", "float32", "float64")


@pytest.mark.parametrize("kind", KINDS)
def test_low_is_black_high_is_white_and_between_is_even(kind: str) -> None:
    values = np.array([[[0, 20, 60, 100, 120]]]).astype(kind)
    shown = Levels([Stretch(low=20, high=100)], values.dtype).pixels(values, None)
    assert shown[0, :, 0].tolist() == [0, 0, 128, 255, 255]


def test_a_table_says_what_arithmetic_says() -> None:
    values = np.arange(-32768, 32768, dtype=np.int16).reshape(1, 256, 256)
    stretch = [Stretch(low=-1234.5, high=2345.6)]
    direct = Levels(stretch, np.dtype(np.int32)).pixels(values.astype(np.int32), None)
    assert (Levels(stretch, values.dtype).pixels(values, None) == direct).all()


def test_without_a_stretch_bytes_stay() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    assert (Levels([], values.dtype).pixels(values, None)[..., 0] == values[0]).all()


def test_bands_have_a_stretch_each_and_become_channels() -> None:
    values = np.full((3, 1, 1), 50, dtype=np.uint16)
    stretch = [Stretch(low=0, high=50), Stretch(low=0, high=100), Stretch(low=50, high=60)]
    assert Levels(stretch, values.dtype).pixels(values, None).tolist() == [[[255, 128, 0]]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, -3e38])
def test_no_value_is_too_odd(value: float) -> None:
    values = np.array([[[value, 1.0]]], dtype=np.float32)
    shown = Levels([Stretch(low=-3e38, high=3e38)], values.dtype).pixels(values, None)
    assert shown.dtype == np.uint8


def test_what_is_not_valid_is_black() -> None:
    values = np.full((1, 1, 2), 9, dtype=np.uint8)
    valid = np.array([[True, False]])
    assert Levels([], values.dtype).pixels(values, valid)[..., 0].tolist() == [[9, 0]]


def test_percentiles_pass_over_what_is_no_number() -> None:
    values = np.concatenate([np.arange(101), [np.nan, np.inf, -np.inf]])
    assert stretch_of(values, (2, 98)) == Stretch(low=2, high=98)


@pytest.mark.parametrize("values", [[], [np.nan], [5, 5, 5], [1e300, 1e300]])
def test_a_stretch_always_has_a_range(values: list[float]) -> None:
    stretch = stretch_of(np.array(values, dtype=np.float64), (2, 98))
    assert stretch.high > stretch.low


@pytest.mark.parametrize(
    ("values", "nodata", "valid"),
    [
        ([[0, 1], [0, 0]], [0, 0], [False, True]),
        ([[0, 1], [5, 0]], [0, None], None),
        ([[0, 1], [0, 1]], [7, 7], None),
        ([[0, 1], [0, 1]], [-9999, -9999], None),
        ([[0, 1], [0, 1]], [0.5, 0.5], None),
    ],
)
def test_a_pixel_has_data_where_any_band_has(
    values: list[Any], nodata: list[float | None], valid: list[bool] | None
) -> None:
    found = valid_pixels(np.array(values, dtype=np.uint8)[:, None], nodata)
    assert (None if found is None else found[0].tolist()) == valid


@pytest.mark.parametrize("nodata", [None, np.nan, -9999.0, -3.4028234663852886e38])
def test_nan_is_no_data_whatever_is_declared(nodata: float | None) -> None:
    other = 1.0 if nodata is None or np.isnan(nodata) else nodata
    values = np.array([[[np.nan, 1.0, other]]], dtype=np.float32)
    found = valid_pixels(values, [nodata])
    assert found is not None
    assert found[0].tolist() == [False, True, other == 1.0]
