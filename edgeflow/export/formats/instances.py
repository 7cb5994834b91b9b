"""One mask of 16 bits an image, whose values number the objects, and a table of their classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from edgeflow.data.base import DatasetError
from edgeflow.export.flat import flatten
from edgeflow.export.format import Page, Plan
from edgeflow.export.formats.csv_text import csv_row
from edgeflow.export.formats.png_files import MOST, index_png
from edgeflow.export.formats.semantic import MASKS, mask_path
from edgeflow.export.output import File, Record, Written

TABLE = "instances.csv"
COLUMNS = ("file", "number", "label")


def mask_file(page: Page, plan: Plan) -> Written:
    """The image's mask, in which objects are numbered from 1 in the order they were drawn in.

    Raises:
        DatasetError: It has more objects than a PNG has numbers for.
    """
    flat = flatten(page.image.objects, page.image.size, plan.choices.overlap)
    if len(flat.objects) > MOST:
        raise DatasetError(
            f"it has {len(flat.objects)} objects, and the format has numbers for {MOST}",
            hint="choose a format without such a limit, such as coco",
        )
    file = File(mask_path(MASKS, page.split, page.name), index_png(flat.numbers, MOST))
    record = {
        "file": mask_path("", page.split, page.name),
        "labels": [each.label for each in flat.objects],
    }
    return Written((file,), record, flat.left_out)


def table(records: Iterable[Record], _: Plan) -> Iterator[File]:
    """The class of each number of each mask; empty for an object without one."""
    yield File(TABLE, _rows(records))


def _rows(records: Iterable[Record]) -> Iterator[bytes]:
    yield csv_row(COLUMNS)
    for record in records:
        for number, label in enumerate(record["labels"], start=1):
            yield csv_row((record["file"], number, label or ""))
