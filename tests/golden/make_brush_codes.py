"""Writes brush_codes.json with Label Studio's own encoder.

    .envs/label-studio/bin/python tests/golden/make_brush_codes.py

Masks and RGBA strokes are stored beside their codes, so that a test depends on no random generator.
"""

from __future__ import annotations

import base64
import json
import zlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from label_studio_sdk.converter.brush import decode_rle, encode_rle, mask2rle

TARGET = Path(__file__).with_name("brush_codes.json")

Mask = npt.NDArray[np.bool_]


def blob(height: int, width: int) -> Mask:
    """A smooth wavy disk with a hole."""
    rows, cols = np.mgrid[:height, :width]
    y, x = (rows - height / 2) / height, (cols - width / 2) / width
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    return np.asarray((radius < 0.35 + 0.05 * np.sin(5 * angle)) & (radius > 0.1))


def masks() -> dict[str, Mask]:
    """Shapes at the limits of the code's four length fields, and likely ones."""
    random = np.random.default_rng(20211011)
    found = {
        "one pixel, off": np.zeros((1, 1), bool),
        "one pixel, on": np.ones((1, 1), bool),
        "one row": np.array([[0, 0, 1, 1, 1, 0, 1]], bool),
        "one column": np.array([[1, 0, 0, 1, 1]], bool).T,
        "all off": np.zeros((37, 53), bool),
        "all on": np.ones((37, 53), bool),
        "longest run exactly": np.ones((128, 128), bool),
        "one pixel over the longest run": np.ones((1, 16385), bool),
        "twice the longest run": np.zeros((128, 256), bool),
        "longer than three longest runs": np.zeros((250, 200), bool),
        "checkerboard": np.indices((24, 31)).sum(0) % 2 == 1,
        "stripes": np.indices((20, 40))[0] % 3 == 0,
        "smooth blob": blob(120, 160),
        "large smooth blob": blob(480, 640),
    }
    for length in (1, 2, 3, 4, 5, 63, 64, 65, 66, 16383, 16384, 16385, 16448, 16449):
        row = np.zeros((1, length + 3), bool)
        row[0, 1 : length + 1] = True
        found[f"a run of {length} pixels"] = row
    for share in (0.02, 0.5, 0.98):
        found[f"ragged, {share:.0%} on"] = random.random((29, 43)) < share
    # Lengths 0 to 7 over a multiple of eight, so that each count of padding bits occurs.
    for count in range(1, 17):
        found[f"padding {count}"] = np.arange(count)[None] % 2 == 0
    return found


def strokes() -> dict[str, npt.NDArray[np.uint8]]:
    """RGBA images as people's strokes give them: single values, which are stored as literals."""
    random = np.random.default_rng(20211012)
    soft = np.zeros((31, 40, 4), np.uint8)
    soft[..., :3] = (255, 102, 7)
    soft[..., 3] = np.clip(300 * blob(31, 40) - random.integers(0, 90, (31, 40)), 0, 255)
    return {
        "noise": random.integers(0, 256, (9, 11, 4), dtype=np.uint8),
        "few values": random.integers(0, 3, (21, 17, 4), dtype=np.uint8),
        "soft brush": soft,
        "transparent": np.zeros((5, 6, 4), np.uint8),
    }


def packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 9)).decode()


def entry(name: str, shape: tuple[int, ...], content: bytes, code: list[int]) -> dict[str, Any]:
    return {
        "name": name,
        "height": shape[0],
        "width": shape[1],
        "content": packed(content),
        "code": packed(bytes(code)),
    }


def main() -> None:
    document: dict[str, Any] = {
        "made_by": f"label-studio-sdk {version('label-studio-sdk')}, converter.brush",
        "packing": "base64 of zlib; a mask's content is numpy.packbits, a stroke's is raw RGBA",
        "masks": [],
        "strokes": [],
    }
    for name, mask in masks().items():
        code = mask2rle(mask.astype(np.uint8) * 255)
        content = np.packbits(mask).tobytes()
        document["masks"].append(entry(name, mask.shape, content, code))
    for name, rgba in strokes().items():
        code = encode_rle(rgba.ravel())
        assert np.array_equal(decode_rle(code), rgba.ravel()), name
        document["strokes"].append(entry(name, rgba.shape, rgba.tobytes(), code))
    TARGET.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
