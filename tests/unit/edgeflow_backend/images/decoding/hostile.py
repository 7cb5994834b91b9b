"""Small files that mean much work."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image


def many_scans(count: int, size: tuple[int, int] = (64, 64)) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + b"\xff\xd9"


def many_chunks(count: int) -> bytes:
    """A PNG with empty chunks before its pixels."""
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "PNG")
    data = buffer.getvalue()
    chunk = struct.pack(">I4sI", 0, b"tESt", zlib.crc32(b"tESt"))
    return data[:33] + chunk * count + data[33:]


def tall_png(height: int = 80_000_000) -> bytes:
    """A grey PNG of one pixel's width: few bytes, and millions of rows."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 1, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(2 * height))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )
