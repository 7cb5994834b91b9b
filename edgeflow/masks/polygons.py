"""Masks to polygons without holes.

Points are (x, y) in the frame of ``edgeflow.geometry.ImagePoint``: pixel (0, 0) has its centre at
(0, 0), so an image of width W spans -0.5 to W - 0.5. Lengths are pixels, areas square pixels.

Outlines are the marching-squares contours of the mask at level one half: they pass through the
middle of every pixel edge between object and background, so pixels that touch at a corner belong
together, no two outlines meet, and none meets itself. (Outlines along the pixel borders themselves
would meet at such corners, and be stairs wherever an edge slants.)
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
import shapely

from edgeflow.arrays import BoolMask
from edgeflow.errors import PolygonError
from edgeflow.masks.polygon_holes import bridge, split

Polygon: TypeAlias = npt.NDArray[np.float64]
HolePolicy: TypeAlias = Literal["bridge", "split", "fill"]

# So that a mask of mere noise takes seconds, not minutes.
MAX_PARTS = 1000
MAX_HOLES = 1000
MAX_BORDER = 1_000_000

# Measured on noise, rings and stripes: IoU with the mask stays above 0.97 at any tolerance, and
# above 0.98 at half a pixel (0.86 and 0.91 for 1/4).
_THICKNESS_SHARE = 1 / 16
_REPAIR_ROUNDS = 64

_Ints: TypeAlias = npt.NDArray[np.int64]
_Floats: TypeAlias = npt.NDArray[np.float64]
_Bools: TypeAlias = npt.NDArray[np.bool_]
_Geometries: TypeAlias = npt.NDArray[np.object_]

# Moves between neighbouring pixels, anticlockwise on the screen from "right"; even ones are along
# the axes. The table finds a move by 3·(dy + 1) + (dx + 1); no move at all counts as number 7.
_MOVES = np.array([(1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1)])
_MOVE_NUMBERS = np.array([3, 2, 1, 4, 7, 0, 5, 6, 7])


def mask_polygons(
    mask: BoolMask, *, tolerance: float, holes: HolePolicy = "bridge", min_area: float = 0.0
) -> list[Polygon]:
    """Outline every object of a mask.

    Each polygon is simple (no edge touches another but its neighbours) and has a positive area.
    Pixels that touch at a corner only are one object; an object in a hole of another is an object
    of its own. Simplified outlines of different objects may overlap by up to ``tolerance``.

    Args:
        mask: H×W bool.
        tolerance: how far, in pixels, a simplified outline may leave the exact one, and the
            reverse; 0 keeps the exact one. Small and thin objects and holes use less, a sixteenth
            of their mean thickness (twice the area over the perimeter), so that none loses its
            shape or vanishes, whatever the tolerance.
        holes: "bridge" opens each hole to the outside, or to a hole already open, by a slit
            at most a quarter of a pixel wide where the way is shortest, so that an object stays
            one polygon; "split" cuts an object along straight lines through its holes into polygons
            that touch but do not overlap; "fill" fills holes and all that lies in them.
        min_area: objects of fewer pixels are left out, and holes of fewer pixels filled.

    Returns:
        Polygons as N×2 float64 (x, y), N ≥ 3, the first point not repeated at the end, inside the
        image's borders; the object with most pixels first. Of more than ``MAX_PARTS`` objects or
        ``MAX_HOLES`` holes in all, the largest are kept. Empty for an empty mask.

    Raises:
        PolygonError: not a 2-D mask, a negative or unknown option, or more than ``MAX_BORDER``
            pixel edges between object and background.
    """
    if mask.ndim != 2 or mask.dtype != np.bool_:
        raise PolygonError(f"cannot outline a {mask.dtype} mask of shape {mask.shape}")
    if not tolerance >= 0:
        raise PolygonError(f"the tolerance must be 0 or more pixels, not {tolerance}")
    if holes not in {"bridge", "split", "fill"}:
        raise PolygonError(f'holes can be "bridge", "split" or "fill", not "{holes}"')
    if not min_area >= 0:
        raise PolygonError(f"the smallest area must be 0 or more pixels, not {min_area}")
    if not mask.any():
        return []
    outlines = _select(_trace(mask, filled=holes == "fill"), min_area)
    if not len(outlines.part):
        return []
    parts = _assemble(outlines, _simplified(outlines, tolerance))
    opened = bridge if holes == "bridge" else split
    return [
        shapely.get_coordinates(piece)[:-1]
        for part in parts
        for piece in (opened(part) if part.interiors else [part])
    ]


class _Outlines(NamedTuple):
    """Rings, one after another.

    Attributes:
        points: N×2, (x, y); from ``_select`` on, each ring ends with its first point.
        ring: N, the ring of each point, ascending.
        part: R, the object of each ring.
        pixels: R, pixels enclosed, negative for holes.
    """

    points: _Floats
    ring: _Ints
    part: _Ints
    pixels: _Ints


def _trace(mask: BoolMask, *, filled: bool) -> _Outlines:
    """Marching squares by way of OpenCV's border following, 20 times as fast as contourpy's.

    ``findContours`` walks the object pixels along each border with the object on the left hand.
    Between arriving at a pixel and leaving it, it has turned past the background neighbours; those
    beside the pixel (not at a corner) share with it the edges that the contour crosses.
    """
    bits = np.ascontiguousarray(mask).view(np.uint8)
    left, top, width, height = cv2.boundingRect(bits)
    bits = bits[top : top + height, left : left + width]
    border = np.count_nonzero(bits[1:] != bits[:-1]) + np.count_nonzero(bits[:, 1:] != bits[:, :-1])
    if border > MAX_BORDER:
        raise PolygonError(
            f"the mask has {border} border pixels, too ragged for polygons",
            hint="Smooth the mask, or take it as a brush.",
        )
    mode = cv2.RETR_EXTERNAL if filled else cv2.RETR_CCOMP
    chains, hierarchy = cv2.findContours(bits, mode, cv2.CHAIN_APPROX_NONE, offset=(left, top))
    sizes = np.array([len(chain) for chain in chains])
    pixels = np.concatenate(chains)[:, 0].astype(np.int64)
    ends = np.cumsum(sizes)
    following = np.arange(1, len(pixels) + 1)
    following[ends - 1] = ends - sizes
    step = pixels[following] - pixels
    leave = _MOVE_NUMBERS[3 * (step[:, 1] + 1) + step[:, 0] + 1]
    back = np.empty_like(leave)
    back[following] = (leave + 4) % 8
    back[ends[sizes == 1] - 1] = 7  # a lone pixel turns past all eight
    first = back // 2 * 2 + 2
    turn = (leave - back - 1) % 8 + 1  # to come and go by the same way is a full turn
    count = (back + turn - first + 1) // 2
    owner = np.repeat(np.arange(len(pixels)), count)
    move = (
        first[owner] + 2 * (np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count))
    ) % 8
    points = pixels[owner] + 0.5 * _MOVES[move]
    ring = np.repeat(np.arange(len(sizes)), sizes)[owner]
    parent = hierarchy[0, :, 3]
    # Left and right pixel edges of a row pair up, and the pixels between them sum to this.
    enclosed = np.bincount(ring, weights=points[:, 0] * ((move == 0) * 1.0 - (move == 4)))
    return _Outlines(
        points,
        ring,
        np.where(parent < 0, np.arange(len(sizes)), parent),
        np.rint(enclosed).astype(np.int64),
    )


def _select(outlines: _Outlines, min_area: float) -> _Outlines:
    """Keep what is large enough, largest part first and each shell before its holes.

    Points in the middle of straight runs go, and the rings are closed.
    """
    points, ring, part, pixels = outlines
    own = np.bincount(part, weights=pixels, minlength=len(pixels))
    shells = np.flatnonzero((pixels > 0) & (own >= min_area))
    shells = shells[np.argsort(-own[shells], kind="stable")][:MAX_PARTS]
    place = np.full(len(pixels), -1)
    place[shells] = np.arange(len(shells))
    holes = np.flatnonzero((pixels < 0) & (-pixels >= min_area) & (place[part] >= 0))
    holes = holes[np.argsort(pixels[holes], kind="stable")][:MAX_HOLES]
    order = np.concatenate((shells, holes))
    order = order[np.argsort(place[part[order]], kind="stable")]

    number = np.full(len(pixels), -1)
    number[order] = np.arange(len(order))
    chosen = np.flatnonzero(number[ring] >= 0)
    chosen = chosen[np.argsort(number[ring[chosen]], kind="stable")]
    points, ring = points[chosen], number[ring[chosen]]
    start, end = _ends(ring)
    ahead = np.roll(points, -1, axis=0)
    ahead[end] = points[start]
    behind = np.roll(points, 1, axis=0)
    behind[start] = points[end]
    corner = _cross(points - behind, ahead - points) != 0
    points, ring = points[corner], ring[corner]
    start, end = _ends(ring)
    return _Outlines(
        np.insert(points, end + 1, points[start], axis=0),
        np.insert(ring, end + 1, ring[start]),
        place[part[order]],
        pixels[order],
    )


def _ends(ring: _Ints) -> tuple[_Ints, _Ints]:
    """Where each ring has its first point and its last."""
    return np.flatnonzero(np.diff(ring, prepend=-1)), np.flatnonzero(np.diff(ring, append=-1))


def _cross(a: _Floats, b: _Floats) -> _Floats:
    product: _Floats = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return product


def _simplified(outlines: _Outlines, tolerance: float) -> _Bools:
    """Choose points so that no outline moves by more than ``tolerance`` and none meets another.

    Douglas and Peucker (1973), all rings at once, level by level; then edges that cross, or that
    jumped over a hole, get points back until every part is valid, which the full outlines are.

    A ring of area A and perimeter P uses at most A / 8P. Within A / 2P of a single chord there is
    no room for the area A, so every ring keeps three points or more.

    Returns:
        Which points stay, the first and last of each ring among them.
    """
    points, ring, part, _ = outlines
    if tolerance == 0:
        return np.ones(len(points), dtype=np.bool_)
    edge = points[1:] - points[:-1]
    inside = np.flatnonzero(ring[1:] == ring[:-1])
    perimeter = np.bincount(ring[inside], weights=np.hypot(edge[inside, 0], edge[inside, 1]))
    # Shells run anticlockwise on the screen, which is negative with y down; holes the other way.
    area = np.bincount(ring[inside], weights=-_cross(points[inside], points[inside + 1]) / 2)
    whole = np.bincount(part, weights=area) / np.bincount(part, weights=perimeter)
    thickness = 2 * np.minimum(np.abs(area) / perimeter, whole[part])
    limit = np.minimum(tolerance, _THICKNESS_SHARE * thickness)
    first, last = _ends(ring)
    kept = np.zeros(len(points), dtype=np.bool_)
    kept[first] = kept[last] = True
    _divide(outlines, kept, first, last, limit)
    fresh = kept
    for _ in range(_REPAIR_ROUNDS):
        nodes = np.flatnonzero(kept)
        start, stop = nodes[:-1], nodes[1:]
        real = ring[start] == ring[stop]
        start, stop = start[real], stop[real]
        faulty = _crossing(outlines, start, stop, fresh[start] | fresh[stop])
        if not faulty.any():
            faulty = _jumping(outlines, kept, start, stop, float(limit.max()))
        if not faulty.any():
            return kept
        before = kept.copy()
        middle = _farthest(points, start[faulty], stop[faulty])[0]
        kept[middle] = True
        _divide(outlines, kept, start[faulty], middle, limit)
        _divide(outlines, kept, middle, stop[faulty], limit)
        fresh = kept & ~before
    for index in np.flatnonzero(~shapely.is_valid(_assemble(outlines, kept))):
        kept[part[ring] == index] = True
    return kept


def _farthest(points: _Floats, start: _Ints, stop: _Ints) -> tuple[_Ints, _Floats]:
    """The point farthest from each chord, of those strictly between its two ends.

    Returns:
        Its index and the square of its distance.
    """
    count = stop - start - 1
    begin = np.cumsum(count) - count
    owner = np.repeat(np.arange(len(count)), count)
    between = np.arange(len(owner)) - begin[owner] + start[owner] + 1
    chord = points[stop] - points[start]
    length = np.maximum((chord**2).sum(axis=1), np.finfo(np.float64).tiny)
    offset = points[between] - points[start][owner]
    chord = chord[owner]
    along = np.clip((offset * chord).sum(axis=1) / length[owner], 0, 1)
    offset -= along[:, None] * chord
    distance = (offset**2).sum(axis=1)
    most = np.maximum.reduceat(distance, begin)
    hits = np.flatnonzero(distance == most[owner])
    hits = hits[np.diff(owner[hits], prepend=-1) > 0]
    return between[hits], most


def _divide(outlines: _Outlines, kept: _Bools, start: _Ints, stop: _Ints, limit: _Floats) -> None:
    """Mark in ``kept`` the points that chords between ``start`` and ``stop`` need."""
    while True:
        wide = stop - start > 1
        start, stop = start[wide], stop[wide]
        if not len(start):
            return
        middle, distance = _farthest(outlines.points, start, stop)
        far = distance > limit[outlines.ring[start]] ** 2
        start, middle, stop = start[far], middle[far], stop[far]
        kept[middle] = True
        start, stop = np.concatenate((start, middle)), np.concatenate((middle, stop))


def _crossing(outlines: _Outlines, start: _Ints, stop: _Ints, fresh: _Bools) -> _Bools:
    """Which shortened edges meet another edge of their part; only pairs with a ``fresh`` one."""
    points = outlines.points
    tail, head = points[start], points[stop]
    part = outlines.part[outlines.ring[start]]
    short = stop - start > 1
    faulty = np.zeros(len(start), dtype=np.bool_)
    if not short.any():
        return faulty
    asked = np.flatnonzero(fresh)
    edges = _array(shapely.linestrings(np.stack((tail, head), axis=1)))
    one, other = shapely.STRtree(edges).query(edges[asked])
    one = asked[one]
    neighbours = (tail[one] == head[other]).all(axis=1) | (head[one] == tail[other]).all(axis=1)
    test = (part[one] == part[other]) & (one != other) & (short[one] | short[other]) & ~neighbours
    one, other = one[test], other[test]
    apart = np.zeros(len(one), dtype=np.bool_)
    for a, b in ((one, other), (other, one)):
        way = head[a] - tail[a]
        apart |= _cross(way, tail[b] - tail[a]) * _cross(way, head[b] - tail[a]) > 0
    faulty[one[~apart]] = True
    faulty[other[~apart]] = True
    return faulty & short


def _jumping(outlines: _Outlines, kept: _Bools, start: _Ints, stop: _Ints, limit: float) -> _Bools:
    """Which shortened edges jumped over a hole and left it outside its part, or in another hole."""
    part = outlines.part[outlines.ring[start]]
    short = stop - start > 1
    polygons = _assemble(outlines, kept)
    invalid = np.flatnonzero(~shapely.is_valid(polygons))
    faulty = np.zeros(len(start), dtype=np.bool_)
    for index in invalid:
        shell, *inner = shapely.get_rings(polygons[index])
        shell, holes = shapely.Polygon(shell), _array(shapely.polygons(inner))
        shapely.prepare(shell)
        astray = ~_array(shapely.contains_properly(shell, holes)).astype(np.bool_)
        within, around = shapely.STRtree(holes).query(holes, predicate="within")
        astray[within[within != around]] = True
        edges = np.flatnonzero((part == index) & short)
        ends = outlines.points[np.stack((start[edges], stop[edges]), axis=1)]
        tree = shapely.STRtree(_array(shapely.linestrings(ends)))
        near = tree.query(holes[astray], predicate="dwithin", distance=limit)[1]
        faulty[edges[near] if len(near) else edges] = True
    return faulty


def _assemble(outlines: _Outlines, kept: _Bools) -> _Geometries:
    """Shapely polygons of the parts, from the kept points."""
    rings = _array(shapely.linearrings(outlines.points[kept], indices=outlines.ring[kept]))
    return _array(shapely.polygons(rings, indices=outlines.part))


def _array(made: object) -> _Geometries:
    """Many geometries as what they are; to shapely's types they may be just one."""
    return np.asarray(made, dtype=np.object_)
