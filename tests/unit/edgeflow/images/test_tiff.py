"""TIFFs of more than 8 bits, and damaged ones, compared with colours worked out here."""

from __future__ import annotations

import struct
import warnings
import zlib
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest

from edgeflow.errors import ImageError
from edgeflow.images import decode_image
from edgeflow.images.orientation import turned
from tests.unit.edgeflow.images.tiffs import Compression, Layout, tiff

RAMP = np.linspace(0, 1, 21 * 35).reshape(21, 35)
RGB = np.stack((RAMP, RAMP[::-1], RAMP[:, ::-1]), axis=-1)
RGBA = np.dstack((RGB, np.flipud(RAMP)))

ORDERS: tuple[Literal["II", "MM"], ...] = ("II", "MM")
LAYOUTS: tuple[Layout, ...] = ("strip", "strips", "tiles")
COMPRESSIONS: tuple[Compression, ...] = (
    "none",
    "lzw",
    "deflate",
    "lzw predictor",
    "deflate predictor",
)

Values = npt.NDArray[Any]


def high_byte(values: Values) -> Values:
    return np.asarray(values.astype(int) >> 8)


def stretched(values: Values) -> Values:
    wide = values.astype(np.float64)
    return np.asarray((wide - wide.min()) / (wide.max() - wide.min()) * 255)


def on_white(colours: Values, alpha: Values) -> Values:
    return np.asarray(colours * alpha[..., None] + 255 * (1 - alpha[..., None]))


def check(data: bytes, expected: Values) -> None:
    if expected.ndim == 2:
        expected = expected[..., None]
    if expected.shape[2] == 1:
        expected = np.repeat(expected, 3, axis=2)
    np.testing.assert_allclose(decode_image(data).astype(float), expected, atol=1.6)


@pytest.mark.parametrize("planar", [False, True], ids=["together", "apart"])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("channels", ["RGB", "RGBA", "LA"])
def test_16_bits_in_every_layout(
    channels: str,
    compression: Compression,
    layout: Layout,
    order: Literal["II", "MM"],
    *,
    planar: bool,
) -> None:
    values = (RGBA * 65535).astype(np.uint16)
    values = {"RGB": values[..., :3], "RGBA": values, "LA": values[..., [0, 3]]}[channels]
    expected = high_byte(values[..., : 1 if channels == "LA" else 3])
    if "A" in channels:
        expected = on_white(expected, values[..., -1] / 65535)
    check(
        tiff(values, order=order, planar=planar, layout=layout, compression=compression), expected
    )


