"""labelme 5 and 6 (wkentaro/labelme, ``labelme/_label_file.py`` and ``labelme/utils/shape.py``).

A mask is one shape of type ``mask``, exact and with its holes and parts. Polygons of one object
have one ``group_id``, by which labelme takes them together.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

import numpy as np

from edgeflow.annotated import AnnotatedObject, DrawnBox, Outlines
from edgeflow.export.classes import Classes
from edgeflow.export.format import Page, Plan
from edgeflow.export.formats.label_names import one_line, told_apart
from edgeflow.export.formats.png_files import pixels_png
from edgeflow.export.output import File, Record, Written

LABELS = "labels.txt"
"""For labelme's option ``--labels``."""

VERSION = "5.5.0"
"""Of labelme; masks came with 5.3."""

DECIMALS = 3
"""Of coordinates, in pixels."""


def image_file(page: Page, plan: Plan) -> Written:
    """The JSON beside an image's picture."""
    height, width = page.image.size
    document: Record = {
        "version": VERSION,
        "flags": {},
        "shapes": [
            shape
            for number, each in enumerate(page.image.objects, start=1)
            for shape in _shapes(number, each, plan.classes)
        ],
        "imagePath": PurePosixPath(page.picture_name).name,
        "imageData": None,
        "imageHeight": height,
        "imageWidth": width,
    }
    text = json.dumps(document, indent=2)
    return Written((File(str(PurePosixPath(page.split, f"{page.name}.json")), text.encode()),))


def whole_files(_records: Iterable[Record], plan: Plan) -> Iterator[File]:
    """The list of labels."""
    names = told_apart(plan.classes.names, one_line)
    yield File(LABELS, "".join(f"{name}\n" for name in names).encode())


def _shapes(number: int, each: AnnotatedObject, classes: Classes) -> Iterator[Record]:
    """An object's shapes; all but polygons are one."""
    shape, label = each.shape, classes.name(each.label)
    if isinstance(shape, Outlines):
        group = number if len(shape.polygons) > 1 else None
        for ring in shape.polygons:
            yield _shape(label, "polygon", ring.round(DECIMALS).tolist(), group=group)
    elif isinstance(shape, DrawnBox):
        corners = [[shape.x, shape.y], [shape.x + shape.width, shape.y + shape.height]]
        yield _shape(label, "rectangle", np.round(corners, DECIMALS).tolist())
    else:
        box = shape.box
        corners = [[box.left, box.top], [box.right - 1, box.bottom - 1]]
        pixels = base64.b64encode(pixels_png(shape.pixels.astype(np.uint8))).decode("ascii")
        yield _shape(label, "mask", corners, mask=pixels)


def _shape(
    label: str,
    kind: str,
    points: list[list[float]],
    *,
    group: int | None = None,
    mask: str | None = None,
) -> Record:
    return {
        "label": label,
        "points": points,
        "group_id": group,
        "description": "",
        "shape_type": kind,
        "flags": {},
        "mask": mask,
    }
