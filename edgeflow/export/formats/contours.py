"""Masks to polygons through pixels' centres, which OpenCV fills to the very same masks.

EISeg draws its polygons with ``cv2.fillPoly``, which paints the pixels that an edge passes, too.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edgeflow.masks.patch import MaskPatch

Ring = npt.NDArray[np.int64]
"""N×2 (x, y): pixels' columns and rows."""

LEAST_POINTS = 3
"""Of a ring; of a dot or a line some are repeated."""


def contour_rings(mask: MaskPatch) -> list[Ring]:
    """Outline each part of a mask.

    Pixels that touch at a corner are of one part. A hole is joined to what lies left of it by a way
    there and back along a row of the part's own pixels, so that one ring has all holes, and
    ``cv2.fillPoly`` of all rings, one by one, paints the mask to the pixel. Points in the middle of
    straight runs are left out.

    Args:
        mask: The mask, not empty.

    Returns:
        The rings, not closed, each of at least ``LEAST_POINTS`` points in the image's pixels, from
        top to bottom by their first point.
    """
    padded = np.pad(mask.pixels, 1)
    found, hierarchy = cv2.findContours(
        padded.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
    )
    contours = [_from_the_left(each.reshape(-1, 2).astype(np.int64)) for each in found]
    is_hole = hierarchy[0, :, 3] >= 0
    corner = np.array([mask.box.left, mask.box.top]) - 1
    _join(contours, is_hole, padded)
    rings = [ring for ring, hole in zip(contours, is_hole.tolist(), strict=True) if not hole]
    rings.sort(key=lambda ring: (int(ring[0, 1]), int(ring[0, 0])))
    return [_sparse(ring) + corner for ring in rings]


def _from_the_left(contour: Ring) -> Ring:
    """The same contour, begun at its leftmost point, of several the uppermost."""
    first = np.lexsort((contour[:, 1], contour[:, 0]))[0]
    return np.roll(contour, -first, axis=0)


def _join(
    contours: list[Ring], is_hole: npt.NDArray[np.bool_], padded: npt.NDArray[np.bool_]
) -> None:
    """Put each hole's contour into that of the part, or of a hole further left."""
    holes = np.flatnonzero(is_hole)
    if not len(holes):
        return
    width = padded.shape[1]
    owner = np.repeat(np.arange(len(contours)), [len(each) for each in contours])
    place = np.concatenate([np.arange(len(each)) for each in contours])
    pixel = np.concatenate([each[:, 1] * width + each[:, 0] for each in contours])
    leftmost = np.array([int(each[0, 0]) for each in contours])
    leftmost[~is_hole] = -1  # left of all of its holes
    order = np.lexsort((leftmost[owner], pixel))  # where contours share one, the leftmost first
    start = np.array([contours[hole][0] for hole in holes])
    end = _run_start(padded, start)
    met = order[np.searchsorted(pixel[order], end[:, 1] * width + end[:, 0])]
    detours: dict[int, list[tuple[int, Ring]]] = {}
    # What a hole is joined to lies further left, so those that are joined to it come before it.
    for number in np.argsort(-leftmost[holes], kind="stable").tolist():
        hole = int(holes[number])
        ring = _with_detours(contours[hole], detours.pop(hole, []))
        there_and_back = np.concatenate((ring, ring[:1], end[number : number + 1]))
        point = met[number]
        detours.setdefault(int(owner[point]), []).append((int(place[point]), there_and_back))
    for part, all_of_it in detours.items():
        contours[part] = _with_detours(contours[part], all_of_it)


def _run_start(padded: npt.NDArray[np.bool_], points: Ring) -> Ring:
    """The first pixels of the runs of a mask's rows that some pixels are in."""
    columns = np.arange(padded.shape[1], dtype=np.int32)
    rows, of = np.unique(points[:, 1], return_inverse=True)
    background = np.maximum.accumulate(np.where(padded[rows], np.int32(-1), columns), axis=1)
    return np.stack((background[of, points[:, 0]] + 1, points[:, 1]), axis=1)


def _with_detours(contour: Ring, detours: list[tuple[int, Ring]]) -> Ring:
    """A contour with other ways put in behind some of its points."""
    pieces, done = [], 0
    for place, way in sorted(detours, key=lambda each: each[0]):
        pieces += [contour[done : place + 1], way]
        done = place + 1
    return np.concatenate((*pieces, contour[done:]))


def _sparse(ring: Ring) -> Ring:
    """A ring without repeated points and those in the middle of straight runs."""
    ring = ring[(ring != np.roll(ring, 1, axis=0)).any(axis=1)] if len(ring) > 1 else ring
    ahead = np.sign(np.roll(ring, -1, axis=0) - ring)
    corners = ring[(ahead != np.roll(ahead, 1, axis=0)).any(axis=1)]
    if not len(corners):
        corners = ring
    return np.resize(corners, (max(len(corners), LEAST_POINTS), 2))
