"""Annotated images that wait for their counterpart, in a fraction of the memory."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np

from edgeflow.annotated import AnnotatedImage, AnnotatedObject, DrawnBox, Outlines, Picture, Shape
from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import MaskPatch


class PackedMask(NamedTuple):
    """A mask, compressed.

    Attributes:
        data: Its pixels, row by row, one bit each, compressed.
        box: As of :class:`edgeflow.masks.patch.MaskPatch`.
        image_size: As there.
    """

    data: bytes
    box: Box
    image_size: Size

    @classmethod
    def of(cls, mask: MaskPatch) -> PackedMask:
        """Compress a mask."""
        bits = np.packbits(mask.pixels).tobytes()
        return cls(zlib.compress(bits, level=1), mask.box, mask.image_size)

    def unpacked(self) -> MaskPatch:
        """The mask."""
        height, width = self.box.size
        bits = np.frombuffer(zlib.decompress(self.data), dtype=np.uint8)
        pixels = np.unpackbits(bits, count=height * width).reshape(height, width)
        return MaskPatch(pixels.view(np.bool_), self.box, self.image_size)


class PackedObject(NamedTuple):
    """An object: see :class:`edgeflow.annotated.AnnotatedObject`; outlines are masks."""

    key: str
    labels: tuple[str, ...]
    shape: PackedMask | DrawnBox


class PackedImage(NamedTuple):
    """An image: see :class:`edgeflow.annotated.AnnotatedImage`."""

    key: str
    file_name: str
    size: Size
    packed: tuple[PackedObject, ...]
    picture: Picture | None = None

    def objects(self) -> list[AnnotatedObject]:
        """The objects, unpacked."""
        return [AnnotatedObject(key, labels, _unpack(shape)) for key, labels, shape in self.packed]


def pack(image: AnnotatedImage) -> PackedImage:
    """Compress an image's masks."""
    objects = [PackedObject(each.key, each.labels, _pack(each.shape)) for each in image.objects]
    return PackedImage(image.key, image.file_name, image.size, tuple(objects), image.picture)


def _pack(shape: Shape) -> PackedMask | DrawnBox:
    if isinstance(shape, DrawnBox):
        return shape
    return PackedMask.of(shape.mask if isinstance(shape, Outlines) else shape)


def _unpack(shape: PackedMask | DrawnBox) -> Shape:
    return shape if isinstance(shape, DrawnBox) else shape.unpacked()
