from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edgeflow.errors import ImageError
from edgeflow.images import decode_image
from edgeflow.images.depth import to_8_bits

RAMP = np.linspace(0, 1, 48 * 64).reshape(48, 64)


def stretched(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    wide = values.astype(np.float64)
    levels: npt.NDArray[np.uint8] = ((wide - wide.min()) / (wide.max() - wide.min()) * 255).astype(
        np.uint8
    )
    return levels


@pytest.mark.parametrize(
    "values",
    [
        (RAMP * 4095).astype(np.uint16),
        (RAMP * 4095 - 1024).astype(np.int16),
        (RAMP * 70000).astype(np.uint32),
        (RAMP * 4_000_000_000).astype(np.uint32),
        (RAMP * 3 - 1).astype(np.float32),
        (RAMP * 300).astype(">u2"),
    ],
)
def test_data_are_stretched_to_their_range(values: npt.NDArray[Any]) -> None:
    np.testing.assert_allclose(to_8_bits(values).astype(int), stretched(values), atol=1)


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
def test_full_16_bits_keep_their_high_byte(dtype: str) -> None:
    values = (RAMP * 65535).astype(dtype)
    np.testing.assert_array_equal(to_8_bits(values), values.astype(int) >> 8)


@pytest.mark.parametrize("value", [0, 255, 65535])
def test_a_plain_8_bit_value_stays(value: int) -> None:
    assert to_8_bits(np.full((2, 2), value >> 8, np.uint8))[0, 0] == value >> 8


COLOURS = (np.stack((RAMP, RAMP[::-1], RAMP[:, ::-1]), axis=-1) * 4095).astype(np.uint16)


@pytest.mark.parametrize("extension", [".png", ".tiff"])
@pytest.mark.parametrize("scale", [1, 16])
def test_colours_of_16_bits_are_right(extension: str, scale: int) -> None:
    data = cv2.imencode(extension, COLOURS[..., ::-1] * scale)[1].tobytes()
    np.testing.assert_allclose(decode_image(data).astype(int), stretched(COLOURS), atol=1)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_12_bits_of_grey_keep_their_levels(kind: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray((RAMP * 4095).astype(np.uint16)).save(buffer, kind)
    assert len(np.unique(decode_image(buffer.getvalue()))) > 200


SMALL = np.linspace(0, 1, 21 * 35).reshape(21, 35)
RGBA = np.dstack((SMALL, SMALL[::-1], SMALL[:, ::-1], np.flipud(SMALL)))
FULL = (RGBA * 65535).astype(np.uint16)
MARKED = FULL.copy()
MARKED[2:4] = (1000, 2000, 60_000, 0)


def png(values: npt.NDArray[Any], colour: int, transparent: bytes = b"") -> bytes:
    """A PNG of 16 bits, which Pillow writes for grey only."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(data, zlib.crc32(kind))
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    height, width = values.shape[:2]
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0))
    extra = chunk(b"tRNS", transparent) if transparent else b""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"".join((b"\x89PNG\r\n\x1a\n", header, extra, pixels, chunk(b"IEND", b"")))


def on_white(colours: npt.NDArray[Any], alpha: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.asarray(colours * alpha[..., None] + 255 * (1 - alpha[..., None]))


def with_white_rows(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    levels = (values >> 8).astype(float)
    levels[2:4] = 255
    return levels


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (png(FULL[..., 0], 0), FULL[..., :1] >> 8),
        (png(FULL[..., :3], 2), FULL[..., :3] >> 8),
        (png(FULL, 6), on_white(FULL[..., :3] >> 8, FULL[..., 3] / 65535)),
        (png(FULL[..., [0, 3]], 4), on_white(FULL[..., :1] >> 8, FULL[..., 3] / 65535)),
        (
            png(MARKED[..., :3], 2, struct.pack(">HHH", 1000, 2000, 60_000)),
            with_white_rows(MARKED[..., :3]),
        ),
        (png(MARKED[..., 0], 0, struct.pack(">H", 1000)), with_white_rows(MARKED[..., :1])),
        (png(FULL[..., 0] >> 4, 0), stretched(FULL[..., :1] >> 4)),
        (png(FULL[..., :3] >> 4, 2), stretched(FULL[..., :3] >> 4)),
    ],
    ids=["grey", "RGB", "RGBA", "LA", "RGB tRNS", "grey tRNS", "12-bit grey", "12-bit RGB"],
)
def test_16_bit_pngs(data: bytes, expected: npt.NDArray[Any]) -> None:
    np.testing.assert_allclose(
        decode_image(data).astype(float), np.broadcast_to(expected, (21, 35, 3)), atol=1.1
    )


@pytest.mark.parametrize("largest", [15, 255, 1000, 4095, 65535])
@pytest.mark.parametrize("kind", [2, 3, 5, 6], ids=lambda kind: f"P{kind}")
def test_pnm_of_any_largest_value(kind: int, largest: int) -> None:
    values = (RGBA[..., : 3 if kind in (3, 6) else 1] * largest).astype(np.uint16)
    if kind in (2, 3):
        body = " ".join(map(str, values.ravel())).encode()
    else:
        body = values.astype(">u2" if largest > 255 else "u1").tobytes()
    expected = np.broadcast_to(values.astype(float) * 255 / largest, (21, 35, 3))
    decoded = decode_image(b"P%d 35 21 %d\n" % (kind, largest) + body)
    np.testing.assert_allclose(decoded.astype(float), expected, atol=1.1)


WIDE = (COLOURS.astype(np.uint32) * 16).astype(np.uint16)


@pytest.mark.parametrize("values", [COLOURS, WIDE], ids=["12 bits", "16 bits"])
@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_2000(channels: int, values: npt.NDArray[Any]) -> None:
    values = np.tile(values, (3, 3, 1))[..., :channels]
    options = [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000]
    data = cv2.imencode(".jp2", np.ascontiguousarray(values[..., ::-1]), options)[1].tobytes()
    expected = np.broadcast_to(stretched(values), (*values.shape[:2], 3))
    np.testing.assert_allclose(decode_image(data).astype(int), expected, atol=1)


@pytest.mark.parametrize(
    ("marker", "bits", "says"),
    [
        (0xC0, 12, "JPEG of 12 bits"),
        (0xC1, 12, "JPEG of 12 bits"),
        (0xC2, 12, "JPEG of 12 bits"),
        (0xC3, 8, "lossless JPEG of 8 bits"),
        (0xC3, 16, "lossless JPEG of 16 bits"),
    ],
)
def test_deep_jpegs_are_refused_by_name(marker: int, bits: int, says: str) -> None:
    buffer = io.BytesIO()
    Image.new("L", (16, 16)).save(buffer, "JPEG")
    data = bytearray(buffer.getvalue())
    at = data.index(b"\xff\xc0")
    data[at + 1], data[at + 4] = marker, bits
    with pytest.raises(ImageError, match=says) as caught:
        decode_image(bytes(data))
    assert "convert it to PNG" in caught.value.hint
