"""PNG files, reduced to what their pixels need, as far as they go.

Browsers ignore ancillary chunks that are damaged or oversized, and show the rows before a damage.
Pillow refuses the whole image for either, and knows a switch for all threads only. So it is given
a file that has the needed chunks alone, all of them sound.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from edgeflow.errors import ImageError
from edgeflow.images.orientation import UPRIGHT, exif_orientation

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_NEEDED = (b"IHDR", b"PLTE", b"tRNS")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""By colour type."""

_PASSES = (
    (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4),
    (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1),
)  # fmt: skip
"""Adam7: first row, first column, and the steps to the next."""

_GRIDS = ((8, 8), (8, 4), (4, 4), (4, 2), (2, 2), (2, 1), (1, 1))
"""Adam7: the grid of pixels, rows and columns, that is known after each pass."""


class Header(NamedTuple):
    """The IHDR chunk."""

    width: int
    height: int
    depth: int
    colour: int
    compression: int
    filter: int
    interlace: int


@dataclass(frozen=True)
class PNG:
    """A PNG's parts.

    Attributes:
        header: Sizes and layout.
        needed: The chunks before the pixels that say what these mean, whole.
        stream: The compressed pixels, as far as they are sound.
        complete: Whether nothing was wrong with any chunk of pixels.
        orientation: 1 to 8, as in EXIF.
    """

    header: Header
    needed: tuple[bytes, ...]
    stream: bytes
    complete: bool
    orientation: int

    @property
    def transparent_grey(self) -> int | None:
        """The value that is transparent in an image of 16-bit grey; None if there is none."""
        if self.header.colour != 0:
            return None
        values = [chunk[8:10] for chunk in self.needed if chunk[4:8] == b"tRNS"]
        return int.from_bytes(values[-1], "big") if values else None

    def file(self, stream: bytes | None = None) -> bytes:
        """A sound file of the parts, with another stream of pixels if one is given."""
        pixels = png_chunk(b"IDAT", self.stream if stream is None else stream)
        return b"".join((SIGNATURE, *self.needed, pixels, png_chunk(b"IEND", b"")))


def read_png(data: bytes) -> PNG:  # noqa: PLR0912 - one branch for each kind of chunk
    """Take a PNG apart.

    Raises:
        ImageError: A chunk is damaged without which there is no image.
    """
    needed: list[bytes] = []
    stream: list[bytes] = []
    complete, orientation = True, 0
    animation: list[bytes] = []
    header = None
    for chunk in _chunks(data):
        if chunk.kind == b"IDAT":
            if not chunk.sound:
                complete = False
                # A truncated chunk cannot prove itself; one with a wrong checksum is not used.
                if chunk.truncated:
                    stream.append(chunk.data)
                break
            stream.append(chunk.data)
        elif stream or chunk.kind == b"IEND":
            break
        elif not chunk.sound:
            if not chunk.ancillary:
                raise _damaged(chunk.kind)
        elif chunk.kind == b"IHDR":
            if header is None and len(chunk.data) == 13:
                header = Header(*struct.unpack(">IIBBBBB", chunk.data))
                needed.append(png_chunk(chunk.kind, chunk.data))
        elif chunk.kind in (b"acTL", b"fcTL"):
            animation.append(chunk.kind)
        elif chunk.kind == b"eXIf":
            orientation = orientation or exif_orientation(chunk.data)
        elif chunk.kind in _NEEDED:
            needed.append(png_chunk(chunk.kind, chunk.data))
        elif not chunk.ancillary:
            raise _damaged(chunk.kind)
    if header is None or header.colour not in _CHANNELS:
        raise _damaged(b"IHDR")
    pixels = b"".join(stream)
    if animation == [b"acTL"]:  # the default image is no part of the animation
        frame = _first_frame(data, header)
        pixels, complete = frame or pixels, complete or bool(frame)
    return PNG(header, tuple(needed), pixels, complete, orientation or UPRIGHT)


