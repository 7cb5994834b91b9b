"""What an image file's bytes say before anything is decoded: its size, and how many parts it has.

A few bytes can stand for hours of work: 20,000 scans of a JPEG, a million chunks of a PNG. Each
format has one reader here, a row of :data:`READERS`. A reader never decodes; bytes that it cannot
follow give None, and the decoder says what is wrong with them.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from edgeflow.errors import ImageError, ImageTooLargeError
from edgeflow.images.formats import check_pixels, format_of

MAX_SIDE = 65_535
"""Longest side in pixels: that of a JPEG, and of a canvas of the browsers that show the image."""

MAX_PARTS = {
    "JPEG scans": 500,
    "JPEG segments": 10_000,
    "PNG chunks": 65_536,
    "GIF blocks": 65_536,
    "TIFF directories": 10_000,
    "TIFF entries": 4_096,
}
"""Most parts of a file. Cameras and editors write at most a few dozen scans; libjpeg-turbo's own
tests stop at 500, too."""


@dataclass(frozen=True)
class Header:
    """What a file says about itself.

    Attributes:
        format: Pillow's name of the format.
        width: Stored width in pixels, before any orientation.
        height: Stored height in pixels.
        bytes_each: Most bytes that the decoder's own working copy holds for one pixel; 0 where it
            decodes row by row. Progressive JPEGs keep all coefficients.
        plain: Whether the file is a whole JPEG or PNG with 8 bits, grey or RGB, without alpha.
    """

    format: str
    width: int
    height: int
    bytes_each: int = 0
    plain: bool = False

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.width * self.height


def read_header(data: bytes) -> Header | None:
    """Read a file's header and count its parts; None for bytes of no known format.

    Raises:
        ImageError: The file has more parts than any honest one.
    """
    kind = format_of(data)
    if kind is None:
        return None
    try:
        return READERS[kind.name](data)
    except (struct.error, IndexError, ValueError):  # cut off: the decoder says so
        return None


def check_size(header: Header, max_pixels: int) -> None:
    """Refuse an image that is too large.

    Raises:
        ImageTooLargeError: More than ``max_pixels``, or a side above :data:`MAX_SIDE`.
    """
    check_pixels(header.width, header.height, max_pixels)
    if max(header.width, header.height) > MAX_SIDE:
        raise ImageTooLargeError(
            f"the image has {header.width}×{header.height} pixels, the limit of a side is "
            f"{MAX_SIDE}",
            hint="resize the image, or cut it up with `edgeflow tile`",
        )


def _count(what: str, count: int) -> None:
    if count > MAX_PARTS[what]:
        raise ImageError(
            f"the image has more than {MAX_PARTS[what]} {what}",
            hint="no camera or editor writes such a file: save it anew in an image editor",
        )


_JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_BASELINE_OR_PROGRESSIVE = frozenset({0xC0, 0xC1, 0xC2})


def _jpeg(data: bytes) -> Header | None:
    position, scans, segments, whole = 2, 0, 0, False
    frames: list[tuple[int, int, int, int, int]] = []
    while found := _JPEG_MARKER.search(data, position):
        marker, position = data[found.end() - 1], found.end()
        if marker == 0xD9:
            whole = True
            break
        if marker in (0xD8, 0x01):
            continue
        (length,) = struct.unpack_from(">H", data, position)
        if marker in _FRAMES:
            frames.append((marker, *struct.unpack_from(">BHHB", data, position + 2)))
        scans += marker == 0xDA
        segments += 1
        _count("JPEG scans", scans)
        _count("JPEG segments", segments)
        position += max(length, 2)
    if not frames:
        return None
    marker, bits, height, width, channels = frames[-1]
    plain = (
        whole
        and len(frames) == 1
        and marker in _BASELINE_OR_PROGRESSIVE
        and bits == 8
        and channels in (1, 3)
    )
    coefficients = 2 * channels if marker in _PROGRESSIVE or scans > 1 else 0
    return Header("JPEG", width, height, coefficients, plain)


def _png(data: bytes) -> Header | None:
    width, height, bits, colour = struct.unpack_from(">IIBB", data, 16)
    position, chunks, kinds, late_exif = 8, 0, set(), False
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        chunks += 1
        _count("PNG chunks", chunks)
        late_exif = late_exif or (kind == b"eXIf" and b"IDAT" in kinds)
        kinds.add(kind)
        position += length + 12
        if kind == b"IEND":
            break
    whole = b"IEND" in kinds and position <= len(data)
    plain = (
        whole
        and bits == 8
        and colour in (0, 2)
        and not late_exif
        and not kinds & {b"tRNS", b"acTL"}
    )
    return Header("PNG", width, height, plain=plain)


def _gif(data: bytes) -> Header:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    position, blocks = 13 + _gif_table(flags), 0
    while data[position] == 0x21:  # extensions before the first frame, the only one that is read
        position += 2
        while length := data[position]:
            position += length + 1
            blocks += 1
            _count("GIF blocks", blocks)
        position += 1
    if data[position] == 0x2C:  # Pillow enlarges the canvas to its first frame
        left, top, wide, high = struct.unpack_from("<HHHH", data, position + 1)
        width, height = max(width, left + wide), max(height, top + high)
    return Header("GIF", width, height)


def _gif_table(flags: int) -> int:
    """Bytes of the colour table that a descriptor's flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _tiff(data: bytes) -> Header | None:
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    offset, entries, entry_bytes = ("Q", "Q", 20) if big else ("I", "H", 12)
    count_bytes, value_at = (8, 12) if big else (2, 8)
    (position,) = struct.unpack_from(order + offset, data, 8 if big else 4)
    directories, tags = 0, dict[int, int]()
    while position:
        directories += 1
        _count("TIFF directories", directories)
        (count,) = struct.unpack_from(order + entries, data, position)
        _count("TIFF entries", count)
        first = position + count_bytes
        if directories == 1:
            for place in range(first, first + count * entry_bytes, entry_bytes):
                tag, kind = struct.unpack_from(order + "HH", data, place)
                if tag in (256, 257, 258, 277):
                    value = {1: "B", 3: "H", 16: "Q"}.get(kind, "I")
                    (tags[tag],) = struct.unpack_from(order + value, data, place + value_at)
                    (length,) = struct.unpack_from(order + offset, data, place + 4)
                    if tag == 258 and length > (4 if big else 2):
                        (at,) = struct.unpack_from(order + offset, data, place + value_at)
                        (tags[258],) = struct.unpack_from(order + "H", data, at)
        try:
            (position,) = struct.unpack_from(order + offset, data, first + count * entry_bytes)
        except struct.error:
            break  # a damaged chain harms none but the pages behind it
    if 256 not in tags or 257 not in tags:
        return None
    bits = min(tags.get(258, 1), 64)
    # A copy as it is stored, and one on the way to it, where Pillow's own are not used.
    return Header(
        "TIFF", tags[256], tags[257], bytes_each=(bits > 8) * bits * min(tags.get(277, 1), 64) // 4
    )


