"""One mask an image, whose values are classes, and a table of the classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from edgeflow.data.base import DatasetError
from edgeflow.export.classes import Classes
from edgeflow.export.flat import Flat, flatten
from edgeflow.export.format import Page, Plan
from edgeflow.export.formats.csv_text import csv_row
from edgeflow.export.formats.png_files import MOST, index_png
from edgeflow.export.output import File, Record, Written

PICTURES = "images/{split}"
MASKS = "masks"
TABLE = "classes.csv"
COLUMNS = ("index", "name", "r", "g", "b")
BACKGROUND = "background"


def mask_file(page: Page, plan: Plan) -> Written:
    """The image's mask."""
    flat = flatten(page.image.objects, page.image.size, plan.choices.overlap)
    path = mask_path(MASKS, page.split, page.name)
    return Written((File(path, class_png(flat, plan.classes)),), left_out=flat.left_out)


def mask_path(folder: str, split: str, name: str) -> str:
    """Path of a file that is named like the picture."""
    return "/".join(filter(None, (folder, split, f"{name}.png")))


def class_png(flat: Flat, classes: Classes) -> bytes:
    """A grey PNG of classes: 8 bits, or 16 if there are more than 255 classes.

    Raises:
        DatasetError: There are more classes than a PNG has numbers for.
    """
    most = len(classes.names)
    if most > MOST:
        raise DatasetError(
            f"there are {most} classes, and the format has numbers for {MOST}",
            hint="choose a format without such a limit, such as coco",
        )
    numbers = [0, *(classes.number(each.label) for each in flat.objects)]
    return index_png(np.array(numbers)[flat.numbers], most)


def table(_: Iterable[Record], plan: Plan) -> Iterator[File]:
    """The table of classes with their colours; 0 is the background."""
    names = (BACKGROUND, *plan.classes.names)
    rows = [(number, name, *plan.classes.colour(number)) for number, name in enumerate(names)]
    yield File(TABLE, b"".join([csv_row(COLUMNS), *map(csv_row, rows)]))
