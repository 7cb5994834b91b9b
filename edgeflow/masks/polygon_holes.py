"""Polygons with holes as polygons without: cut apart, or opened by slits.

Lengths are pixels; coordinates as in :mod:`edgeflow.masks.polygons`.
"""

from __future__ import annotations

import numpy as np
import shapely

from edgeflow.masks.rings import Floats, Geometries

SLIT_WIDTH = 0.25
"""Narrow enough to run between two rows of pixel centres, and then to cost no pixel."""

_SLIT_REACH = 0.4
_SLIT_SHIFTS = (0.0, 0.25, -0.25)
_SLIT_ATTEMPTS = 6


def split(part: shapely.Polygon) -> list[shapely.Polygon]:
    """Cut along straight lines, each through the middle one of the holes left, until none is.

    Returns:
        The pieces, largest first.
    """
    todo, done = [part], []
    while todo:
        piece = todo.pop()
        if not piece.interiors:
            done.append(piece)
            continue
        bounds = shapely.bounds(piece)
        axis = 0 if bounds[2] - bounds[0] >= bounds[3] - bounds[1] else 1
        spans = shapely.bounds(shapely.get_rings(piece)[1:])[:, axis::2]
        low, high = spans[np.argsort(spans.sum(axis=1))[len(spans) // 2]]
        # A line through pixel centres would leave it open to which side they belong.
        lines = low + (high - low) * np.array([0.5, 0.4, 0.6, 0.3, 0.7])
        line = lines[np.argmax(np.minimum(0.2, np.abs(lines - np.rint(lines))))]
        near, far = bounds.copy(), bounds.copy()
        near[axis + 2] = far[axis] = line
        for half in (near, far):
            cut = shapely.get_parts(shapely.intersection(piece, shapely.box(*half)))
            todo += [side for side in cut if side.area > 0]  # edges on the line come as lines
    return sorted(done, key=lambda piece: -piece.area)


def bridge(part: shapely.Polygon) -> list[shapely.Polygon]:
    """Cut slits along a shortest tree between the rings; one polygon, except in hopeless cases."""
    rings = shapely.get_rings(part)
    ways = shapely.get_coordinates(shortest_tree(rings)).reshape(-1, 2, 2)
    attempt = np.zeros(len(ways), dtype=np.int64)
    for _ in range(_SLIT_ATTEMPTS):
        corners = [_slit(way, int(tries)) for way, tries in zip(ways, attempt, strict=True)]
        slits = np.asarray(shapely.polygons(np.stack(corners)), dtype=np.object_)
        pieces = shapely.get_parts(shapely.difference(part, shapely.union_all(slits)))
        pieces = pieces[np.argsort(-shapely.area(pieces), kind="stable")]
        faults = [*pieces[1:], *(hole for piece in pieces for hole in piece.interiors)]
        if not faults:
            break
        attempt[shapely.STRtree(slits).query(faults, predicate="dwithin", distance=1.0)[1]] += 1
    return [piece for rest in pieces for piece in split(rest)]


def shortest_tree(rings: Geometries) -> Geometries:
    """The shortest lines that join all rings (Prim 1957); they cross neither rings nor each other.

    Args:
        rings: Lines, polygons or sets of points; the first is the tree's root.

    Returns:
        One line for each of the others, from where it is joined to it.
    """
    shapely.prepare(rings)
    bounds = shapely.bounds(rings)
    distance = shapely.distance(rings[0], rings)
    parent = np.zeros(len(rings), dtype=np.int64)
    todo = np.ones(len(rings), dtype=np.bool_)
    todo[0] = False
    while todo.any():
        new = int(np.argmin(np.where(todo, distance, np.inf)))
        todo[new] = False
        gap = np.maximum(bounds[:, :2] - bounds[new, 2:], bounds[new, :2] - bounds[:, 2:])
        gap = np.maximum(gap, 0)
        near = np.flatnonzero(todo & (np.hypot(gap[:, 0], gap[:, 1]) < distance))
        reach = shapely.distance(rings[new], rings[near])
        closer = near[reach < distance[near]]
        distance[closer] = reach[reach < distance[near]]
        parent[closer] = new
    lines: Geometries = shapely.shortest_line(rings[parent[1:]], rings[1:])
    return lines


def _slit(way: Floats, attempt: int) -> Floats:
    """A rectangle along a way (2×2) and a little beyond both ends; narrower by attempt.

    The first attempt may move aside to where it covers fewest pixel centres: the shortest lines
    run from outline point to outline point, and those lie in rows and columns of pixel centres.

    Returns:
        4×2 corners.
    """
    start, stop = way
    length = float(np.hypot(*(stop - start)))
    ahead = (stop - start) / length if length else np.array([1.0, 0.0])
    aside = np.array([-ahead[1], ahead[0]])
    width = np.clip(length / 2, SLIT_WIDTH / 4, SLIT_WIDTH) / 4 ** max(attempt - 1, 0)
    if attempt == 0:
        major = int(np.argmax(np.abs(ahead)))
        low, high = sorted((start[major], stop[major]))
        lines = np.arange(np.ceil(low), np.floor(high) + 1)
        minor = start[1 - major] + (lines - start[major]) * ahead[1 - major] / ahead[major]
        slope = abs(ahead[major])

        def covered(shift: float) -> int:
            centre = minor + shift * np.sign(aside[1 - major]) / slope
            return int(np.count_nonzero(np.abs(centre - np.rint(centre)) <= width / 2 / slope))

        shift = min(_SLIT_SHIFTS, key=covered)
        start, stop = start + shift * aside, stop + shift * aside
    reach = _SLIT_REACH * ahead
    half = width / 2 * aside
    return np.stack(
        (start - reach - half, stop + reach - half, stop + reach + half, start - reach + half)
    )
