"""Objects of the whole picture, never held as masks of its size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Box
from edgeflow.tiles.sidecar import TileSet
from edgeflow.tiles.stitching.joining import Joined, join
from edgeflow.tiles.stitching.pieces import Piece

AT_ONCE = 1 << 26
"""Most pixels of an object that are looked at together."""


@dataclass(frozen=True, eq=False)
class StitchedObject:
    """An object, put together from its pieces.

    Attributes:
        number: From 1, in the order in which their top left corners are read.
        label: Its class; None without one.
        pieces: What is drawn of it, in the order of the tasks; what any of them covers belongs to
            it.
    """

    number: int
    label: str | None
    pieces: tuple[Piece, ...]

    @property
    def box(self) -> Box:
        """Its bounding box in the picture."""
        return around(self.pieces)

    def strips(self, frame: Box | None = None) -> Iterator[tuple[Box, BoolMask]]:
        """Its mask from top to bottom, in parts as wide as its box: each its place and its pixels.

        Mostly it is one part.

        Args:
            frame: Part of the picture to look at in place of its box.
        """
        box = self.box if frame is None else frame
        down = max(AT_ONCE // box.size.width, 1)
        for top in range(box.top, box.bottom, down):
            place = box._replace(top=top, bottom=min(top + down, box.bottom))
            pixels = np.zeros(place.size, dtype=np.bool_)
            for piece in self.pieces:
                add(piece, place, pixels)
            yield place, pixels

    @cached_property
    def pixels(self) -> int:
        """How many belong to it."""
        return sum(int(np.count_nonzero(mask)) for _, mask in self.strips())


@dataclass(frozen=True, eq=False)
class Stitched:
    """A picture's objects.

    Attributes:
        tiles: Its tiles.
        pieces: All that is drawn, in the order of the tasks.
        objects: In the order of their numbers.
        owners: For each piece the number of its object.
        joined: What is to be told of how they came together.
    """

    tiles: TileSet
    pieces: Sequence[Piece]
    objects: Sequence[StitchedObject]
    owners: Sequence[int]
    joined: Joined


def stitched(tiles: TileSet, pieces: Sequence[Piece]) -> Stitched:
    """Put a picture's pieces together."""
    windows = [tile.box for tile in tiles.tiles]
    joined = join(pieces, windows, touching=tiles.overlap == 0)
    groups = [tuple(pieces[index] for index in group) for group in joined.objects]
    order = sorted(range(len(groups)), key=lambda place: around(groups[place])[:2])
    owners = [0] * len(pieces)
    objects = []
    for number, place in enumerate(order, start=1):
        objects.append(StitchedObject(number, groups[place][0].label, groups[place]))
        for index in joined.objects[place]:
            owners[index] = number
    return Stitched(tiles, pieces, objects, owners, joined)


def around(pieces: Sequence[Piece]) -> Box:
    """The bounding box of pieces, at least one."""
    boxes = np.array([piece.mask.box for piece in pieces], dtype=np.int64)
    top, left = boxes[:, :2].min(axis=0).tolist()
    bottom, right = boxes[:, 2:].max(axis=0).tolist()
    return Box(top, left, bottom, right)


def add(piece: Piece, place: Box, pixels: BoolMask) -> None:
    """Add a piece to a mask.

    Args:
        piece: It may reach beyond the mask.
        place: Of the mask in the picture.
        pixels: The mask, which is changed.
    """
    box = piece.mask.box
    common = box.intersection(place)
    if common.area:
        mask = piece.mask.unpacked().pixels[common.shifted(-box.top, -box.left).slices]
        pixels[common.shifted(-place.top, -place.left).slices] |= mask
