"""A mask as one closed line, for formats in which a line is an object.

The line runs over the mask's border pixels, not along their edges. Filling it as ``cv2.fillPoly``
does, with the line itself, so gives the mask back to the pixel: thin lines, dots and holes, too. A
hole is reached by a way through the mask, which costs nothing. Another part is reached through the
background, along the shortest way there is, and that way is then filled as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
import shapely

from edgeflow.arrays import BoolMask, Polygon
from edgeflow.errors import PolygonError
from edgeflow.masks.polygon_holes import shortest_tree
from edgeflow.masks.rings import as_geometries

MAX_PARTS = 1000
"""Of one mask: the time to join parts grows with the square of their number."""

MAX_HOLES = 10_000
MAX_BORDER = 1_000_000
"""Pixel edges between mask and background. So a mask of mere noise takes seconds, not minutes."""

OUTWARD = 0.45
"""How far from a border pixel's centre towards the background, in pixels: not out of the pixel."""

Ints: TypeAlias = npt.NDArray[np.int64]


class _Ring(NamedTuple):
    """A border of the mask.

    Attributes:
        pixels: N×2 (x, y), each next to the one before.
        points: N×2 float64, each on its pixel.
        corner: N bool: whether the line turns there.
        part: Number of the ring around its part.
        hole: Whether it goes around a hole.
    """

    pixels: Ints
    points: Polygon
    corner: npt.NDArray[np.bool_]
    part: int
    hole: bool


class _Place(NamedTuple):
    """A point of a ring."""

    ring: int
    point: int


_Ways: TypeAlias = dict[int, list[tuple[int, _Place]]]
"""By ring, the points of it at which ways lead to other rings, and where they arrive there."""


