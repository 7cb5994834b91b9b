"""PASCAL VOC segmentation and detection (Everingham et al., IJCV 2010, and its development kit).

``SegmentationClass`` and ``SegmentationObject`` are palette pictures: classes and objects are
numbered from 1 and 0 is the background. Masks are exact: there is no band of 255, the void, around
objects. The k-th ``<object>`` of an image's XML is object k of the picture; objects wholly under
others, and those of which only a box was drawn, come behind.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from edgeflow.annotated import AnnotatedObject, DrawnBox, Outlines
from edgeflow.data.base import DatasetError
from edgeflow.export.classes import Classes
from edgeflow.export.flat import HIDDEN, Flat, flatten
from edgeflow.export.format import Page, Plan
from edgeflow.export.formats.class_numbers import class_numbers
from edgeflow.export.formats.label_names import one_line, told_apart
from edgeflow.export.formats.parts import of_part
from edgeflow.export.formats.png_files import palette_png
from edgeflow.export.formats.xml_text import content
from edgeflow.export.output import File, Record, Written
from edgeflow.geometry import Size

PICTURES = "JPEGImages"
LISTS = "ImageSets/Segmentation"
LABEL_MAP = "labelmap.txt"
"""As CVAT and datumaro write and read it; VOC itself has the same classes always."""

ONE_PART = "trainval"
"""Name of the list of images where there are no parts."""

MOST = 254
"""Of classes, and of an image's objects: 255 is the void."""

_NO_FIELD = str.maketrans(":#", "__")


def image_files(page: Page, plan: Plan) -> Written:
    """An image's two pictures of classes and objects, and its boxes."""
    flat = flatten(page.image.objects, page.image.size, plan.choices.overlap)
    if len(flat.objects) > MOST:
        raise DatasetError(
            f"it has {len(flat.objects)} objects, and the format has numbers for {MOST}",
            hint="choose a format without such a limit, such as coco",
        )
    classes = class_numbers(flat.objects, plan.classes, MOST)
    files = (
        File(f"SegmentationClass/{page.name}.png", palette_png(classes[flat.numbers])),
        File(f"SegmentationObject/{page.name}.png", palette_png(flat.numbers.astype(np.uint8))),
        File(f"Annotations/{page.name}.xml", _annotation(page, flat, plan.classes)),
    )
    left_out = tuple(each for each in flat.left_out if each.reason == HIDDEN)
    return Written(files, {"name": page.name, "split": page.split}, left_out)


def whole_files(records: Iterable[Record], plan: Plan) -> Iterator[File]:
    """A list of images for each part, and the classes with their colours."""
    for split in plan.splits:
        names = "".join(f"{record['name']}\n" for record in of_part(records, split))
        yield File(f"{LISTS}/{split or ONE_PART}.txt", names.encode())
    names_told_apart = told_apart(("background", *plan.classes.names), _field)
    lines = [
        f"{name}:{','.join(map(str, plan.classes.colour(number)))}::\n"
        for number, name in enumerate(names_told_apart)
    ]
    yield File(LABEL_MAP, "".join(["# label:color_rgb:parts:actions\n", *lines]).encode())


def _field(name: str) -> str:
    return one_line(name).translate(_NO_FIELD)


def _annotation(page: Page, flat: Flat, classes: Classes) -> bytes:
    height, width = page.image.size
    present = set(flat.objects)
    others = [each for each in page.image.objects if each not in present]
    lines = [
        "<annotation>",
        f"  <folder>{PICTURES}</folder>",
        f"  <filename>{content(page.picture_name)}</filename>",
        "  <source><database>Unknown</database></source>",
        f"  <size><width>{width}</width><height>{height}</height><depth>3</depth></size>",
        f"  <segmented>{int(bool(flat.objects))}</segmented>",
        *(_object(each, page.image.size, classes) for each in (*flat.objects, *others)),
        "</annotation>\n",
    ]
    return "\n".join(lines).encode()


def _object(each: AnnotatedObject, size: Size, classes: Classes) -> str:
    corners = zip(("xmin", "ymin", "xmax", "ymax"), _box(each, size), strict=True)
    box = "".join(f"<{name}>{value}</{name}>" for name, value in corners)
    return (
        f"  <object><name>{content(classes.name(each.label))}</name><pose>Unspecified</pose>"
        f"<truncated>0</truncated><difficult>0</difficult><bndbox>{box}</bndbox></object>"
    )


def _box(each: AnnotatedObject, size: Size) -> tuple[int, int, int, int]:
    """An object's left, top, right and bottom pixel, all within it; the image's first is 1, 1."""
    if isinstance(each.shape, DrawnBox):
        drawn = each.shape
        left, right = _pixels(drawn.x, drawn.width, size.width)
        top, bottom = _pixels(drawn.y, drawn.height, size.height)
        return left + 1, top + 1, right, bottom
    box = (each.shape.mask if isinstance(each.shape, Outlines) else each.shape).box
    return box.left + 1, box.top + 1, box.right, box.bottom


def _pixels(start: float, length: float, limit: int) -> tuple[int, int]:
    """First pixel of a span and the one behind it, at the nearest borders; at least one pixel."""
    first = min(math.floor(start + 0.5), limit - 1)
    return first, max(min(math.floor(start + length + 0.5), limit), first + 1)
