from __future__ import annotations

import io
import time

import numpy as np
import pytest
from PIL import Image

from edgeflow.data import label_maps
from edgeflow.data.base import DatasetError
from edgeflow.data.label_maps import (
    any_value,
    binary,
    davis,
    is_binary,
    numbered,
    split_labels,
    trimap,
)
from edgeflow.data.paired import Interpretation
from edgeflow.geometry import Size
from tests.unit.edgeflow.data.making import (
    FIRST,
    IGNORED,
    SECOND,
    TWO_OBJECTS,
    encoded,
    grey_png,
    huge_png,
    palette_png,
    pixels,
)

ROW = np.array([[0, 100, 128, 129, 255]], dtype=np.uint8)


def test_numbered_masks_give_objects_by_number_and_255_is_ignored() -> None:
    found = numbered(encoded(TWO_OBJECTS), "m.png")
    assert [pixels(mask) for mask in found.objects] == [FIRST, SECOND]
    assert pixels(found.ignore) == IGNORED
    assert found.size == Size(4, 6)


def test_objects_come_in_order_of_their_numbers_with_gaps_left_out() -> None:
    labels = np.array([[9, 0, 3, 200, 3]], dtype=np.uint8)
    found = numbered(encoded(labels), "m.png")
    assert [pixels(mask) for mask in found.objects] == [[(0, 2), (0, 4)], [(0, 0)], [(0, 3)]]
    assert found.ignore is None


def test_in_16_bits_255_is_an_object_like_any_other() -> None:
    labels = np.array([[0, 255, 256, 65535]], dtype=np.uint16)
    found = numbered(encoded(labels), "m.png")
    assert [pixels(mask) for mask in found.objects] == [[(0, 1)], [(0, 2)], [(0, 3)]]
    assert found.ignore is None


def test_of_palettes_the_indices_count_and_not_the_colours() -> None:
    found = numbered(palette_png(TWO_OBJECTS), "m.png")
    assert [pixels(mask) for mask in found.objects] == [FIRST, SECOND]
    assert pixels(found.ignore) == IGNORED


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_greys_of_few_bits_keep_their_numbers(depth: int) -> None:
    top = (1 << depth) - 1
    found = numbered(grey_png(np.array([[0, 1, top], [1, 0, 0]]), depth), "m.png")
    expected = {1: [[(0, 1), (0, 2), (1, 0)]]}.get(depth, [[(0, 1), (1, 0)], [(0, 2)]])
    assert [pixels(mask) for mask in found.objects] == expected
    assert found.ignore is None


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_colours_are_refused_as_numbers_with_the_way_out(mode: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(TWO_OBJECTS).convert(mode).save(buffer, "PNG")
    with pytest.raises(DatasetError, match=rf"m\.png is a mask of mode {mode}") as caught:
        numbered(buffer.getvalue(), "m.png")
    assert "greyscale or with a palette" in caught.value.hint
    assert "img-gt" in caught.value.hint


def test_any_channel_makes_the_object() -> None:
    rgb = np.zeros((2, 3, 3), dtype=np.uint8)
    rgb[0, 0, 0] = rgb[0, 1, 1] = rgb[1, 2, 2] = 1
    found = any_value(encoded(rgb), "m.png")
    assert [pixels(mask) for mask in found.objects] == [[(0, 0), (0, 1), (1, 2)]]


def test_transparency_is_no_channel() -> None:
    rgba = np.zeros((1, 2, 4), dtype=np.uint8)
    rgba[..., 3] = 255
    rgba[0, 1, 0] = 9
    assert pixels(any_value(encoded(rgba), "m.png").objects[0]) == [(0, 1)]


def test_binary_masks_are_cut_above_128() -> None:
    found = binary(encoded(ROW), "m.png")
    assert [pixels(mask) for mask in found.objects] == [[(0, 3), (0, 4)]]
    assert found.ignore is None


def test_in_trimaps_exactly_128_is_ignored() -> None:
    found = trimap(encoded(ROW), "m.bmp")
    assert [pixels(mask) for mask in found.objects] == [[(0, 3), (0, 4)]]
    assert pixels(found.ignore) == [(0, 2)]


def test_one_bit_masks_are_binary_ones_too() -> None:
    assert pixels(binary(grey_png(np.array([[0, 1]]), 1), "m.png").objects[0]) == [(0, 1)]


def test_empty_masks_have_no_object() -> None:
    blank = encoded(np.zeros((3, 3), dtype=np.uint8))
    for interpret in (numbered, any_value, binary, trimap, davis):
        found = interpret(blank, "m.png")
        assert (found.objects, found.ignore, found.size) == ((), None, (3, 3))


def test_davis_numbers_objects_in_palettes_alone() -> None:
    several = davis(palette_png(TWO_OBJECTS), "m.png")
    assert [pixels(mask) for mask in several.objects] == [FIRST, SECOND]
    one = davis(encoded(np.where(TWO_OBJECTS == 1, np.uint8(255), np.uint8(0))), "m.png")
    assert [pixels(mask) for mask in one.objects] == [FIRST]
    assert one.ignore is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0, 255], True), ([255, 255], True), ([0, 0], None), ([0, 1], False), ([0, 1, 255], False)],
)
def test_binary_masks_have_0_and_255_alone_and_empty_ones_tell_nothing(
    values: list[int], expected: bool | None
) -> None:
    grey = np.array([values], dtype=np.uint8)
    assert is_binary(encoded(grey), "m.png") is expected
    assert is_binary(encoded(np.stack((grey,) * 3, axis=-1)), "m.png") is expected


