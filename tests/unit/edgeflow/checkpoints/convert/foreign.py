"""Foreign weights made for tests, some of them hostile."""

from __future__ import annotations

import os
import pickle
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

GOLDEN = Path(__file__).parents[4] / "golden" / "eiseg"
TINY = ("tiny_edgeflow_w4_ocr8_small", "tiny_hrnet_w4_ocr8_small")

Arrays = dict[str, npt.NDArray[np.float32]]


def pdparams(name: str = TINY[1]) -> Path:
    """A dynamic state dict."""
    return GOLDEN / f"{name}.pdparams"


def static(name: str = TINY[1]) -> tuple[bytes, bytes]:
    """A static export: the bytes of its two files."""
    path = GOLDEN / "static" / f"static_{name}"
    return path.with_suffix(".pdmodel").read_bytes(), path.with_suffix(".pdiparams").read_bytes()


def write_pdparams(path: Path, arrays: object) -> Path:
    """Write ``arrays`` as Paddle does."""
    path.write_bytes(pickle.dumps(arrays, protocol=4))
    return path


class Trap:
    """Unpickling this by the ordinary means would make a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self._path),)


def tensor_bytes(array: npt.NDArray[np.generic], *, dtype: int = 5) -> bytes:
    """One tensor of a .pdiparams."""

    def varint(value: int) -> bytes:
        out = bytearray()
        while value > 0x7F:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        out.append(value)
        return bytes(out)

    description = b"\x08" + varint(dtype)
    for side in array.shape:
        description += b"\x10" + varint(side)
    return (
        struct.pack("<IQIi", 0, 0, 0, len(description))
        + description
        + array.astype("<f4").tobytes()
    )
