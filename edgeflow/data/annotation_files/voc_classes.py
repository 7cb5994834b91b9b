"""What the numbers in VOC's class masks stand for, and the colours that stand for numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgeflow.data.base import DatasetError
from edgeflow.data.files import read_bytes
from edgeflow.label_studio.values import whole_number
from edgeflow.masks.palette import voc_colour

CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
    "tvmonitor",
)  # fmt: skip
"""VOC's own, in the order of their numbers, from 1."""

LABEL_MAP = "labelmap.txt"
"""Datasets with other classes name them here: ``name:r,g,b:parts:actions`` a line, as CVAT does."""

BACKGROUND = "background"
MAX_BYTES = 1 << 22


def class_name(number: int) -> str | None:
    """Name of one of VOC's classes, counted from 1; None for a number that none has."""
    return CLASSES[number - 1] if 1 <= number <= len(CLASSES) else None


def read_label_map(path: Path) -> dict[int, str]:
    """Class names by number: that of the colour in VOC's palette, else the line's place.

    Raises:
        DatasetError: It is missing, not UTF-8, or a line is not as CVAT writes it.
    """
    try:
        text = read_bytes(path, MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not a text: {error}", hint="save it as UTF-8") from error
    numbers: dict[tuple[int | None, ...], int] = {voc_colour(each): each for each in range(256)}
    names: dict[int, str] = {}
    place = 0
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        # A name may hold a colon: the three fields behind it hold none.
        name, *fields = line.rsplit(":", 3)
        colour = [whole_number(each) for each in fields[0].split(",")] if fields else []
        if len(fields) != 3 or not name or (colour != [None] and len(colour) != 3):
            raise DatasetError(
                f"{path}: {line[:80]!a} is not a class", hint="a line is name:r,g,b:parts:actions"
            )
        number = numbers.get(tuple(colour))
        names[place if number is None else number] = name
        place += 1
    return {number: name for number, name in names.items() if number and name != BACKGROUND}


def numbers_of_colours(colours: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
    """The numbers that the colours of VOC's palette stand for, H×W.

    Args:
        colours: H×W, R + 256 G + 65536 B.

    Raises:
        ValueError: There is another colour.
    """
    known = {}
    for number in range(256):
        red, green, blue = voc_colour(number)
        known[red | green << 8 | blue << 16] = number
    present, places = np.unique(colours, return_inverse=True)
    if unknown := set(present.tolist()) - known.keys():
        raise ValueError(f"{len(unknown)} colours that are not in VOC's palette")
    ranks = np.array([known[colour] for colour in present.tolist()], dtype=np.uint8)
    return ranks[places].reshape(colours.shape)
