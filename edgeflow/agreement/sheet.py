"""A contact sheet of objects: both outlines on the image, A's in yellow, B's in blue."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from edgeflow.agreement.comparison import Match
from edgeflow.agreement.overlap import corners_of, placed
from edgeflow.annotated import Shape, mask_of
from edgeflow.arrays import RGBImage
from edgeflow.evaluate.tiles import tile
from edgeflow.geometry import Box, Size

CELL = 320
CAPTION = 42
MARGIN = 0.3
"""What is shown around an object, over its larger side."""

LEAST = 48
"""Pixels that are shown at least."""

A_COLOUR, B_COLOUR = (255, 214, 0), (30, 144, 255)
A_WIDTH, B_WIDTH = 4, 2
"""Where both run along each other, B's line lies in the middle of A's."""

GREY = 128
_SHIFT = 4
"""Bits of a pixel's fraction, as OpenCV's drawing functions take them."""

Points = npt.NDArray[np.float64]


def contact_sheet(cells: Sequence[RGBImage]) -> RGBImage:
    """Lay cells out in rows of six; at least one."""
    return tile(cells)


def cell(
    rgb: RGBImage | None, image: str, size: Size, match: Match, a: Shape | None, b: Shape | None
) -> RGBImage:
    """Draw an object as two annotators drew it.

    Args:
        rgb: H×W×3 uint8 image; None if it is not at hand, then on grey.
        image: Its name.
        size: Its size.
        match: The figures.
        a: What A drew; None if nothing.
        b: What B drew; None if nothing. One of them is there.

    Returns:
        362×320×3 uint8 RGB.
    """
    drawn = [(a, A_COLOUR, A_WIDTH), (b, B_COLOUR, B_WIDTH)]
    frame = _frame([shape for shape, _, _ in drawn if shape is not None], size)
    scale = CELL / max(frame.size)
    height, width = (max(1, round(side * scale)) for side in frame.size)
    if rgb is None:
        shown = np.full((height, width, 3), GREY, dtype=np.uint8)
    else:
        kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        shown = cv2.resize(rgb[frame.slices], (width, height), interpolation=kind).astype(np.uint8)
    for shape, colour, line in drawn:
        if shape is not None:
            points = [_fixed(ring, scale) for ring in _rings(shape, frame, size)]
            cv2.polylines(shown, points, True, colour, line, cv2.LINE_AA, _SHIFT)
    whole = np.full((CELL + CAPTION, CELL, 3), 255, dtype=np.uint8)
    whole[:height, :width] = shown
    for row, text in enumerate((image[-40:], _caption(match))):
        cv2.putText(
            whole, text.encode("ascii", "replace").decode(), (4, CELL + 15 + 19 * row),
            cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA,
        )  # fmt: skip
    return whole


def _caption(match: Match) -> str:
    names = [side.label or "no class" for side in (match.a, match.b) if side is not None]
    if match.a is None or match.b is None:
        return f"only in {'B' if match.a is None else 'A'}: {names[0]}"
    name = names[0] if names[0] == names[1] else " / ".join(names)
    rims = "" if match.boundary_iou is None else f", boundary {match.boundary_iou:.2f}"
    return f"{name}: IoU {match.iou:.2f}{rims}"


def _frame(shapes: Sequence[Shape], size: Size) -> Box:
    """What is shown: the objects with a margin."""
    corners = np.array([_corners(shape, size) for shape in shapes])
    low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    side = float((high - low).max())
    margin = max(MARGIN * side, (LEAST - side) / 2)
    left, top = np.floor(low - margin).astype(int).tolist()
    right, bottom = np.ceil(high + margin).astype(int).tolist()
    return Box(top, left, bottom, right).intersection(Box.whole(size))


def _corners(shape: Shape, size: Size) -> Points:
    """Corners of the object's box in the image, 4×2 (x, y) from its top left corner."""
    left, top, right, bottom = corners_of(shape)
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    clipped: Points = np.clip(corners, 0, (size.width, size.height))
    return clipped


def _rings(shape: Shape, frame: Box, size: Size) -> list[Points]:
    """Outlines in the frame, N×2 (x, y) from its top left corner."""
    mask = mask_of(shape)
    if mask is None:
        return [_corners(shape, size) - (frame.left, frame.top)]
    pixels = placed(mask, frame).view(np.uint8)
    contours, _ = cv2.findContours(pixels, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return [contour[:, 0].astype(np.float64) + 0.5 for contour in contours]


def _fixed(ring: Points, scale: float) -> npt.NDArray[np.int32]:
    """Points in the cell's pixels, as fixed-point numbers."""
    return np.rint((ring * scale - 0.5) * (1 << _SHIFT)).astype(np.int32)