def test_colours_palettes_and_16_bits_are_not_binary() -> None:
    red = np.array([[[0, 0, 0], [255, 0, 0]]], dtype=np.uint8)
    assert not is_binary(encoded(red), "m.png")
    assert not is_binary(palette_png(np.array([[0, 255]])), "m.png")
    assert not is_binary(encoded(np.array([[0, 255]], dtype=np.uint16)), "m.png")
    assert not is_binary(grey_png(np.array([[0, 3]]), 2), "m.png")


@pytest.mark.parametrize("interpret", [numbered, any_value, binary, trimap, davis])
@pytest.mark.parametrize(
    "data",
    [b"", b"no image", encoded(TWO_OBJECTS)[:40], huge_png(), encoded(TWO_OBJECTS, "JPEG")],
    ids=["empty", "text", "cut", "huge", "jpeg"],
)
def test_what_is_no_mask_is_refused_by_name(interpret: Interpretation, data: bytes) -> None:
    with pytest.raises(DatasetError, match=r"^m\.png ") as caught:
        interpret(data, "m.png")
    assert caught.value.hint


def test_16_bit_trimaps_are_refused() -> None:
    with pytest.raises(DatasetError, match="8 bits are expected"):
        trimap(encoded(np.array([[0, 300]], dtype=np.uint16)), "m.png")


def test_splitting_equals_comparing_label_by_label() -> None:
    labels = np.random.default_rng(3).integers(0, 700, (60, 70)).astype(np.uint16)
    labels[labels % 3 == 0] = 0
    expected = [labels == label for label in range(1, 700) if (labels == label).any()]
    found = split_labels(labels, None, "m.png").objects
    assert len(found) == len(expected)
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.slow
def test_a_thousand_regions_take_about_as_long_as_their_masks() -> None:
    labels = (np.arange(1000 * 1000) // 1000 + 1).astype(np.uint16).reshape(1000, 1000)
    split_labels(labels[:10], None, "m.png")
    start = time.perf_counter()
    assert len(split_labels(labels, None, "m.png").objects) == 1000
    assert time.perf_counter() - start < 5  # 0.03 s measured; a comparison each takes 0.4


def test_more_objects_than_memory_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_maps, "MAX_MASK_BYTES", 47)
    with pytest.raises(DatasetError, match=r"m\.png: 3 objects of 24 pixels are too many"):
        split_labels(TWO_OBJECTS, None, "m.png")
