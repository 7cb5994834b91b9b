"""Tables that say what the numbers in masks stand for."""

from __future__ import annotations

import csv
import io
from pathlib import Path, PurePosixPath

from edgeflow.data.base import DatasetError
from edgeflow.data.files import read_bytes
from edgeflow.data.left_out import LeftOut
from edgeflow.label_studio.values import whole_number

CLASSES = "classes.csv"
"""Columns ``index``, ``name``, ``r``, ``g``, ``b``: the classes of index masks."""

INSTANCES = "instances.csv"
"""Columns ``file``, ``number``, ``label``: the objects of numbered masks."""

MAX_BYTES = 1 << 28
MAX_LIST_BYTES = 1 << 20
"""Of EISeg's label list, which is looked for among all texts of a folder."""


def read_class_table(path: Path) -> dict[int, str]:
    """Class names by index, without those that are empty.

    Raises:
        DatasetError: It is missing, not UTF-8, lacks a column, or an index cannot be read.
    """
    names: dict[int, str] = {}
    for place, row in enumerate(_rows(path, ("index", "name")), start=2):
        index, name = whole_number(row["index"]), row["name"]
        if index is None or index < 0 or index in names:
            raise DatasetError(
                f"{path}, line {place}: {str(row)[:80]} is not an index of its own with a name",
                hint="a class a line, each index once",
            )
        names[index] = name
    return {index: name for index, name in names.items() if name}


def read_instance_table(path: Path) -> tuple[dict[str, dict[int, str | None]], list[LeftOut]]:
    """Labels by object number by file, without extension, and the rows that cannot be read.

    An object whose label is empty has none.

    Raises:
        DatasetError: It is missing, not UTF-8, or lacks a column.
    """
    labels: dict[str, dict[int, str | None]] = {}
    left_out: list[LeftOut] = []
    for place, row in enumerate(_rows(path, ("file", "number", "label")), start=2):
        number, file = whole_number(row["number"]), row["file"]
        if number is None or number < 1 or not file:
            left_out.append(LeftOut("it is not a file and an object's number", f"line {place}"))
            continue
        written = PurePosixPath(file)
        name = str(written.with_suffix("")) if written.name else file
        labels.setdefault(name, {})[number] = row["label"] or None
    return labels, left_out


def read_label_list(path: Path) -> dict[int, str]:
    """Class names by index of EISeg's label list: ``index name r g b`` a line.

    Raises:
        DatasetError: It is not such a list.
    """
    names: dict[int, str] = {}
    for line in _text(path, MAX_LIST_BYTES).splitlines():
        head, *colour = line.rsplit(maxsplit=3)
        index, _, name = head.partition(" ")
        number = whole_number(index)
        if len(colour) != 3 or None in map(whole_number, colour) or number is None or not name:
            raise DatasetError(
                f"{path} is not a label list of EISeg", hint="a line is: index name r g b"
            )
        names[number] = name.strip()
    if not names:
        raise DatasetError(f"{path} is empty", hint="save the label list in EISeg again")
    return names


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        reader = csv.DictReader(io.StringIO(_text(path)), skipinitialspace=True)
        header = [each.strip().lower() for each in reader.fieldnames or ()]
        reader.fieldnames = header
        missing = [column for column in columns if column not in header]
        rows = [{column: row.get(column) or "" for column in columns} for row in reader]
    except csv.Error as error:
        raise DatasetError(f"{path} is not a table: {error}", hint="save it as CSV") from error
    if missing:
        raise DatasetError(
            f"{path} has no column {', '.join(missing)}", hint=f"columns: {', '.join(columns)}"
        )
    return rows


def _text(path: Path, limit: int = MAX_BYTES) -> str:
    try:
        return read_bytes(path, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not a text: {error}", hint="save it as UTF-8") from error
