"""Which pieces are one object: those of one label that agree where their tiles overlap."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Box
from edgeflow.masks.patch import MaskPatch
from edgeflow.tiles.stitching.pieces import Piece, cropped, shared

ALIKE = 0.5
"""Least IoU, in the overlap, of two pieces of an object."""

WITHIN = 0.8
"""Or the least share of the smaller that lies in the larger."""


@dataclass
class Joined:
    """Pieces by object.

    Attributes:
        objects: Indices of each object's pieces, ascending; objects in the order of their first.
        differing: Pixels of overlaps on which pieces of one object differ; they belong to it.
        relabelled: Pairs of pieces that agree in shape, but not in label, and stay apart.
        regrouped: Objects that are several in some tile.
    """

    objects: list[list[int]] = field(default_factory=list)
    differing: int = 0
    relabelled: int = 0
    regrouped: int = 0


class _Part(NamedTuple):
    """A piece in an overlap.

    Attributes:
        piece: Index of the piece.
        label: The piece's.
        mask: As far as it lies there.
        pixels: How many those are.
    """

    piece: int
    label: str | None
    mask: MaskPatch
    pixels: int


class _Match(NamedTuple):
    """Two parts with common pixels."""

    one: _Part
    other: _Part
    common: int

    @property
    def iou(self) -> float:
        return self.common / (self.one.pixels + self.other.pixels - self.common)

    @property
    def within(self) -> float:
        return self.common / min(self.one.pixels, self.other.pixels)


def join(pieces: Sequence[Piece], windows: Sequence[Box], *, touching: bool = False) -> Joined:
    """Put pieces together across the borders of tiles.

    Two pieces of different tiles are one object if they have the same label and, within the overlap
    of their tiles, their IoU is at least a half, or one lies in the other. What merely touches
    stays apart: such pieces have hardly a pixel in common.

    Args:
        pieces: In any order.
        windows: Of each tile, in the picture.
        touching: For tiles that do not overlap: pieces are compared by the pixels on both sides of
            the border instead.
    """
    by_tile: defaultdict[int, list[int]] = defaultdict(list)
    for index, piece in enumerate(pieces):
        by_tile[piece.tile].append(index)
    joined = Joined()
    parents = list(range(len(pieces)))
    for one, other in _neighbours(sorted(by_tile), windows, touching=touching):
        ours, theirs = _overlap(windows[one], windows[other])
        down, right = ours.top - theirs.top, ours.left - theirs.left
        first = list(_parts(pieces, by_tile[one], ours))
        second = list(_parts(pieces, by_tile[other], theirs, down, right))
        matches = _matches(first, second)
        for match in matches:
            if match.one.label != match.other.label:
                joined.relabelled += match.iou >= ALIKE
            elif _agree(match, matches, first, second):
                joined.differing += match.one.pixels + match.other.pixels - 2 * match.common
                _unite(parents, match.one.piece, match.other.piece)
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for index in range(len(pieces)):
        groups[_root(parents, index)].append(index)
    joined.objects = list(groups.values())
    joined.regrouped = sum(
        len({pieces[index].tile for index in group}) < len(group) for group in joined.objects
    )
    return joined


def _neighbours(
    tiles: Sequence[int], windows: Sequence[Box], *, touching: bool
) -> Iterator[tuple[int, int]]:
    """Pairs of tiles that overlap, or share a border if that counts."""
    boxes = np.array([windows[tile] for tile in tiles], dtype=np.int64).reshape(-1, 4)
    for place, tile in enumerate(tiles):
        top, left, bottom, right = boxes[place]
        rest = boxes[place + 1 :]
        down = np.minimum(rest[:, 2], bottom) - np.maximum(rest[:, 0], top)
        across = np.minimum(rest[:, 3], right) - np.maximum(rest[:, 1], left)
        near = (down > 0) & (across > 0)
        if touching:
            near |= (np.minimum(down, across) == 0) & (np.maximum(down, across) > 0)
        for index in np.flatnonzero(near).tolist():
            yield tile, tiles[place + 1 + index]


def _overlap(one: Box, other: Box) -> tuple[Box, Box]:
    """Where two windows are compared: their overlap, or the lines on both sides of a border."""
    common = one.intersection(other)
    if common.area:
        return common, common
    ours = theirs = common
    if common.top == common.bottom:
        upper, lower = (common._replace(top=common.top - 1), common._replace(bottom=common.top + 1))
        ours, theirs = (upper, lower) if one.bottom == other.top else (lower, upper)
    else:
        left, right = (
            common._replace(left=common.left - 1),
            common._replace(right=common.left + 1),
        )
        ours, theirs = (left, right) if one.right == other.left else (right, left)
    return ours, theirs


def _parts(
    pieces: Sequence[Piece], indices: Sequence[int], box: Box, down: int = 0, right: int = 0
) -> Iterator[_Part]:
    for index in indices:
        piece = pieces[index]
        if not piece.mask.box.intersection(box).area:
            continue
        mask = cropped(piece.mask.unpacked(), box)
        if mask is not None:
            moved = mask._replace(box=mask.box.shifted(down, right))
            yield _Part(index, piece.label, moved, int(np.count_nonzero(mask.pixels)))


def _matches(first: Sequence[_Part], second: Sequence[_Part]) -> list[_Match]:
    found = (_Match(one, other, shared(one.mask, other.mask)) for one in first for other in second)
    return [match for match in found if match.common]


def _agree(
    match: _Match, matches: Sequence[_Match], first: Sequence[_Part], second: Sequence[_Part]
) -> bool:
    """Whether two parts of one label are of one object.

    Where the smaller lies in the larger, and the larger has its like already, the smaller must be
    what is left of it: an arm of something that is one object only in the other tile. A sliver of a
    neighbour is not.
    """
    own = [each for each in matches if each.one.label == each.other.label]
    if not any(_is_best(match, part, own) for part in (match.one, match.other)):
        return False  # both have their like: shapes that lie on one another
    if match.iou >= ALIKE:
        return True
    if match.within < WITHIN:
        return False
    swapped = match.one.pixels < match.other.pixels
    large, small = (match.other, match.one) if swapped else (match.one, match.other)
    if not any(
        each.iou >= ALIKE and large.piece in (each.one.piece, each.other.piece) for each in own
    ):
        return True
    rest = large.mask.pixels.copy()
    for part in first if swapped else second:
        if part.label == small.label and part.piece != small.piece:
            _erase(rest, large.mask.box, part.mask)
    left = MaskPatch(rest, large.mask.box, large.mask.image_size)
    common = shared(left, small.mask)
    return common >= ALIKE * (int(np.count_nonzero(rest)) + small.pixels - common)


def _is_best(match: _Match, part: _Part, matches: Sequence[_Match]) -> bool:
    """Whether a part agrees in no other match better."""
    return all(
        each.iou <= match.iou
        for each in matches
        if part.piece in (each.one.piece, each.other.piece)
    )


def _erase(pixels: BoolMask, frame: Box, mask: MaskPatch) -> None:
    """Take a mask away from another one that lies in ``frame``."""
    box = frame.intersection(mask.box)
    if box.area:
        inside = mask.pixels[box.shifted(-mask.box.top, -mask.box.left).slices]
        pixels[box.shifted(-frame.top, -frame.left).slices] &= ~inside


def _root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index


def _unite(parents: list[int], one: int, other: int) -> None:
    low, high = sorted((_root(parents, one), _root(parents, other)))
    parents[high] = low
