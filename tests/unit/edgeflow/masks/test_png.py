from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from edgeflow.errors import MaskCodecError
from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush, encode_brush
from edgeflow.masks.png import to_png
from tests.unit.edgeflow.samples import GOLDEN

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

SMALL_MASKS = hnp.arrays(
    np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40), elements=st.booleans()
)


@dataclass(frozen=True)
class Golden:
    """A code made by Label Studio's SDK, and what it stands for."""

    name: str
    size: Size
    content: bytes
    code: bytes

    @property
    def mask(self) -> Mask:
        flat = np.frombuffer(self.content, np.uint8)
        return np.unpackbits(flat, count=self.size.height * self.size.width).reshape(self.size) > 0

    @property
    def rgba(self) -> Bytes:
        return np.frombuffer(self.content, np.uint8).reshape(*self.size, 4)


def unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))


def golden(kind: str) -> list[Any]:
    document = json.loads((GOLDEN / "brush_codes.json").read_text(encoding="utf-8"))
    return [
        pytest.param(
            Golden(
                entry["name"],
                Size(entry["height"], entry["width"]),
                unpacked(entry["content"]),
                unpacked(entry["code"]),
            ),
            id=entry["name"],
        )
        for entry in document[kind]
    ]


MASKS = golden("masks")
STROKES = golden("strokes")
SAMPLE: Golden = next(p.values[0] for p in STROKES if p.id == "few values")


class BitWriter:
    """An independent, slow writer of brush RLE with any header."""

    def __init__(self, count: int, *, word_bits: int = 8, length_bits: tuple[int, ...]) -> None:
        self._length_bits = length_bits
        self._word_bits = word_bits
        self._bits = f"{count:032b}{word_bits - 1:05b}"
        self._bits += "".join(f"{bits - 1:04b}" for bits in length_bits)

    def run(self, width: int, length: int, value: int) -> BitWriter:
        self._record(1, width, length)
        self._bits += f"{value:0{self._word_bits}b}"
        return self

    def literal(self, width: int, *values: int) -> BitWriter:
        self._record(0, width, len(values))
        self._bits += "".join(f"{value:0{self._word_bits}b}" for value in values)
        return self

    def _record(self, is_run: int, width: int, length: int) -> None:
        self._bits += f"{is_run}{width:02b}{length - 1:0{self._length_bits[width]}b}"

    def code(self) -> bytes:
        padded = self._bits + "0" * (-len(self._bits) % 8)
        return int(padded, 2).to_bytes(len(padded) // 8, "big")


@pytest.mark.parametrize("case", MASKS)
def test_codes_equal_label_studios_own_to_the_last_byte(case: Golden) -> None:
    assert encode_brush(case.mask) == case.code


@pytest.mark.parametrize("case", MASKS)
def test_label_studios_mask_codes_are_read(case: Golden) -> None:
    np.testing.assert_array_equal(decode_brush(case.code, case.size), case.mask * np.uint8(255))


@pytest.mark.parametrize("case", STROKES)
def test_label_studios_hand_drawn_strokes_are_read_with_their_soft_alpha(case: Golden) -> None:
    alpha = decode_brush(case.code, case.size)
    assert alpha.dtype == np.uint8
    np.testing.assert_array_equal(alpha, case.rgba[:, :, 3])


@given(SMALL_MASKS)
def test_what_is_encoded_is_decoded(mask: Mask) -> None:
    size = Size(*mask.shape)
    np.testing.assert_array_equal(decode_brush(encode_brush(mask), size), mask * np.uint8(255))


@given(
    st.lists(st.integers(1, 40_000), min_size=1, max_size=6),
    st.booleans(),
    st.integers(1, 3),
)
def test_what_is_encoded_in_long_runs_is_decoded(
    lengths: list[int], first: bool, height: int
) -> None:
    row = np.repeat(np.arange(len(lengths)) % 2 == int(first), lengths)
    mask = np.tile(row, (height, 1))
    size = Size(*mask.shape)
    np.testing.assert_array_equal(decode_brush(encode_brush(mask), size), mask * np.uint8(255))


@given(SMALL_MASKS)
def test_a_list_of_ints_is_read_like_bytes(mask: Mask) -> None:
    code, size = encode_brush(mask), Size(*mask.shape)
    np.testing.assert_array_equal(decode_brush(list(code), size), decode_brush(code, size))


@given(SMALL_MASKS)
def test_the_memory_layout_of_a_mask_does_not_matter(mask: Mask) -> None:
    assert encode_brush(np.asfortranarray(mask)) == encode_brush(mask)
    assert encode_brush(np.repeat(mask, 2, axis=1)[:, ::2]) == encode_brush(mask)
    assert encode_brush(mask[::-1]) == encode_brush(mask[::-1].copy())


def test_encoding_leaves_the_mask_alone() -> None:
    mask = np.eye(9, dtype=np.bool_)
    before = mask.copy()
    encode_brush(mask)
    np.testing.assert_array_equal(mask, before)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0), (6,), (2, 3, 4)])
def test_what_is_no_mask_is_not_encoded(shape: tuple[int, ...]) -> None:
    with pytest.raises(MaskCodecError, match="shape"):
        encode_brush(np.ones(shape, np.bool_))


def test_a_mask_whose_size_does_not_fit_the_header_is_not_encoded() -> None:
    huge = np.broadcast_to(np.zeros(1, np.bool_), (1 << 15, 1 << 15))
    with pytest.raises(MaskCodecError, match="shape"):
        encode_brush(huge)


