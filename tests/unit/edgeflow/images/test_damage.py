"""Truncated, damaged and hostile files."""

from __future__ import annotations

import io
import random
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from edgeflow.errors import ImageError
from edgeflow.images import FORMATS, decode_image, read_image

NOISE = np.random.default_rng(0).integers(0, 256, (96, 64, 3), dtype=np.uint8)


def saved(kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(NOISE).save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes, *, sound: bool = True) -> bytes:
    checksum = zlib.crc32(kind + data) if sound else 0
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_truncated_file_is_read_as_far_as_it_goes(kind: str, share: float) -> None:
    data = saved(kind)
    whole, cut = decode_image(data), data[: int(len(data) * share)]
    decoded = read_image(cut, partial=True)
    assert decoded.notes
    known = int(96 * (share - 0.2))
    np.testing.assert_array_equal(decoded.pixels[:known], whole[:known])
    with pytest.raises(ImageError):
        decode_image(cut)


def test_a_jpeg_without_its_last_byte_is_read() -> None:
    data = saved("JPEG")
    np.testing.assert_array_equal(read_image(data[:-1], partial=True).pixels, decode_image(data))


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(3_000_000))),
        chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(100_000_000))),
        chunk(b"iCCP", b"x\0\0rubbish"),
        chunk(b"tIME", b"xy"),
        chunk(b"tEXt", b"a\0b", sound=False),
        chunk(b"tRNS", b"x", sound=False),
        chunk(b"acTL", b""),
        chunk(b"gAMA", b""),
        chunk(b"a\0b!", b"xyz"),
    ],
)
def test_ancillary_chunks_of_a_png_cost_nothing(extra: bytes) -> None:
    data = saved("PNG")
    np.testing.assert_array_equal(decode_image(data[:33] + extra + data[33:]), NOISE)


@pytest.mark.parametrize("kind", sorted(set(FORMATS) - {"AVIF"}))
def test_mutated_files_are_read_or_refused_in_words(kind: str) -> None:
    seed, chance = saved(kind), random.Random(kind)
    for _ in range(40):
        data = bytearray(seed)
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(data))
            match chance.randrange(3):
                case 0:
                    data[at] = chance.randrange(256)
                case 1:
                    data[at:at] = chance.randbytes(chance.randint(1, 9))
                case _:
                    del data[at : at + chance.randint(1, 9)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                decoded = read_image(bytes(data), max_pixels=10**6, partial=True)
            except ImageError as error:
                assert error.hint  # noqa: PT017 - either outcome is right
            else:
                assert decoded.pixels.dtype == np.uint8


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b'<?xml version="1.0"?>\n<!-- a -->\n<svg xmlns="x">', "SVG"),
        (b"\xff\x0a\xfa\x7f", "JPEG XL"),
        (b"8BPS\0\1", "Photoshop"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "PostScript"),
        (b"\0\0\1\0\1\0", "ICO"),
        (bytes(128) + b"DICM", "DICOM"),
    ],
)
def test_other_formats_are_refused_by_name(data: bytes, name: str) -> None:
    with pytest.raises(ImageError, match=name) as caught:
        decode_image(data)
    assert "convert it to PNG" in caught.value.hint
