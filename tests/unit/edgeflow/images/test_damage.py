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
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP"])
def test_a_truncated_file_is_read_as_far_as_it_goes(kind: str, share: float) -> None:
    data = saved(kind, interlace=0) if kind == "GIF" else saved(kind)
    whole, cut = decode_image(data), data[: int(len(data) * share)]
    decoded = read_image(cut, partial=True)
    assert decoded.notes
    known = int(96 * (share - 0.2))
    there = slice(96 - known, 96) if kind == "BMP" else slice(known)  # BMP starts at the bottom
    np.testing.assert_array_equal(decoded.pixels[there], whole[there])
    if share < 0.9:
        assert (decoded.pixels[0 if kind == "BMP" else -1] == 255).all()
    with pytest.raises(ImageError):
        decode_image(cut)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_what_a_truncated_jpeg_lacks_is_white_in_any_colours(mode: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(NOISE).convert(mode).save(buffer, "JPEG")
    data = buffer.getvalue()
    decoded = read_image(data[: len(data) // 2], partial=True)
    np.testing.assert_array_equal(decoded.pixels[:8], decode_image(data)[:8])
    assert (decoded.pixels[-16:] == 255).all()


def test_a_truncated_progressive_jpeg_is_blurred_not_white() -> None:
    data = saved("JPEG", progressive=True)
    decoded = read_image(data[: len(data) // 2], partial=True)
    assert decoded.notes
    assert (decoded.pixels != 255).all(axis=2).mean() > 0.9


@pytest.mark.parametrize("block", [b"II*\0\xff\xff\xff\x7f", b"II*\0\x08\0\0\0" + b"\xff" * 42])
@pytest.mark.parametrize("orientation", [1, 6])
def test_an_avif_needs_no_sound_exif_and_is_turned_by_its_boxes(
    orientation: int, block: bytes
) -> None:
    exif = Image.Exif()
    exif[0x112] = orientation
    exif[0x10F] = "a camera"
    data = saved("AVIF", exif=exif)
    start = data.index(b"MM\0*")
    damaged = data[:start] + block[:8] + data[start + 8 :]
    expected = (64, 96, 3) if orientation == 6 else (96, 64, 3)
    assert decode_image(damaged).shape == expected
    # Pillow drops the EXIF's own orientation, so the maker's entry becomes a contradicting one.
    maker = b"\x01\x0f\0\2\0\0\0\x09\0\0\0\x1a"
    assert data.count(maker) == 1
    other = data.replace(maker, b"\x01\x12\0\3\0\0\0\1\0\x08\0\0")
    assert decode_image(other).shape == expected


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


@pytest.mark.parametrize("kind", sorted(FORMATS))
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