def test_other_encoders_length_fields_are_read() -> None:
    writer = BitWriter(12, length_bits=(1, 2, 5, 9))
    code = writer.run(0, 2, 7).literal(1, 1, 2, 3).run(2, 6, 9).literal(3, 200).code()
    assert decode_brush(code, Size(1, 3)).tolist() == [[2, 9, 200]]


def test_a_run_may_be_longer_than_it_needs_to_be_wide() -> None:
    code = BitWriter(8, length_bits=(3, 4, 8, 16)).run(3, 8, 255).code()
    assert decode_brush(code, Size(2, 1)).tolist() == [[255], [255]]


def test_what_follows_the_last_record_is_ignored() -> None:
    np.testing.assert_array_equal(
        decode_brush(SAMPLE.code + b"\xff\x00rubbish", SAMPLE.size), SAMPLE.rgba[:, :, 3]
    )


def test_a_code_cut_at_any_byte_is_refused() -> None:
    # The last byte may hold padding only, and what precedes it is complete without it.
    for length in range(len(SAMPLE.code) - 1):
        with pytest.raises(MaskCodecError, match=r"truncated|holds"):
            decode_brush(SAMPLE.code[:length], SAMPLE.size)


def test_a_code_for_another_image_size_is_refused_with_both_sizes() -> None:
    code = encode_brush(np.ones((4, 5), np.bool_))
    with pytest.raises(MaskCodecError, match=r"80 values, a 7×4 mask needs 112"):
        decode_brush(code, Size(height=4, width=7))


@pytest.mark.parametrize("word_bits", [1, 7, 9, 16, 32])
def test_another_word_size_is_refused(word_bits: int) -> None:
    code = BitWriter(4, word_bits=word_bits, length_bits=(3, 4, 8, 16)).run(0, 4, 1).code()
    with pytest.raises(MaskCodecError, match=f"{word_bits}-bit"):
        decode_brush(code + bytes(16), Size(1, 1))


def test_a_run_beyond_the_end_is_refused() -> None:
    code = BitWriter(4, length_bits=(3, 4, 8, 16)).run(3, 60_000, 255).code()
    with pytest.raises(MaskCodecError, match="overruns"):
        decode_brush(code, Size(1, 1))


def test_a_literal_beyond_the_end_is_refused() -> None:
    code = BitWriter(4, length_bits=(3, 4, 8, 16)).literal(0, 1, 2, 3, 4, 5).code()
    with pytest.raises(MaskCodecError, match="overruns"):
        decode_brush(code, Size(1, 1))


@pytest.mark.parametrize(
    "rle",
    [
        ["a"],
        [1.5],
        [None],
        [[1]],
        [-1],
        [256],
        [10**40],
        "text",
        None,
        {},
        {"a": 1},
        [0, 0, 0, 4, "1"],
        [],
        b"",
    ],
    ids=repr,
)
def test_what_is_no_list_of_bytes_is_refused(rle: Any) -> None:
    with pytest.raises(MaskCodecError):
        decode_brush(rle, Size(1, 1))


def decodes_or_is_refused(rle: Any, size: Size) -> None:
    try:
        mask = decode_brush(rle, size)
    except MaskCodecError:
        pass
    else:
        assert mask.shape == tuple(size)
        assert mask.dtype == np.uint8


SIZES = st.builds(Size, st.integers(0, 9), st.integers(0, 9))


@given(st.binary(max_size=60), SIZES)
def test_random_bytes_never_raise_anything_else(data: bytes, size: Size) -> None:
    decodes_or_is_refused(data, size)


@given(st.binary(max_size=60), SIZES, st.integers(0, 0xFFFFF))
def test_random_bytes_after_a_fitting_header_never_raise_anything_else(
    data: bytes, size: Size, length_fields: int
) -> None:
    header = struct.pack(">I", size.height * size.width * 4)
    middle = (7 << 19 | length_fields & 0xFFFF << 3 | length_fields & 7).to_bytes(3, "big")
    decodes_or_is_refused(header + middle + data, size)


@given(st.data())
def test_a_damaged_code_never_raises_anything_else(data: st.DataObject) -> None:
    code = bytearray(SAMPLE.code)
    for _ in range(data.draw(st.integers(1, 4))):
        code[data.draw(st.integers(0, len(code) - 1))] = data.draw(st.integers(0, 255))
    decodes_or_is_refused(bytes(code), SAMPLE.size)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=9))
def test_random_json_never_raises_anything_else(value: Any) -> None:
    if not isinstance(value, int):  # a bare number is no sequence, whatever `bytes` makes of it
        decodes_or_is_refused(value, Size(1, 1))


@given(SMALL_MASKS)
def test_a_png_holds_the_mask_as_0_and_255(mask: Mask) -> None:
    image = Image.open(io.BytesIO(to_png(mask)))
    assert image.format == "PNG"
    assert image.mode == "L"
    np.testing.assert_array_equal(np.asarray(image), mask * np.uint8(255))


@pytest.mark.parametrize("shape", [(0, 4), (4, 0)])
def test_a_mask_without_pixels_is_no_png(shape: tuple[int, int]) -> None:
    with pytest.raises(MaskCodecError, match="shape"):
        to_png(np.zeros(shape, np.bool_))
