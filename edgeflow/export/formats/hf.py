"""An image folder of Hugging Face's ``datasets``: files, and ``metadata.jsonl`` beside them.

As ``folder_based_builder.py`` of ``datasets`` reads it: ``file_name`` becomes the column ``image``,
``mask_file_name`` the column ``mask`` and ``instances_file_names`` the column ``instances`` of
images; all other keys are columns.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from edgeflow.annotated import box_of, mask_of
from edgeflow.export.flat import flatten
from edgeflow.export.format import Page, Plan
from edgeflow.export.formats.parts import of_part
from edgeflow.export.formats.semantic import class_png
from edgeflow.export.output import File, Record, Written
from edgeflow.masks.png import to_png

ONE_PART = "train"
"""As ``datasets`` itself calls it."""

PICTURES = "{split}/images"
TABLE = "metadata.jsonl"


def image_files(page: Page, plan: Plan) -> Written:
    """An image's mask of classes, a mask for each object, and its line of the table."""
    flat = flatten(page.image.objects, page.image.size, plan.choices.overlap)
    folder = page.split or ONE_PART
    mask = f"masks/{page.name}.png"
    files = [File(f"{folder}/{mask}", class_png(flat, plan.classes))]
    instances: list[str] = []
    labels: list[str] = []
    for each in page.image.objects:
        if (drawn := mask_of(each.shape)) is not None:
            instances.append(f"instances/{page.name}-{len(instances) + 1}.png")
            labels.append(plan.classes.name(each.label))
            files.append(File(f"{folder}/{instances[-1]}", to_png(drawn.whole())))
    line = {
        "file_name": f"images/{page.picture_name}",
        "mask_file_name": mask,
        "instances_file_names": instances,
        "labels": labels,
        "objects": {
            # Floats all: the parts' columns must have one type.
            "bbox": [[float(side) for side in box_of(each.shape)] for each in page.image.objects],
            "categories": [plan.classes.name(each.label) for each in page.image.objects],
        },
    }
    return Written(tuple(files), {"split": page.split, "line": line})


def tables(records: Iterable[Record], plan: Plan) -> Iterator[File]:
    """The table of each part."""
    for split in plan.splits:
        lines = (json.dumps(each["line"]).encode() + b"\n" for each in of_part(records, split))
        yield File(f"{split or ONE_PART}/{TABLE}", lines)
