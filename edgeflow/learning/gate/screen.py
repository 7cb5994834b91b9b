"""Masks that are probably wrong, and neither learnt from nor judged by.

A true mask contains the clicks that made it, and its border lies on edges of its image. A mask that
was shifted, or belongs to another image, does neither: its border fits the image no better where it
is than where it is not. On six sets (car parts, waste, plants, nuclei, aerial tiles, seedlings) 3 %
to 11 % of the true masks fall below :data:`LEAST_FIT`, of shifted and swapped ones 56 % to 96 %.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from edgeflow.arrays import BoolMask, FloatMap, RGBImage
from edgeflow.data.base import Sample
from edgeflow.learning.accepted import AcceptedObject

EVERYTHING = "a mask that covers all of its image, or the ground around everything"
BESIDE_CLICKS = "a mask beside the clicks that it is said to be made of"
ANYWHERE = "a mask whose border fits its image no better than elsewhere"

LEAST_FIT = 0.7
"""Share of shifted copies of a border that must lie on weaker edges; by chance it is a half."""

MOST_WRONG = 0.25
"""Share of a project's objects that may be left out; of more, nothing is believed."""

ALL = 0.9
"""Share of an image from which on a mask covers all of it."""

GROUND = 0.5
"""The same for one that touches all four sides."""

ASTRAY = 1 / 3
"""Share of clicks that may lie on the mask's wrong side: a network may disobey one."""

NEAR = 0.01
"""How far on the wrong side a click may lie, as a share of the longer side."""

SHIFTS = 64
LEAST_SHIFT = 4
SHIFT = 0.25
"""Distance of a shift over the square root of the mask's area; every second one goes twice as far.
"""

LEAST_RIM = 8
"""Pixels of a border of which something can be said."""


def doubt(accepted: AcceptedObject, mask: BoolMask) -> str:
    """Why an object's record speaks against its mask; empty if it does not.

    Args:
        accepted: The object.
        mask: Its mask, H×W.
    """
    if covers_everything(mask):
        return EVERYTHING
    return BESIDE_CLICKS if _beside_clicks(accepted, mask) else ""


def covers_everything(mask: BoolMask) -> bool:
    """Whether a mask, H×W, is no object but its whole image, or the ground around everything."""
    share = float(mask.mean())
    sides = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
    return share >= ALL or (share >= GROUND and all(side.any() for side in sides))


def fits(edges: FloatMap, mask: BoolMask) -> bool:
    """Whether a mask's border lies on its image's edges more than shifted copies of it do.

    Args:
        edges: From :func:`edges_of`, H×W.
        mask: H×W; one whose border cannot be told, such as that of a few pixels, fits.
    """
    rim = _rim(mask)
    if len(rim) < LEAST_RIM:
        return True
    here, weaker, tried = float(edges[rim[:, 0], rim[:, 1]].mean()), 0, 0
    reach = max(LEAST_SHIFT, SHIFT * math.sqrt(np.count_nonzero(mask)))
    for number in range(SHIFTS):
        angle = 2 * math.pi * number / SHIFTS
        step = np.round(np.array((math.sin(angle), math.cos(angle))) * reach * (1 + number % 2))
        moved = rim + step.astype(np.intp)
        moved = moved[((moved >= 0) & (moved < edges.shape)).all(axis=1)]
        if 2 * len(moved) >= len(rim):
            tried += 1
            weaker += float(edges[moved[:, 0], moved[:, 1]].mean()) < here
    return not tried or weaker >= LEAST_FIT * tried


def edges_of(rgb: RGBImage) -> FloatMap:
    """How strong an edge is within a pixel of each pixel: H×W float32, 0 or more."""
    smooth = cv2.GaussianBlur(rgb, (0, 0), 1.0).astype(np.float32)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    strength = np.sqrt((across**2 + down**2).sum(axis=2))
    edges = cv2.dilate(strength, np.ones((3, 3), dtype=np.uint8))
    return edges.astype(np.float32, copy=False)


def screen(sample: Sample) -> tuple[Sample | None, Counter[str]]:
    """A picture without the masks that are probably wrong, and why they are.

    Returns:
        The picture, None if no mask is left; and how many were left out by reason.
    """
    edges = edges_of(sample.rgb)
    left_out: Counter[str] = Counter()
    masks = []
    for mask in sample.objects:
        if covers_everything(mask):
            left_out[EVERYTHING] += 1
        elif not fits(edges, mask):
            left_out[ANYWHERE] += 1
        else:
            masks.append(mask)
    return (replace(sample, objects=tuple(masks), labels=()) if masks else None), left_out


def too_many(left_out: Mapping[str, int], objects: int) -> str:
    """Why objects are not believed; empty if few enough were left out.

    Args:
        left_out: How many were left out, by reason.
        objects: How many there were.
    """
    wrong = sum(left_out.values())
    if wrong <= MOST_WRONG * objects:
        return ""
    why = "; ".join(f"{count} × {reason}" for reason, count in sorted(left_out.items()))
    return (
        f"of {objects} objects {wrong} are probably wrong, more than {MOST_WRONG:.0%}, so none is "
        f"believed: {why}"
    )


def _beside_clicks(accepted: AcceptedObject, mask: BoolMask) -> bool:
    """Whether a mask does not agree with the clicks on record.

    What was edited by hand need only contain half of the positive ones.
    """
    clicks = [each for each in accepted.clicks if each.positive or not accepted.edited]
    if accepted.start == "mask" or not clicks:
        return False  # they are corrections of something that is not on record
    height, width = mask.shape
    near = max(2.0, NEAR * max(height, width))
    outside = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, 3)
    inside = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, 3)
    astray = 0
    for x, y, positive in clicks:
        row = min(max(int(y / 100 * height), 0), height - 1)
        col = min(max(int(x / 100 * width), 0), width - 1)
        astray += bool((outside if positive else inside)[row, col] > near)
    return astray > (0.5 if accepted.edited else ASTRAY) * len(clicks)


def _rim(mask: BoolMask) -> npt.NDArray[np.intp]:
    """Rows and columns of a mask's border, as far as it is not the image's: N×2."""
    inner = cv2.erode(mask.view(np.uint8), np.ones((3, 3), dtype=np.uint8), borderValue=0)
    border = mask & (inner == 0)
    border[[0, -1]] = False
    border[:, [0, -1]] = False
    return np.argwhere(border)


def screened(samples: Sequence[Sample]) -> tuple[list[Sample], Counter[str]]:
    """:func:`screen` for several pictures."""
    kept: list[Sample] = []
    left_out: Counter[str] = Counter()
    for sample in samples:
        left, why = screen(sample)
        left_out += why
        if left is not None:
            kept.append(left)
    return kept, left_out
