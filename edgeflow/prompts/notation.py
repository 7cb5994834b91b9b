"""Clicks and boxes as people write them on the command line and in lists."""

from __future__ import annotations

import math
import re

from edgeflow.errors import PromptError, brief
from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.prompts.click import Click

_NUMBER = r"\d{1,9}(?:\.\d{1,9})?"
_CLICK = re.compile(rf"(?P<sign>[+-]?)(?P<x>{_NUMBER}),(?P<y>{_NUMBER})", re.ASCII)
_BOX = re.compile(",".join([f"({_NUMBER})"] * 4), re.ASCII)

Corners = tuple[float, float, float, float]
"""x and y of a box's top left, then of its bottom right; image pixels."""


def click_of(text: str) -> Click:
    """Read ``120,80`` (positive) or ``-30,40`` (negative: the sign belongs to the click).

    Raises:
        PromptError: The text is anything else.
    """
    match = _CLICK.fullmatch(text.strip())
    if match is None:
        raise PromptError(
            f"{brief(text)!r} is not a click",
            hint="write X,Y in pixels from the top left, with a leading minus for a click beside "
            "the object: 120,80 or -30,40",
        )
    return Click(ImagePoint(float(match["x"]), float(match["y"])), match["sign"] != "-")


def corners_of(text: str) -> Corners:
    """Read ``10,20,300,200``: left, top, right and bottom, in pixels.

    Raises:
        PromptError: The text is anything else, or the box is empty.
    """
    match = _BOX.fullmatch(text.strip())
    if match is None:
        raise PromptError(
            f"{brief(text)!r} is not a box",
            hint="write LEFT,TOP,RIGHT,BOTTOM in pixels from the top left: 10,20,300,200",
        )
    left, top, right, bottom = map(float, match.groups())
    return check_corners((left, top, right, bottom))


def check_corners(corners: Corners) -> Corners:
    """Refuse corners of no box.

    Raises:
        PromptError: Not finite, or right is not right of left, or bottom not below top.
    """
    left, top, right, bottom = corners
    if not all(map(math.isfinite, corners)) or left >= right or top >= bottom:
        raise PromptError(
            f"the box {corners} is empty", hint="write left, top, right and bottom, in this order"
        )
    return corners


def box_on(corners: Corners, size: Size) -> Box:
    """The pixels of a box, as far as they lie on an image.

    Raises:
        PromptError: None do.
    """
    left, top, right, bottom = corners
    box = Box(math.floor(top), math.floor(left), math.ceil(bottom), math.ceil(right))
    common = box.intersection(Box.whole(size))
    if not common.area:
        raise PromptError(
            f"the box {corners} lies outside the image ({size.width}×{size.height})",
            hint="x runs to the right, y down, in pixels from the top left",
        )
    return common
