"""Codes of masks that nobody's program wrote: a mask of the right size, or an error in words.

Each property has its bound of examples; in CI hypothesis makes up the same ones in every run.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow.data.coco_masks import decode_segmentation
from edgeflow.errors import EdgeFlowError, MaskCodecError
from edgeflow.geometry import Box, Size
from edgeflow.label_studio.bitmask_png import encode_bitmask
from edgeflow.label_studio.brush_rle import decode_brush, encode_brush
from edgeflow.label_studio.controls import kind_of_region
from edgeflow.label_studio.region_masks import parse_bitmask
from edgeflow.masks.patch import MaskPatch
from tests.unit.edgeflow.label_studio.test_brush_rle import read

pytestmark = pytest.mark.slow

SIZES = st.builds(Size, st.integers(1, 9), st.integers(1, 9))
SIZE = Size(6, 7)

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 260),
    st.sampled_from([10**6, 2**31, 2**63, 10**30, 1e308, float("nan"), float("inf")]),
    st.floats(-200, 200),
    st.text(max_size=4),
)
NESTED = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=20,
)
KINDS = ("brushlabels", "bitmasklabels", "polygonlabels", "rectanglelabels")
KEYS = (
    "rle", "format", "touches", "imageDataURL", "points", "closed", "x", "y", "width", "height",
    "rotation", "type", "relativePoints", "relativeStrokeWidth", *KINDS,
)  # fmt: skip


def header(size: Size, length_bits: list[int]) -> str:
    total = size.height * size.width * 4
    return f"{total:032b}{7:05b}" + "".join(f"{width - 1:04b}" for width in length_bits)


def in_bytes(bits: str) -> bytes:
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


@settings(deadline=None, max_examples=200)
@given(SIZES, st.lists(st.integers(1, 16), min_size=4, max_size=4), st.binary(max_size=300))
def test_any_bits_behind_a_brush_codes_head_are_read_as_they_are_bit_by_bit_or_refused(
    size: Size, length_bits: list[int], rest: bytes
) -> None:
    code = in_bytes(header(size, length_bits) + "".join(f"{byte:08b}" for byte in rest))
    try:
        mask = decode_brush(code, size)
    except MaskCodecError:
        with pytest.raises(ValueError, match=r"base 2|reshape"):  # too few bits, or too many values
            read(code, size)
    else:
        np.testing.assert_array_equal(mask, read(code, size))


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=120) | st.lists(VALUES, max_size=60), SIZES)
def test_anything_for_a_brush_code_is_a_mask_or_refused(code: Any, size: Size) -> None:
    try:
        mask = decode_brush(code, size)
    except MaskCodecError as error:
        assert str(error)
    else:
        assert mask.shape == size


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_brush_code_with_bits_turned_is_a_mask_or_refused(data: st.DataObject) -> None:
    mask = np.random.default_rng(0).random(SIZE) < 0.5
    code = bytearray(encode_brush(mask))
    for place in data.draw(st.lists(st.integers(0, len(code) * 8 - 1), min_size=1, max_size=4)):
        code[place // 8] ^= 1 << place % 8
    try:
        assert decode_brush(bytes(code), SIZE).shape == SIZE
    except MaskCodecError as error:
        assert str(error)


COUNTS = st.text(st.characters(min_codepoint=40, max_codepoint=120), max_size=40) | st.lists(
    VALUES, max_size=12
)


@settings(deadline=None, max_examples=200)
@given(
    st.fixed_dictionaries({"counts": COUNTS, "size": st.just([*SIZE]) | NESTED})
    | st.lists(st.lists(VALUES, max_size=10), max_size=4)
    | NESTED
)
def test_anything_for_a_coco_segmentation_is_a_mask_or_refused(segmentation: Any) -> None:
    try:
        mask = decode_segmentation(segmentation, SIZE)
    except MaskCodecError as error:
        assert len(str(error)) < 200
    else:
        assert mask.shape == SIZE
        assert mask.dtype == np.bool_


PNG = encode_bitmask(MaskPatch(np.ones((2, 3), dtype=np.bool_), Box(1, 1, 3, 4), SIZE))


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_bitmask_with_bytes_changed_is_a_mask_or_refused(data: st.DataObject) -> None:
    png = bytearray(PNG)
    for place in data.draw(st.lists(st.integers(0, len(png) - 1), max_size=3)):
        png[place] = data.draw(st.integers(0, 255))
    code = bytes(png)[: data.draw(st.integers(0, len(png)))] + data.draw(st.binary(max_size=8))
    url = f"data:image/png;base64,{base64.b64encode(code).decode()}"
    try:
        assert parse_bitmask({"imageDataURL": url}).mask(SIZE).shape == SIZE
    except MaskCodecError as error:
        assert str(error)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60) | st.text("data:image/png;base64,AQ=+% \n", max_size=60) | NESTED)
def test_anything_for_a_bitmasks_url_is_a_mask_or_refused(url: Any) -> None:
    try:
        assert parse_bitmask({"imageDataURL": url}).mask(SIZE).shape == SIZE
    except MaskCodecError as error:
        assert str(error)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(KEYS), NESTED, max_size=5))
def test_anything_for_a_regions_value_is_a_mask_or_refused(
    kind: str, value: dict[str, Any]
) -> None:
    found = kind_of_region(kind)
    assert found is not None
    assert found.mask is not None
    try:
        mask = found.mask.parse(value).mask(SIZE)
    except EdgeFlowError as error:
        assert str(error)
    else:
        assert mask.shape == SIZE
