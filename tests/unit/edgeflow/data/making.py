"""Small images and masks on disk."""

from __future__ import annotations

import io
import json
import struct
import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgeflow.data.base import Dataset

Array = npt.NDArray[Any]

TWO_OBJECTS = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [0, 1, 1, 0, 2, 0],
        [0, 1, 1, 0, 2, 255],
        [0, 0, 0, 0, 0, 255],
    ],
    dtype=np.uint8,
)
"""4×6: object 1, object 2, and two pixels to ignore."""


def encoded(array: Array, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, **options)
    return buffer.getvalue()


def image_file(height: int = 4, width: int = 6, kind: str = "JPEG", **options: Any) -> bytes:
    rows, cols = np.mgrid[:height, :width]
    rgb = np.stack((rows * 20, cols * 20, rows + cols), axis=-1).astype(np.uint8)
    return encoded(rgb, kind, **options)


def turned_image(height: int, width: int, orientation: int) -> bytes:
    """A lossless image whose EXIF says that it lies on its side; red rises down its rows."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return image_file(height, width, "PNG", exif=exif)


def palette_png(indices: Array) -> bytes:
    image = Image.fromarray(indices.astype(np.uint8)).convert("P")
    image.putdata(indices.ravel().tolist())
    image.putpalette([value for k in range(256) for value in (255 - k, k * 7 % 256, k)])
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def grey_png(rows: Array, depth: int) -> bytes:
    """A greyscale PNG of 1, 2 or 4 bits a pixel, written by hand: Pillow writes none."""
    per_byte = 8 // depth
    lines = b""
    for row in rows.tolist():
        padded = row + [0] * (-len(row) % per_byte)
        lines += b"\0"
        for start in range(0, len(padded), per_byte):
            byte = 0
            for value in padded[start : start + per_byte]:
                byte = byte << depth | value
            lines += bytes([byte])
    height, width = rows.shape
    return bare_png(width, height, depth, zlib.compress(lines))


def huge_png() -> bytes:
    """A hundred bytes that claim 10¹⁰ pixels."""
    return bare_png(100_000, 100_000, 8, b"")


def bare_png(width: int, height: int, depth: int, data: bytes) -> bytes:
    """A greyscale PNG around compressed data."""
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    )


def put(root: Path, files: dict[str, bytes]) -> Path:
    """Write files by relative path."""
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def put_json(path: Path, document: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def put_tar(path: Path, members: list[tuple[str, bytes]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as file:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return path


def objects(dataset: Dataset, index: int = 0) -> list[list[tuple[int, int]]]:
    """Each object's pixels as (row, column)."""
    return [pixels(mask) for mask in dataset[index].objects]


def pixels(mask: Array | None) -> list[tuple[int, int]]:
    assert mask is not None
    assert mask.dtype == np.bool_
    return [(int(row), int(col)) for row, col in np.argwhere(mask)]


FIRST = [(1, 1), (1, 2), (2, 1), (2, 2)]
SECOND = [(1, 4), (2, 4)]
IGNORED = [(2, 5), (3, 5)]
