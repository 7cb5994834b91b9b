"""What turns an image, as measured in Chromium 156 by ``naturalWidth`` and canvas pixels."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeflow.images import decode_image
from edgeflow.images.orientation import turned
from tests.contract.images import XMP_TURNED

QUARTERS = np.repeat(
    np.repeat(
        np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8), 16, 0
    ),
    32,
    1,
)
"""Red, green; blue, white: 32×64×3."""


def saved(kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(QUARTERS).save(buffer, kind, **options)
    return buffer.getvalue()


def exif(
    value: int | None = 6, *, order: str = "<", kind: int = 3, count: int = 1, magic: int = 42
) -> bytes:
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", magic, 8)
    packed = struct.pack(f"{order}I" if kind == 4 else f"{order}Hxx", value or 0)
    entry = struct.pack(f"{order}HHI", 0x112, kind, count) + packed
    entries = [] if value is None else [entry]
    return b"".join((head, struct.pack(f"{order}H", len(entries)), *entries, bytes(4)))


def jpeg(*payloads: bytes, before_scan: bool = False) -> bytes:
    plain = saved("JPEG", quality=95, subsampling=0)
    at = plain.index(b"\xff\xda") if before_scan else 2
    segments = [b"\xff\xe1" + struct.pack(">H", len(each) + 2) + each for each in payloads]
    return b"".join((plain[:at], *segments, plain[at:]))


def block(value: int | None = 6, **options: Any) -> bytes:
    return b"Exif\0\0" + exif(value, **options)


def xmp() -> bytes:
    return b"http://ns.adobe.com/xap/1.0/\0" + XMP_TURNED


def png(kind: bytes, data: bytes, *, last: bool = False, sound: bool = True) -> bytes:
    plain = saved("PNG")
    at = len(plain) - 12 if last else 33
    checksum = zlib.crc32(kind + data) if sound else 0
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
    return plain[:at] + chunk + plain[at:]


MEASURED: dict[str, tuple[bytes, int]] = {
    **{f"jpeg {n}": (jpeg(block(n)), n if n < 9 else 1) for n in (0, *range(1, 10), 65535)},
    **{f"png {n}": (png(b"eXIf", exif(n)), n if n < 9 else 1) for n in (0, *range(1, 10))},
    **{f"webp {n}": (saved("WEBP", lossless=True, exif=exif(n)), 1) for n in range(1, 9)},
    **{f"lossy webp {n}": (saved("WEBP", quality=95, exif=exif(n)), 1) for n in (3, 6, 8)},
    # Pillow writes an EXIF orientation into AVIF's own boxes.
    **{
        f"avif {n}": (saved("AVIF", quality=95, subsampling="4:4:4", exif=block(n)), n)
        for n in range(1, 9)
    },
    "webp xmp": (saved("WEBP", lossless=True, xmp=XMP_TURNED), 1),
    "avif xmp": (saved("AVIF", quality=95, subsampling="4:4:4", xmp=XMP_TURNED), 1),
    "jpeg big-endian": (jpeg(block(order=">")), 6),
    "jpeg xmp": (jpeg(xmp()), 1),
    "jpeg exif, xmp": (jpeg(block(3), xmp()), 3),
    "jpeg xmp, exif": (jpeg(xmp(), block(3)), 3),
    "jpeg exif 1, xmp": (jpeg(block(1), xmp()), 1),
    "jpeg exif without one, xmp": (jpeg(block(None), xmp()), 1),
    "jpeg as a 32-bit value": (jpeg(block(kind=4)), 1),
    "jpeg two values": (jpeg(block(count=2)), 1),
    "jpeg other magic": (jpeg(block(magic=43)), 1),
    "jpeg two blocks": (jpeg(block(3), block(6)), 3),
    "jpeg damaged block, another": (jpeg(b"Exif\0\0rubbish", block(6)), 1),
    "jpeg before the scan": (jpeg(block(), before_scan=True), 6),
    "jpeg without directory's end": (jpeg(block()[:-4]), 6),
    "jpeg other second byte": (jpeg(b"Exif\0\xff" + exif()), 6),
    "png after the pixels": (png(b"eXIf", exif(), last=True), 1),
    "png with JPEG's prefix": (png(b"eXIf", block()), 1),
    "png wrong checksum": (png(b"eXIf", exif(), sound=False), 1),
    "png big-endian": (png(b"eXIf", exif(order=">")), 6),
    "png xmp": (png(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP_TURNED), 1),
}


@pytest.mark.parametrize("name", MEASURED)
def test_an_image_is_turned_as_the_browser_turns_it(name: str) -> None:
    data, orientation = MEASURED[name]
    expected = turned(QUARTERS, orientation or 1)
    decoded = decode_image(data)
    assert decoded.shape == expected.shape
    corners = [(4, 4), (4, -5), (-5, 4), (-5, -5)]
    for row, column in corners:
        np.testing.assert_allclose(
            decoded[row, column].astype(int), expected[row, column].astype(int), atol=40
        )


@pytest.mark.parametrize("name", ["jpeg 6", "png 8", "avif 6", "webp 6"])
def test_as_stored_nothing_is_turned(name: str) -> None:
    assert decode_image(MEASURED[name][0], as_stored=True).shape == QUARTERS.shape
