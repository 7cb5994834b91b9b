"""YOLO's label files: a line an object, its class and its box or outline as fractions of the image.

``class x y w h`` is a box around the centre (x, y); ``class x1 y1 x2 y2 x3 y3 …`` an outline. Tools
that write predictions append a confidence.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from edgeflow.data.annotation_files.numbers import Points
from edgeflow.data.base import DatasetError
from edgeflow.data.files import read_bytes
from edgeflow.data.left_out import LeftOut
from edgeflow.errors import MaskCodecError
from edgeflow.label_studio.values import finite_number, whole_number

MAX_BYTES = 1 << 28
MAX_POINTS = 1_000_000
FARTHEST = 100.0
"""Fractions beyond this are not an image's."""


class YoloObject(NamedTuple):
    """A line.

    Attributes:
        number: Of its class.
        points: N×2 fractions (x, y) of the image: the outline, or of a box the corners at its upper
            left and lower right.
        box: Whether it is a box.
        score: Confidence, if the line ends with one.
    """

    number: int
    points: Points
    box: bool
    score: float | None


def read_labels(path: Path) -> tuple[list[YoloObject], list[LeftOut]]:
    """A file's objects, and the lines that cannot be read.

    Raises:
        DatasetError: The file is missing, too long, or not UTF-8.
    """
    try:
        text = read_bytes(path, MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path} is not a text: {error}", hint="check that it is a YOLO label file"
        ) from error
    objects: list[YoloObject] = []
    left_out: list[LeftOut] = []
    for place, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            objects.append(parse_line(line))
        except MaskCodecError as error:
            left_out.append(LeftOut(error.message, f"{path.name}, line {place}"))
    return objects, left_out


def parse_line(line: str) -> YoloObject:
    """Read a line.

    Raises:
        MaskCodecError: It is not a box or an outline near an image.
    """
    words = line.split()
    if len(words) > 2 + 2 * MAX_POINTS:
        raise MaskCodecError(f"it has more than {MAX_POINTS} points")
    numbers = [finite_number(word) for word in words]
    values = [each for each in numbers if each is not None]
    kind = whole_number(words[0])
    if len(values) < max(len(words), 5) or kind is None or kind < 0:
        raise MaskCodecError("it is not a class number with a box or an outline")
    if any(abs(each) > FARTHEST for each in values[1:]):
        raise MaskCodecError("it has coordinates that are not fractions of an image")
    score = values.pop() if len(values) % 2 == 0 else None
    points = np.array(values[1:], dtype=np.float64).reshape(-1, 2)
    if len(points) > 2:
        return YoloObject(kind, points, False, score)
    centre, half = points[0], points[1] / 2
    return YoloObject(kind, np.stack((centre - half, centre + half)), True, score)
