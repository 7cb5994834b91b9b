"""TIFF files of any layout, written by hand: no library at hand writes the rare ones."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Layout = Literal["strip", "strips", "tiles"]
Compression = Literal[
    "none", "lzw", "deflate", "lzw predictor", "deflate predictor", "deflate floats"
]

SHORT, LONG = 3, 4
TILE = 16
_FORMATS = {"u": 1, "i": 2, "f": 3}


def tiff(
    samples: npt.NDArray[Any],
    *,
    order: Literal["II", "MM"] = "II",
    planar: bool = False,
    layout: Layout = "strip",
    compression: Compression = "none",
    photometric: int | None = None,
    extra: dict[int, tuple[int, ...]] | None = None,
) -> bytes:
    """A TIFF of one page.

    Args:
        samples: H×W or H×W×samples, 8 to 64 bits.
        order: Byte order.
        planar: Whether the samples lie apart.
        layout: In one strip, in strips of five rows, or in tiles of 16×16.
        compression: With differences of neighbours, or of floats' bytes, if it says so.
        photometric: RGB for three samples and more, otherwise "0 is black", unless given.
        extra: Further tags of 16-bit values, or other values for the written ones.
    """
    pixels = samples[..., None] if samples.ndim == 2 else samples
    height, width, count = pixels.shape
    if photometric is None:
        photometric = 2 if count >= 3 else 1
    planes = [pixels[..., [each]] for each in range(count)] if planar else [pixels]
    end: Literal["<", ">"] = "<" if order == "II" else ">"
    parts = [
        _compressed(part, end, compression) for plane in planes for part in _parts(plane, layout)
    ]
    name, _, predictor = compression.partition(" ")
    rows = {"strip": height, "strips": 5, "tiles": height}[layout]
    tags: dict[int, tuple[int, tuple[int, ...]]] = {
        256: (LONG, (width,)),
        257: (LONG, (height,)),
        258: (SHORT, (pixels.dtype.itemsize * 8,) * count),
        259: (SHORT, ({"none": 1, "lzw": 5, "deflate": 8}[name],)),
        262: (SHORT, (photometric,)),
        277: (SHORT, (count,)),
        284: (SHORT, (2 if planar else 1,)),
        339: (SHORT, (_FORMATS[pixels.dtype.kind],) * count),
    }
    colours = 3 if photometric == 2 else 1
    if count > colours:
        tags[338] = (SHORT, (2,) * (count - colours))
    if predictor:
        tags[317] = (SHORT, ({"predictor": 2, "floats": 3}[predictor],))
    offsets = np.cumsum([8, *map(len, parts)]).tolist()
    places, sizes = (324, 325) if layout == "tiles" else (273, 279)
    tags[places] = (LONG, tuple(offsets[:-1]))
    tags[sizes] = (LONG, tuple(map(len, parts)))
    if layout == "tiles":
        tags |= {322: (SHORT, (TILE,)), 323: (SHORT, (TILE,))}
    else:
        tags[278] = (LONG, (rows,))
    tags |= {tag: (SHORT, values) for tag, values in (extra or {}).items()}
    return _file(b"".join(parts), tags, order)


def _file(pixels: bytes, tags: dict[int, tuple[int, tuple[int, ...]]], order: str) -> bytes:
    end = "<" if order == "II" else ">"
    pixels += bytes(len(pixels) % 2)
    start = 8 + len(pixels)
    beyond = start + 2 + 12 * len(tags) + 4
    entries, values = [], b""
    for tag, (kind, content) in sorted(tags.items()):
        packed = struct.pack(f"{end}{len(content)}{'H' if kind == SHORT else 'I'}", *content)
        place = packed.ljust(4, b"\0")
        if len(packed) > 4:
            place = struct.pack(f"{end}I", beyond + len(values))
            values += packed
        entries.append(struct.pack(f"{end}HHI", tag, kind, len(content)) + place)
    head = order.encode() + struct.pack(f"{end}HI", 42, start)
    return b"".join((head, pixels, struct.pack(f"{end}H", len(tags)), *entries, bytes(4), values))


def _parts(plane: npt.NDArray[Any], layout: Layout) -> Iterator[npt.NDArray[Any]]:
    height, width = plane.shape[:2]
    if layout == "tiles":
        padded = np.pad(plane, ((0, -height % TILE), (0, -width % TILE), (0, 0)), mode="edge")
        for top in range(0, height, TILE):
            for left in range(0, width, TILE):
                yield padded[top : top + TILE, left : left + TILE]
    else:
        rows = height if layout == "strip" else 5
        for top in range(0, height, rows):
            yield plane[top : top + rows]


def _compressed(part: npt.NDArray[Any], end: Literal["<", ">"], compression: Compression) -> bytes:
    if compression.endswith("predictor"):
        part = np.ascontiguousarray(part).view(f"u{part.dtype.itemsize}")
        part = np.diff(part, axis=1, prepend=np.zeros_like(part[:, :1]))
    if compression.endswith("floats"):
        height, width, count = part.shape
        apart = part.astype(">f4").view(np.uint8).reshape(height, width * count, 4).swapaxes(1, 2)
        steps = apart.reshape(height, -1, count)
        part = np.diff(steps, axis=1, prepend=np.zeros_like(steps[:, :1]))
    data = part.astype(part.dtype.newbyteorder(end)).tobytes()
    if compression.startswith("deflate"):
        return zlib.compress(data)
    return _lzw(data) if compression.startswith("lzw") else data


def _lzw(data: bytes) -> bytes:
    """LZW without a table: a clear code (256) before it would need codes of ten bits."""
    codes = []
    for start in range(0, len(data), 250):
        codes += [256, *data[start : start + 250]]
    bits = "".join(f"{code:09b}" for code in (*codes, 257))
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