GREY: dict[str, tuple[Values, Any]] = {
    "int8": ((RAMP * 255 - 128).astype(np.int8), stretched),
    "int16": ((RAMP * 4000 - 1024).astype(np.int16), stretched),
    "int32": ((RAMP * 4e9 - 2e9).astype(np.int32), stretched),
    "12 in 16 bits": ((RAMP * 4095).astype(np.uint16), stretched),
    "uint16": ((RAMP * 65535).astype(np.uint16), high_byte),
    "uint32": ((RAMP * 4e9).astype(np.uint32), stretched),
    "float16": ((RAMP * 3 - 1).astype(np.float16), stretched),
    "float32": ((RAMP * 3 - 1).astype(np.float32), stretched),
    "float64": ((RAMP * 3 - 1).astype(np.float64), stretched),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("compression", ["none", "lzw", "deflate predictor"])
@pytest.mark.parametrize("name", GREY)
def test_every_kind_of_number(
    name: str, compression: Compression, layout: Layout, order: Literal["II", "MM"]
) -> None:
    values, rule = GREY[name]
    check(tiff(values, order=order, layout=layout, compression=compression), rule(values))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("planar", [False, True], ids=["together", "apart"])
@pytest.mark.parametrize(
    "values",
    [
        (RGB * 4000 - 1024).astype(np.int16),
        (RGB * 4e9).astype(np.uint32),
        (RGB * 3 - 1).astype(np.float32),
    ],
    ids=["int16", "uint32", "float32"],
)
def test_colours_of_other_numbers(
    values: Values, order: Literal["II", "MM"], *, planar: bool
) -> None:
    check(tiff(values, order=order, planar=planar), stretched(values))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", ["int16", "12 in 16 bits", "uint16", "float32"])
def test_white_may_be_zero(name: str, order: Literal["II", "MM"]) -> None:
    values, rule = GREY[name]
    check(tiff(values, order=order, photometric=0), 255.0 - rule(values))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("channels", [1, 3])
def test_packed_bits(channels: int, bits: int, order: Literal["II", "MM"]) -> None:
    values = (RGB[..., :channels] * (2**bits - 1)).astype(int)
    texts = ["".join(f"{each:0{bits}b}" for each in row.ravel()) for row in values]
    row_bytes = -(-len(texts[0]) // 8)
    rows = [int(text.ljust(row_bytes * 8, "0"), 2).to_bytes(row_bytes, "big") for text in texts]
    packed = np.frombuffer(b"".join(rows), np.uint8).reshape(21, row_bytes)
    extra = {
        256: (35,),
        258: (bits,) * channels,
        262: (2 if channels == 3 else 1,),
        277: (channels,),
        339: (1,) * channels,
    }
    check(tiff(packed, order=order, extra=extra), stretched(values))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("values", [RAMP, RGB], ids=["grey", "RGB"])
def test_differences_of_floats(values: Values, layout: Layout, order: Literal["II", "MM"]) -> None:
    floats = (values * 3 - 1).astype(np.float32)
    check(tiff(floats, order=order, layout=layout, compression="deflate floats"), stretched(floats))


@pytest.mark.parametrize("order", ORDERS)
def test_what_is_no_number_counts_as_the_smallest(order: Literal["II", "MM"]) -> None:
    values = (RAMP * 3 - 1).astype(np.float32)
    expected = stretched(values)
    values[3, 4], values[5, 6], values[7, 8] = np.nan, -np.inf, np.inf
    expected[3, 4], expected[5, 6], expected[7, 8] = 0, 0, 255
    check(tiff(values, order=order), expected)


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_a_further_sample_is_read_for_what_it_is(kind: int) -> None:
    values = (RGBA * 65535).astype(np.uint16)
    colours, alpha = high_byte(values[..., :3]), values[..., 3:] / 65535
    expected = {
        0: colours,
        1: np.minimum(colours + 255 * (1 - alpha), 255),
        2: on_white(colours, alpha[..., 0]),
    }[kind]
    check(tiff(values, extra={338: (kind,)}), expected)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("planar", [False, True], ids=["together", "apart"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_is_turned_by_its_own_tag(
    dtype: type, orientation: int, order: Literal["II", "MM"], *, planar: bool
) -> None:
    values: Values = (RGB * np.iinfo(dtype).max).astype(dtype)
    data = tiff(values, order=order, planar=planar, extra={274: (orientation,)})
    pixels = values if dtype is np.uint8 else (values >> 8).astype(np.uint8)
    expected = turned(pixels, orientation if orientation in range(1, 9) else 1)
    check(data, expected)
    np.testing.assert_array_equal(decode_image(data, as_stored=True), pixels)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (tiff((RGBA * 65535).astype(np.uint16), photometric=5), "CMYK"),
        (tiff((RGB * 65535).astype(np.uint16), photometric=6), "YCbCr"),
        (tiff((RGB * 65535).astype(np.uint16), photometric=8), "CIELab"),
        (tiff((RAMP * 65535).astype(np.uint16), photometric=32803), "raw sensor data"),
        (tiff((RAMP * 65535).astype(np.uint16), photometric=3), "a palette"),
        (tiff((RAMP * 65535).astype(np.uint16), extra={259: (7,)}), "lossy compression"),
        (tiff((RAMP * 65535).astype(np.uint16), extra={339: (5,)}), "this kind of samples"),
        (tiff((RGBA[..., :2] * 65535).astype(np.uint16), photometric=2), "2 of 3 colours"),
        (tiff((RGB * 65535).astype(np.uint16), extra={258: (16, 16, 8)}), "of different kinds"),
    ],
)
def test_what_is_not_read_is_named_with_a_way_out(data: bytes, says: str) -> None:
    with pytest.raises(ImageError, match=f"16 bits with .*{says}") as caught:
        decode_image(data)
    assert "convert it to PNG" in caught.value.hint


PLAIN = tiff((RGB * 255).astype(np.uint8))


def with_tag(tag: int, kind: int, count: int, value: bytes) -> bytes:
    """A TIFF with one entry more, at the end of its directory; unsorted, as damaged files are."""
    (start,) = struct.unpack_from("<I", PLAIN, 4)
    (number,) = struct.unpack_from("<H", PLAIN, start)
    entries = PLAIN[start + 2 : start + 2 + 12 * number]
    end = len(PLAIN)
    head = PLAIN[:4] + struct.pack("<I", end) + PLAIN[8:]
    extra = struct.pack("<HHI", tag, kind, count) + value
    return b"".join((head, struct.pack("<H", number + 1), entries, extra, bytes(4)))


def chained(offset: int) -> bytes:
    (start,) = struct.unpack_from("<I", PLAIN, 4)
    (number,) = struct.unpack_from("<H", PLAIN, start)
    at = start + 2 + 12 * number
    return PLAIN[:at] + struct.pack("<I", offset) + PLAIN[at + 4 :]


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        with_tag(270, 2, 2**31, b"\xff\xff\xff\x7f"),
        with_tag(700, 1, 100, b"\xff\xff\xff\x7f"),
        with_tag(34665, 4, 1, b"\xff\xff\xff\x7f"),
        with_tag(34665, 4, 1, b"\x08\0\0\0"),
        with_tag(330, 13, 1, b"\x08\0\0\0"),
        with_tag(34675, 7, 60, b"\x08\0\0\0"),
        with_tag(65000, 99, 3, b"abcd"),
        with_tag(282, 5, 1, b"\xff\xff\xff\xff"),
        with_tag(256, 3, 1, b"\1\0\0\0"),
        chained(struct.unpack_from("<I", PLAIN, 4)[0]),
        chained(2**32 - 1),
        chained(9),
    ],
    ids=lambda data: f"{zlib.crc32(data):08x}",
)
def test_damage_beside_the_pixels_costs_nothing(
    data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(decode_image(data), (RGB * 255).astype(np.uint8))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("tag", [256, 257])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_without_pixels_is_refused(dtype: type, tag: int) -> None:
    with pytest.raises(ImageError):
        decode_image(tiff(RGB.astype(dtype), extra={tag: (0,)}))
