"""Boxes and points in a table: a row each, its columns named in the first line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from edgeflow.data.base import DatasetError
from edgeflow.data.boxes import FloatBox, FoundBox, FoundPoint, ImageBoxes
from edgeflow.data.files import read_bytes
from edgeflow.data.left_out import LeftOut
from edgeflow.data.listed import check_name
from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.values import finite_number

COLUMNS = {
    "image": ("image", "file_name", "filename", "file"),
    "label": ("label", "class", "name", "category"),
    "score": ("score", "confidence"),
    "left": ("x1", "xmin", "left"),
    "top": ("y1", "ymin", "top"),
    "right": ("x2", "xmax", "right"),
    "bottom": ("y2", "ymax", "bottom"),
    "x": ("x",),
    "y": ("y",),
}
"""What each column may be called, in any case."""

BOX = ("left", "top", "right", "bottom")
POINT = ("x", "y")


def read_csv(path: Path) -> Iterator[ImageBoxes | LeftOut]:
    """The boxes, or points, of a table, image by image in the order of their first rows.

    A box is ``image``, ``x1``, ``y1``, ``x2``, ``y2`` in pixels from the top left corner, a point
    ``image``, ``x``, ``y``; ``label`` and ``score`` may stand beside. :data:`COLUMNS` has other
    names that are known.

    Raises:
        DatasetError: The file cannot be read, or columns are missing.
    """
    try:
        text = read_bytes(path, 1 << 28).decode("utf-8-sig")
        rows = csv.DictReader(io.StringIO(text, newline=""), dialect=_dialect(text))
        names = {str(name).strip().lower(): name for name in rows.fieldnames or ()}
        columns = {
            what: names[known]
            for what, spellings in COLUMNS.items()
            for known in spellings
            if known in names
        }
        if "image" not in columns or not any(set(each) <= columns.keys() for each in (BOX, POINT)):
            raise DatasetError(
                f"{path} has not the columns of boxes or points",
                hint="name them in the first line: image,label,x1,y1,x2,y2,score or "
                "image,label,x,y",
            )
        yield from _by_image(rows, columns, path.name)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(
            f"{path} is not a table: {error}", hint="save it as CSV in UTF-8"
        ) from error


def _dialect(text: str) -> type[csv.Dialect]:
    """Commas, or where the first line has none, semicolons or tabs."""
    head = text.partition("\n")[0]

    class Dialect(csv.excel):
        delimiter = next((each for each in ",;\t" if each in head), ",")

    return Dialect


def _by_image(
    rows: csv.DictReader[str], columns: dict[str, str], source: str
) -> Iterator[ImageBoxes | LeftOut]:
    found: dict[str, tuple[list[FoundBox], list[FoundPoint]]] = {}
    for number, row in enumerate(rows, start=2):
        values = {what: (row.get(name) or "").strip() for what, name in columns.items()}
        where = f"{source}, line {number}"
        image = values["image"].replace("\\", "/")
        try:
            check_name(image, where)
        except EdgeFlowError as error:
            yield LeftOut.of(error, where)
            continue
        label, score = values.get("label") or None, finite_number(values.get("score"))
        boxes, points = found.setdefault(image, ([], []))
        if (corners := _numbers(values, BOX)) is not None:
            box = FloatBox(*corners)
            if box.left < box.right and box.top < box.bottom:
                boxes.append(FoundBox(label, box, score))
            else:
                yield LeftOut("a box without area", where)
        elif (point := _numbers(values, POINT)) is not None:
            points.append(FoundPoint(label, point[0], point[1], score))
        else:
            yield LeftOut("neither a box nor a point", where)
    for image, (boxes, points) in found.items():
        yield ImageBoxes(image, None, tuple(boxes), tuple(points))


def _numbers(values: dict[str, str], columns: tuple[str, ...]) -> list[float] | None:
    numbers = [finite_number(values.get(column)) for column in columns]
    known = [number for number in numbers if number is not None]
    return known if len(known) == len(columns) else None
