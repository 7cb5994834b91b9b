"""TIFF files: what their first directory says, and pages without anything else for Pillow to read.

Pillow is never given the file's own directories: it warns of damaged tags, turns the image by XMP,
and follows chains of pages. It gets the same bytes under a new directory of the tags that pixels
need.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image, TiffImagePlugin

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
ORIENTATION, SAMPLES, PLANAR, PREDICTOR = 274, 277, 284, 317
TILE_WIDTH, EXTRA, SAMPLE_FORMAT = 322, 338, 339

PLACES = (273, 279, 324, 325)
"""Where strips and tiles are, and their sizes: a value for each, plane after plane."""

LAYOUT = (WIDTH, HEIGHT, COMPRESSION, 266, 278, TILE_WIDTH, 323, *PLACES)
"""Tags that say how bytes are stored, whatever they mean."""

MEANING = (BITS, PHOTOMETRIC, SAMPLES, PLANAR, PREDICTOR, EXTRA, SAMPLE_FORMAT, 320, 332, 336)
FAX_AND_JPEG = (292, 293, 347, *range(512, 522), *range(529, 533))
PIXELS = (*LAYOUT, *MEANING, *FAX_AND_JPEG)
"""All that Pillow needs to decode pixels."""

_INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_BYTES = {2: 1, 5: 8, 7: 1, 10: 8, 11: 4, 12: 8}
_LONG = 4


class Entry(NamedTuple):
    """A tag's value.

    Attributes:
        kind: The number of its type.
        length: How many values it has.
        raw: The values as they are stored.
    """

    kind: int
    length: int
    raw: bytes


@dataclass(frozen=True)
class Directory:
    """The first directory of a file.

    Attributes:
        data: The whole file.
        order: ``<`` or ``>``.
        entries: Values of the tags that are whole, by tag.
    """

    data: bytes
    order: str
    entries: Mapping[int, Entry]

    def values(self, tag: int, default: int | None = None) -> tuple[int, ...]:
        """The integers of a tag.

        Args:
            tag: Its number.
            default: What holds if there is no such tag.

        Raises:
            ValueError: There is none and no default.
        """
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in _INTEGERS or not entry.length:
            if default is None:
                raise ValueError(f"no tag {tag}")
            return (default,)
        return struct.unpack(f"{self.order}{entry.length}{_INTEGERS[entry.kind]}", entry.raw)

    def value(self, tag: int, default: int | None = None) -> int:
        """The first integer of a tag; see :meth:`values`."""
        return self.values(tag, default)[0]

    def page(self, tags: Iterable[int], changed: Mapping[int, tuple[int, ...]]) -> Image.Image:
        """Decode the file under another directory; the image is not turned.

        Args:
            tags: Tags that are kept, if they are there.
            changed: Tags that get other values.
        """
        entries = {tag: self.entries[tag] for tag in tags if tag in self.entries}
        longs = {tag: self.values(tag) for tag, entry in entries.items() if entry.kind == 16}
        for tag, values in {**longs, **changed}.items():
            packed = struct.pack(f"{self.order}{len(values)}I", *values)
            entries[tag] = Entry(_LONG, len(values), packed)
        file = _file(self.data, self.order, entries)
        image = TiffImagePlugin.TiffImageFile(io.BytesIO(file))
        # Made here, since Pillow would check it against a pixel limit of its own.
        image.im = Image.new(image.mode, image.size).im
        image.load()
        return image


def read_directory(data: bytes) -> Directory:
    """Read the first directory of a file; tags whose values are not in the file are left out.

    Raises:
        struct.error: The directory itself is not in the file.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = 43 in data[2:4]
    # Formats of the offset to the directory, of its count, and of an entry.
    offset, count, entry = ("Q", "Q", "HHQ8s") if big else ("I", "H", "HHI4s")
    (start,) = struct.unpack_from(order + offset, data, 8 if big else 4)
    (number,) = struct.unpack_from(order + count, data, start)
    start += struct.calcsize(order + count)
    entries: dict[int, Entry] = {}
    for each in range(min(number, 65_535)):
        place = start + each * struct.calcsize(order + entry)
        tag, kind, length, raw = struct.unpack_from(order + entry, data, place)
        size = struct.calcsize(_INTEGERS[kind]) if kind in _INTEGERS else _BYTES.get(kind, 0)
        size *= length
        if size > len(raw):
            (at,) = struct.unpack(order + offset, raw)
            raw = data[at : at + size]
        if size and len(raw) >= size:
            entries.setdefault(tag, Entry(kind, length, raw[:size]))
    return Directory(data, order, entries)


def _file(data: bytes, order: str, entries: Mapping[int, Entry]) -> bytes:
    start = len(data) + len(data) % 2
    beyond = start + 2 + 12 * len(entries) + 4
    parts, values = [struct.pack(f"{order}H", len(entries))], b""
    for tag, (kind, count, raw) in sorted(entries.items()):
        place = raw.ljust(4, b"\0")
        if len(raw) > 4:
            place = struct.pack(f"{order}I", beyond + len(values))
            values += raw + bytes(len(raw) % 2)
        parts.append(struct.pack(f"{order}HHI", tag, kind, count) + place)
    mark = b"II*\0" if order == "<" else b"MM\0*"
    header = mark + struct.pack(f"{order}I", start)
    return b"".join((header, data[8:], bytes(len(data) % 2), *parts, bytes(4), values))