def _first_frame(data: bytes, header: Header) -> bytes:
    """The stream of an animation's first frame; empty if it is not whole or not of full size."""
    parts: list[bytes] = []
    full = False
    for chunk in _chunks(data):
        if chunk.kind == b"fdAT" and full:
            if not chunk.sound:
                return b""
            parts.append(chunk.data[4:])
        elif chunk.kind == b"fcTL" and not full:
            size = struct.pack(">IIII", header.width, header.height, 0, 0)
            full = chunk.sound and chunk.data[4:20] == size
            if not full:
                break
        elif full:
            break
    return b"".join(parts)


class Missing(NamedTuple):
    """What a truncated image does not have.

    Attributes:
        rows: Number of rows from the top that are there.
        grid: Rows and columns between the pixels that are there.
    """

    rows: int
    grid: tuple[int, int]


def completed(png: PNG) -> tuple[bytes, Missing]:
    """A file with all rows: those that are there, and empty ones.

    Raises:
        ImageError: There is not a single row.
    """
    rows = list(_row_bytes(png.header))
    raw = _inflated(png.stream, sum(rows))
    known = int(np.searchsorted(np.cumsum(rows), len(raw), side="right"))
    if png.header.interlace:
        ends = np.cumsum([_pass_shape(png.header, each)[0] for each in _PASSES])
        passes = int(np.searchsorted(ends, known, side="right"))
        missing = Missing(png.header.height if passes else 0, _GRIDS[max(passes - 1, 0)])
    else:
        missing = Missing(known, (1, 1))
    if not missing.rows:
        raise _damaged(b"IDAT")
    raw = raw[: sum(rows[:known])]
    raw += bytes(sum(rows) - len(raw))
    return png.file(zlib.compress(raw, 1)), missing


class _Chunk(NamedTuple):
    kind: bytes
    data: bytes
    sound: bool
    truncated: bool

    @property
    def ancillary(self) -> bool:
        return bool(self.kind[0] & 0x20)


def _chunks(data: bytes) -> Iterator[_Chunk]:
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        content = data[at + 8 : end]
        truncated = end + 4 > len(data)
        sound = not truncated and zlib.crc32(content, zlib.crc32(kind)) == int.from_bytes(
            data[end : end + 4], "big"
        )
        yield _Chunk(kind, content, sound, truncated)
        at = end + 4


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file: length, kind, content, checksum."""
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", checksum)))


def _pass_shape(header: Header, step: tuple[int, int, int, int]) -> tuple[int, int]:
    """Rows and columns of one of Adam7's passes; none of either if it is empty."""
    top, left, down, across = step
    rows = max(-(-(header.height - top) // down), 0)
    columns = max(-(-(header.width - left) // across), 0)
    return (rows, columns) if rows and columns else (0, 0)


def _row_bytes(header: Header) -> Iterator[int]:
    """Bytes of each row of the stream, with its filter byte."""
    bits = header.depth * _CHANNELS[header.colour]
    whole = ((0, 0, 1, 1),)
    for step in _PASSES if header.interlace else whole:
        rows, columns = _pass_shape(header, step)
        yield from [1 + (columns * bits + 7) // 8] * rows


def _inflated(stream: bytes, limit: int) -> bytes:
    """What a stream holds before it ends or is damaged, ``limit`` bytes at most."""
    inflate, parts, size = zlib.decompressobj(), [], 0
    try:
        for start in range(0, len(stream), 1 << 12):
            part = inflate.decompress(stream[start : start + (1 << 12)], limit - size)
            parts.append(part)
            size += len(part)
            if size >= limit or inflate.eof:
                break
    except zlib.error:
        pass
    return b"".join(parts)


def _damaged(kind: bytes) -> ImageError:
    name = kind.decode("ascii", "replace")
    return ImageError(
        f"not a readable image (a PNG whose {name} chunk is damaged or missing)",
        hint="save it anew in an image editor, or fetch it again from where it came",
    )
