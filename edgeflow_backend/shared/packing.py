"""Values as bytes: fixed types, no code, every length checked before it is believed.

Never pickles: whoever can write to Redis could run code with them.
"""

from __future__ import annotations

import math
import struct
import zlib

import numpy as np
import torch
from torch import Tensor

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click

MAX_SIDE = 1_000_000
"""Longest side of a mask, pixels."""

MAX_MAP_SIDE = 4096
"""Longest side of a network's map."""


class SpoiledValueError(ValueError):
    """Bytes that are not what they should be."""


class Packer:
    """Appends values to a byte string; :class:`Unpacker` reads them in the same order."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def bytes(self) -> bytes:
        """All that was added."""
        return b"".join(self._parts)

    def number(self, value: int) -> None:
        """Add a whole number of 64 bits with its sign."""
        self._parts.append(struct.pack("<q", value))

    def real(self, value: float) -> None:
        """Add a float, bit for bit."""
        self._parts.append(struct.pack("<d", value))

    def flag(self, value: bool) -> None:
        """Add a truth value."""
        self._parts.append(b"\1" if value else b"\0")

    def text(self, value: str) -> None:
        """Add a text; lone surrogates, which JSON may hold, stay as they are."""
        code = value.encode("utf-8", "surrogatepass")
        self.number(len(code))
        self._parts.append(code)

    def box(self, box: Box | None) -> None:
        """Add a box or None."""
        self.flag(box is not None)
        for side in box or ():
            self.number(side)

    def clicks(self, clicks: tuple[Click, ...]) -> None:
        """Add clicks in image pixels."""
        self.number(len(clicks))
        for click in clicks:
            self.real(click.point.x)
            self.real(click.point.y)
            self.flag(click.positive)

    def mask(self, mask: BoolMask) -> None:
        """Add an h×w mask, eight pixels a byte, compressed."""
        height, width = mask.shape
        code = zlib.compress(np.packbits(mask).tobytes(), 1)
        for count in (height, width, len(code)):
            self.number(count)
        self._parts.append(code)

    def patch(self, patch: MaskPatch) -> None:
        """Add a mask and its place."""
        self.box(patch.box)
        self.number(patch.image_size.height)
        self.number(patch.image_size.width)
        self.mask(patch.pixels)

    def map(self, values: Tensor) -> None:
        """Add a 1×1×h×w float32 map in rows, bit for bit, whatever its strides and device.

        Raises:
            ValueError: It is of another shape or type.
        """
        if values.dtype != torch.float32 or values.ndim != 4 or values.shape[:2] != (1, 1):
            raise ValueError(f"no 1×1×h×w float32 map: {tuple(values.shape)} {values.dtype}")
        self.number(values.shape[2])
        self.number(values.shape[3])
        rows = values.detach().cpu().numpy()[0, 0]
        self._parts.append(np.ascontiguousarray(rows, dtype="<f4").tobytes())


class Unpacker:
    """Reads what a :class:`Packer` made.

    Every method raises SpoiledValueError where the bytes cannot be what it reads.

    Args:
        data: The bytes.
        max_pixels: Most pixels of a mask, those of its image.
    """

    def __init__(self, data: bytes, max_pixels: int) -> None:
        self._data = memoryview(data)
        self._max_pixels = max_pixels
        self._at = 0

    def end(self) -> None:
        """Refuse bytes that are left over."""
        if self._at != len(self._data):
            raise SpoiledValueError("bytes are left over")

    def number(self, least: int = -(2**63), most: int = 2**63 - 1) -> int:
        """A whole number within limits."""
        value: int = struct.unpack("<q", self._take(8))[0]
        if not least <= value <= most:
            raise SpoiledValueError("a number out of range")
        return value

    def count(self, bytes_each: int) -> int:
        """How many values follow; no more than there are bytes for."""
        return self.number(0, (len(self._data) - self._at) // bytes_each)

    def real(self) -> float:
        """A float that is a number."""
        value: float = struct.unpack("<d", self._take(8))[0]
        if math.isnan(value):
            raise SpoiledValueError("no number")
        return value

    def flag(self) -> bool:
        """A truth value."""
        value = bytes(self._take(1))
        if value not in (b"\0", b"\1"):
            raise SpoiledValueError("neither true nor false")
        return value == b"\1"

    def text(self) -> str:
        """A text."""
        try:
            return str(self._take(self.count(1)), "utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise SpoiledValueError("a text that is none") from error

    def box(self) -> Box | None:
        """A box with no negative sides, or None."""
        if not self.flag():
            return None
        box = Box(*(self.number(-MAX_SIDE, 2 * MAX_SIDE) for _ in range(4)))
        if min(box.size) < 0:
            raise SpoiledValueError("an inverted box")
        return box

    def clicks(self) -> tuple[Click, ...]:
        """Clicks in image pixels."""
        return tuple(
            Click(ImagePoint(self.real(), self.real()), self.flag()) for _ in range(self.count(17))
        )

    def mask(self) -> BoolMask:
        """An h×w mask, a new array."""
        height, width = self.number(0, MAX_SIDE), self.number(0, MAX_SIDE)
        pixels = height * width
        if pixels > self._max_pixels:
            raise SpoiledValueError("a mask larger than its image")
        code, nbytes = self._take(self.count(1)), (pixels + 7) // 8
        unpacking = zlib.decompressobj()
        try:
            packed = unpacking.decompress(code, nbytes + 1)
        except zlib.error as error:
            raise SpoiledValueError("a mask that is none") from error
        if len(packed) != nbytes or not unpacking.eof:
            raise SpoiledValueError("a mask of another size")
        bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8), count=pixels)
        return bits.reshape(height, width).view(np.bool_)

    def patch(self) -> MaskPatch:
        """A mask that fits its place, on its image."""
        box = self.box()
        size = Size(self.number(0, MAX_SIDE), self.number(0, MAX_SIDE))
        pixels = self.mask()
        if box is None or pixels.shape != tuple(box.size):
            raise SpoiledValueError("a mask that does not fit its place")
        if box != box.intersection(Box.whole(size)):
            raise SpoiledValueError("a mask beside its image")
        return MaskPatch(pixels, box, size)

    def map(self) -> Tensor:
        """A 1×1×h×w float32 map of probabilities on the CPU, a new tensor."""
        height, width = (self.number(1, MAX_MAP_SIDE) for _ in range(2))
        rows = np.frombuffer(self._take(4 * height * width), dtype="<f4").astype(np.float32)
        if not (rows.min() >= 0 and rows.max() <= 1):  # which NaN is not, either
            raise SpoiledValueError("a map that is no probability")
        return torch.from_numpy(rows.reshape(1, 1, height, width))

    def _take(self, count: int) -> memoryview:
        if count > len(self._data) - self._at:
            raise SpoiledValueError("too short")
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken
