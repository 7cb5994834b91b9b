from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco

from edgeflow.data import coco_masks
from edgeflow.data.coco_masks import decode_segmentation, parse_counts
from edgeflow.errors import MaskCodecError
from edgeflow.geometry import Size
from tests.unit.edgeflow.data.making import pixels

SIZE = Size(4, 6)


def test_polygons_are_filled_as_pycocotools_fills_them() -> None:
    square = [1.0, 1.0, 4.0, 1.0, 4.0, 3.0, 1.0, 3.0]
    mask = decode_segmentation([square], SIZE)
    assert mask.flags.c_contiguous
    assert pixels(mask) == [(row, col) for row in (1, 2) for col in (1, 2, 3)]


def test_the_parts_of_an_object_are_joined() -> None:
    parts = [[0, 0, 1, 0, 1, 1, 0, 1], [4, 2, 6, 2, 6, 4, 4, 4], [1, 1]]
    mask = decode_segmentation(parts, SIZE)
    assert pixels(mask) == [(0, 0), (2, 4), (2, 5), (3, 4), (3, 5)]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@given(st.lists(st.floats(-120, 120), min_size=3, max_size=12), st.integers(0, 2**32 - 1))
def test_any_polygon_is_filled_as_pycocotools_fills_it(across: list[float], seed: int) -> None:
    down = np.random.default_rng(seed).uniform(-120, 120, len(across))
    polygon = np.stack((across, down), axis=1).ravel().tolist()
    expected = coco.decode(coco.frPyObjects([polygon], 50, 60))[:, :, 0]
    assert np.array_equal(decode_segmentation([polygon], Size(50, 60)), expected)


@pytest.mark.parametrize("segmentation", [[], [[]], [[1, 1]], [[1, 1, 3, 3]]])
def test_polygons_without_area_have_no_pixel(segmentation: object) -> None:
    assert not decode_segmentation(segmentation, SIZE).any()


def test_runs_go_down_the_columns_and_begin_with_background() -> None:
    mask = decode_segmentation({"size": [4, 6], "counts": [5, 2, 2, 1, 14]}, SIZE)
    assert pixels(mask) == [(1, 1), (1, 2), (2, 1)]


def test_a_text_code_is_read() -> None:
    code = coco.encode(np.asfortranarray(np.eye(4, 6, dtype=np.uint8)))
    mask = decode_segmentation({"size": [4, 6], "counts": code["counts"].decode()}, SIZE)
    assert pixels(mask) == [(0, 0), (1, 1), (2, 2), (3, 3)]


@given(st.integers(1, 60), st.integers(1, 60), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_text_codes_are_read_as_pycocotools_writes_them(
    height: int, width: int, share: float, seed: int
) -> None:
    truth = np.random.default_rng(seed).random((height, width)) < share
    code = coco.encode(np.asfortranarray(truth.astype(np.uint8)))
    segmentation = {"size": [height, width], "counts": code["counts"].decode()}
    assert np.array_equal(decode_segmentation(segmentation, Size(height, width)), truth)


def test_long_runs_are_read() -> None:
    truth = np.zeros((3000, 2000), dtype=np.bool_)
    truth[1000:1002, 900:1700] = True
    code = coco.encode(np.asfortranarray(truth.astype(np.uint8)))
    segmentation = {"size": [3000, 2000], "counts": code["counts"].decode()}
    assert np.array_equal(decode_segmentation(segmentation, Size(3000, 2000)), truth)


@pytest.mark.parametrize("text", ["o", "PPPPPPPP0", "\x7f", "0 0", "é", "\ud800", "0\0", "\n"])
def test_text_that_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(MaskCodecError, match="malformed"):
        parse_counts(text)


@given(st.text(st.characters(min_codepoint=48, max_codepoint=111), max_size=40))
def test_no_text_makes_more_than_an_error(text: str) -> None:
    try:
        mask = decode_segmentation({"size": [4, 6], "counts": text}, SIZE)
    except MaskCodecError:
        return
    assert mask.shape == SIZE


@pytest.mark.parametrize(
    "segmentation",
    [
        None,
        7,
        "0",
        {},
        {"size": [4, 6]},
        {"counts": [24]},
        {"size": [6, 4], "counts": [24]},
        {"size": [4, 6, 1], "counts": [24]},
        {"size": [4, 6], "counts": [23]},
        {"size": [4, 6], "counts": [25]},
        {"size": [4, 6], "counts": []},
        {"size": [4, 6], "counts": ""},
        {"size": [4, 6], "counts": "1"},
        {"size": [4, 6], "counts": [-1, 25]},
        {"size": [4, 6], "counts": [1 << 70, 1]},
        {"size": [4, 6], "counts": [1 << 63] * 4},
        {"size": [4, 6], "counts": [-(1 << 70)]},
        {"size": [4, 6], "counts": [24.0]},
        {"size": [4, 6], "counts": [True, 23]},
        {"size": [4, 6], "counts": {"0": 24}},
        [7],
        ["0,0,1,1,2,2"],
        [[0, 0, 1, 1, 2]],
        [[0, 0, 1, 1, "2", 2]],
        [[0, 0, 1, 1, None, 2]],
        [[0, 0, 1, 1, [2], 2]],
        [[0, 0, 1e9, 1, 2, 2]],
        [[0, 0, float("nan"), 1, 2, 2]],
        [[0, 0, float("inf"), 1, 2, 2]],
        [{"counts": [24]}],
    ],
)
def test_other_segmentations_are_refused(segmentation: object) -> None:
    with pytest.raises(MaskCodecError):
        decode_segmentation(segmentation, SIZE)


def test_outlines_that_would_take_too_much_memory_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    zigzag = [0.0, 0.0, 6.0, 3.0] * 10
    assert decode_segmentation([zigzag], SIZE).shape == SIZE
    monkeypatch.setattr(coco_masks, "MAX_OUTLINE", 100)
    with pytest.raises(MaskCodecError, match="more than 100 pixels"):
        decode_segmentation([zigzag], SIZE)