def _webp(data: bytes) -> Header | None:
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    return Header("WEBP", width, height)


def _bmp(data: bytes) -> Header:
    (length,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if length == 12 else "<ii", data, 18)
    return Header("BMP", abs(width), abs(height))


_PPM_HEADER = re.compile(
    rb"P[1-7fFy]\s+(?:#[^\n]{0,4096}\n\s*)*(\d{1,10})\s+(?:#[^\n]{0,4096}\n\s*)*(\d{1,10})"
)


def _ppm(data: bytes) -> Header | None:
    found = _PPM_HEADER.match(data)
    return Header("PPM", int(found[1]), int(found[2])) if found else None


def _jpeg2000(data: bytes) -> Header | None:
    marker = data.find(b"\xff\x4f\xff\x51")
    if marker < 0:
        return None
    right, bottom, left, top = struct.unpack_from(">IIII", data, marker + 8)
    return Header("JPEG2000", right - left, bottom - top)


def _avif(data: bytes) -> Header | None:
    """The largest of the sizes that the file's items have; a grid's tiles have one each."""
    sizes = [
        struct.unpack_from(">II", data, found.end() + 4)
        for found in re.finditer(rb"ispe", data[: 1 << 16])
    ]
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    return Header("AVIF", width, height)


READERS: dict[str, Callable[[bytes], Header | None]] = {
    "AVIF": _avif,
    "BMP": _bmp,
    "GIF": _gif,
    "JPEG": _jpeg,
    "JPEG2000": _jpeg2000,
    "PNG": _png,
    "PPM": _ppm,
    "TIFF": _tiff,
    "WEBP": _webp,
}
"""Who reads each of :data:`edgeflow.images.formats.FORMATS`."""