def joined_ring(mask: BoolMask) -> Polygon:
    """One closed line around all parts and holes of a mask.

    Where the border follows rows and columns, points lie near the outer corners of their pixels, so
    that the box around the line is the mask's, and not one pixel too small.

    Args:
        mask: H×W bool, not empty. Pixels that touch at a corner are one part.

    Returns:
        N×2 float64 (x, y), N ≥ 3, in the frame of :mod:`edgeflow.masks.polygons`: a pixel's centre
        has whole numbers, and each point lies on a pixel of the mask. The first point is not
        repeated.

    Raises:
        PolygonError: It has more than ``MAX_PARTS`` parts, ``MAX_HOLES`` holes or ``MAX_BORDER``
            pixel edges.
    """
    bits = np.pad(mask.view(np.uint8), 1)  # so that a row ends with background on both sides
    border = np.count_nonzero(bits[1:] != bits[:-1]) + np.count_nonzero(bits[:, 1:] != bits[:, :-1])
    if border > MAX_BORDER:
        raise _too_ragged(f"{border} pixel edges")
    chains, hierarchy = cv2.findContours(bits, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    shells = hierarchy[0, :, 3]  # -1 for a ring that is one itself
    parts = int(np.count_nonzero(shells < 0))
    if parts > MAX_PARTS or len(shells) - parts > MAX_HOLES:
        raise _too_ragged(f"{parts} parts and {len(shells) - parts} holes")
    rings = [
        _ring(chain[:, 0].astype(np.int64), number if shell < 0 else shell, hole=shell >= 0)
        for number, (chain, shell) in enumerate(zip(chains, shells.tolist(), strict=True))
    ]
    ways = _ways(rings, bits)
    for number, leaving in ways.items():
        rings[number].corner[[point for point, _ in leaving]] = True
    line = np.concatenate(list(_walk(rings, ways)))[:-1]
    return line - 1.0  # the background around it


def _too_ragged(why: str) -> PolygonError:
    return PolygonError(
        f"a mask of {why}, too ragged for one outline",
        hint="smooth the mask, or choose a format that holds masks",
    )


def _ring(pixels: Ints, part: int, *, hole: bool) -> _Ring:
    """A border as OpenCV gives it: the background is to the right of whoever walks along."""
    if len(pixels) == 1:
        around = OUTWARD * np.array([(-1, -1), (-1, 1), (1, 1), (1, -1)])
        return _Ring(
            np.repeat(pixels, 4, axis=0), pixels + around, np.ones(4, np.bool_), part, hole
        )
    come = pixels - np.roll(pixels, 1, axis=0)
    back = (come == -np.roll(come, -1, axis=0)).all(axis=1)
    pixels = np.repeat(pixels, 1 + back, axis=0)  # the end of a line of one pixel has two corners
    come = pixels - np.roll(pixels, 1, axis=0)
    go = np.roll(come, -1, axis=0)
    onward = come + go
    right = np.stack((-onward[:, 1], onward[:, 0]), axis=1)
    beyond = np.where(go.any(axis=1, keepdims=True), 0, come)
    beyond -= np.where(come.any(axis=1, keepdims=True), 0, go)
    # Off the centres, a slanted line would run over pixels beside the border.
    slanted = np.all(come, axis=1, keepdims=True) | np.all(go, axis=1, keepdims=True)
    points = pixels.astype(np.float64) + np.where(slanted, 0, OUTWARD * np.sign(right + beyond))
    return _Ring(pixels, points, (come != go).any(axis=1), part, hole)


def _ways(rings: list[_Ring], bits: npt.NDArray[np.uint8]) -> _Ways:
    """Ways between rings, there and back, over which each is reached from each, and once only."""
    index = _Index(rings)
    ways: _Ways = {}
    for one, other in (*_between_parts(rings, index), *_to_holes(rings, index, bits)):
        ways.setdefault(one.ring, []).append((one.point, other))
        ways.setdefault(other.ring, []).append((other.point, one))
    return ways


def _between_parts(rings: list[_Ring], index: _Index) -> Iterator[tuple[_Place, _Place]]:
    parts = np.array([ring.part for ring in rings])
    shells = np.unique(parts)
    if len(shells) == 1:
        return
    order = np.argsort(parts, kind="stable")
    owners = np.repeat(np.searchsorted(shells, parts[order]), [len(rings[k].pixels) for k in order])
    pixels = np.concatenate([rings[number].pixels for number in order])
    sets = as_geometries(shapely.multipoints(pixels, indices=owners))
    ends = shapely.get_coordinates(shortest_tree(sets)).reshape(-1, 2, 2).astype(np.int64)
    for start, stop in ends.tolist():  # a pixel belongs to one part
        yield index.at(*start)[0], index.at(*stop)[0]


def _to_holes(
    rings: list[_Ring], index: _Index, bits: npt.NDArray[np.uint8]
) -> Iterator[tuple[_Place, _Place]]:
    """Join each hole to what is left of it.

    From a hole's leftmost border pixel the way goes left through the mask until the background.
    The ring there begins further left, or is a shell: so no ways form a circle.
    """
    order = [(ring.hole, int(ring.pixels[:, 0].min())) for ring in rings]
    for number, ring in enumerate(rings):
        if not ring.hole:
            continue
        point = int(ring.pixels[:, 0].argmin())
        x, y = ring.pixels[point].tolist()
        x -= int((bits[y, x::-1] == 0).argmax()) - 1
        start = next(each for each in index.at(x, y) if order[each.ring] < order[number])
        yield start, _Place(number, point)


class _Index:
    """Finds the rings at a pixel."""

    def __init__(self, rings: list[_Ring]) -> None:
        counts = [len(ring.pixels) for ring in rings]
        pixels = np.concatenate([ring.pixels for ring in rings])
        self._width = int(pixels[:, 0].max()) + 1
        keys = pixels[:, 1] * self._width + pixels[:, 0]
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        self._ring = np.repeat(np.arange(len(rings)), counts)
        self._begin = np.cumsum(counts) - counts

    def at(self, x: int, y: int) -> list[_Place]:
        """All places there, in the rings' order."""
        key = y * self._width + x
        first, last = (int(np.searchsorted(self._keys, key, side)) for side in ("left", "right"))
        found = self._order[first:last]
        owners = self._ring[found]
        return [
            _Place(int(ring), int(each - self._begin[ring]))
            for ring, each in zip(owners, found, strict=True)
        ]


def _walk(rings: list[_Ring], ways: _Ways) -> Iterator[Polygon]:
    """The whole line in pieces, from a corner of the first ring back to it."""
    trips = [(0, _trip(rings[0], ways.get(0, []), int(rings[0].corner.argmax())))]
    while trips:
        number, trip = trips[-1]
        step = next(trip, None)
        if step is None:
            trips.pop()
        elif isinstance(step, _Place):
            onward = [each for each in ways[step.ring] if each[1].ring != number]
            trips.append((step.ring, _trip(rings[step.ring], onward, step.point)))
        else:
            yield step


def _trip(ring: _Ring, leaving: list[tuple[int, _Place]], start: int) -> Iterator[Polygon | _Place]:
    """Once around a ring, from a point back to it: pieces of line, and where to go in between."""
    count, done = len(ring.points), 0
    for stop, arrival in sorted(((point - start) % count, arrival) for point, arrival in leaving):
        yield _piece(ring, start + done, start + stop)
        yield arrival
        done = stop
    yield _piece(ring, start + done, start + count)


def _piece(ring: _Ring, first: int, last: int) -> Polygon:
    passed = np.arange(first, last + 1) % len(ring.points)
    return ring.points[passed[ring.corner[passed]]]
