from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from edgeflow.errors import ImageError, ImageTooLargeError
from edgeflow_backend.images.decoding.headers import MAX_PARTS, MAX_SIDE, check_size, read_header
from tests.contract.images import png_header
from tests.unit.edgeflow_backend.images.decoding.hostile import many_chunks, many_scans


def encoded(
    kind: str, mode: str = "RGB", size: tuple[int, int] = (40, 30), **options: object
) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(np.arange(size[0] * size[1], dtype=np.uint8).reshape(size[::-1]))
    image.convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGB"), ("PNG", "RGBA"),
        ("PNG", "P"), ("GIF", "P"), ("BMP", "RGB"), ("TIFF", "RGB"), ("TIFF", "L"),
        ("WEBP", "RGB"), ("WEBP", "RGBA"), ("PPM", "RGB"), ("JPEG2000", "RGB"), ("AVIF", "RGB"),
    ],
)  # fmt: skip
def test_the_size_is_read_as_pillow_reads_it(kind: str, mode: str) -> None:
    header = read_header(encoded(kind, mode))
    assert header is not None
    assert (header.format, header.width, header.height) == (kind, 40, 30)


@pytest.mark.parametrize(
    ("kind", "mode", "plain"),
    [
        ("JPEG", "RGB", True), ("JPEG", "L", True), ("JPEG", "CMYK", False), ("PNG", "RGB", True),
        ("PNG", "L", True), ("PNG", "RGBA", False), ("PNG", "P", False), ("TIFF", "RGB", False),
    ],
)  # fmt: skip
def test_which_images_are_plain(kind: str, mode: str, *, plain: bool) -> None:
    data = encoded(kind, mode)
    header = read_header(data)
    assert header is not None
    assert header.plain is plain
    cut = read_header(data[:-3])
    assert cut is not None
    assert not cut.plain, "a cut file is Pillow's"


def test_a_progressive_jpeg_counts_its_coefficients() -> None:
    header = read_header(encoded("JPEG", progressive=True))
    assert header is not None
    assert header.bytes_each == 6


def gif_with_comments(count: int) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0, 0, 0) + b"!\xfe" + b"\x01x" * count + b"\0,"


def tiff_in_a_circle() -> bytes:
    return b"II*\0" + struct.pack("<IHI", 8, 0, 8)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (many_scans(501), "JPEG scans"),
        (many_scans(20_000), "JPEG scans"),
        (b"\xff\xd8" + b"\xff\xfe\0\2" * 10_001, "JPEG segments"),
        (many_chunks(70_000), "PNG chunks"),
        (gif_with_comments(70_000), "GIF blocks"),
        (tiff_in_a_circle(), "TIFF directories"),
        (b"MM\0*" + struct.pack(">IH", 8, 65_535), "TIFF entries"),
        (b"II*\0" + struct.pack("<IH", 8, 5_000), "TIFF entries"),
    ],
    ids=str,
)
def test_too_many_parts_are_refused(data: bytes, what: str) -> None:
    with pytest.raises(ImageError, match=f"more than {MAX_PARTS[what]} {what}") as error:
        read_header(data)
    assert error.value.hint


@pytest.mark.parametrize(
    "data",
    [
        encoded("JPEG", progressive=True), many_scans(400), many_chunks(1000),
        encoded("GIF", "P", comment=b"c" * 9999), encoded("TIFF", compression="tiff_lzw"),
        b"", b"<html>", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"GIF89a",
        b"RIFF\0\0\0\0WEBP", b"BM", b"P6\n", b"\0\0\0\x20ftypavif", b"\xff\x4f\xff\x51\0",
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_danger_is_left_to_the_decoder(data: bytes) -> None:
    read_header(data)


@pytest.mark.parametrize(
    ("width", "height", "allowed"),
    [
        (1, MAX_SIDE, True), (MAX_SIDE, 1, True), (1000, 1000, True), (8000, 10_000, True),
        (1, MAX_SIDE + 1, False), (80_000_000, 1, False), (1, 80_000_000, False),
        (10_000, 8001, False),
    ],
)  # fmt: skip
def test_sides_and_pixels_are_limited(width: int, height: int, *, allowed: bool) -> None:
    header = read_header(png_header(width, height))
    assert header is not None
    if allowed:
        check_size(header, 80_000_000)
    else:
        with pytest.raises(ImageTooLargeError, match="the limit") as error:
            check_size(header, 80_000_000)
        assert error.value.hint


def test_a_long_file_is_read_in_no_time() -> None:
    data = encoded("JPEG")
    noise = np.random.default_rng(0).integers(0, 256, 4 << 20, dtype=np.uint8).tobytes()
    read_header(data[:-2] + noise.replace(b"\xff", b"\xff\0") + data[-2:])
    assert zlib.crc32(noise)
