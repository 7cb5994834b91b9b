"""CVAT for images 1.1 (cvat-ai/cvat, ``cvat/apps/dataset_manager/formats/cvat.py``).

Masks are run lengths, row after row within their box, exact and with holes and parts. Polygons of
one object have one ``group_id``. Objects are drawn in their order, by ``z_order``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from edgeflow.annotated import AnnotatedObject, DrawnBox, Outlines
from edgeflow.arrays import BoolMask
from edgeflow.export.classes import Classes
from edgeflow.export.format import Page, Plan
from edgeflow.export.formats.label_names import told_apart
from edgeflow.export.formats.parts import of_part
from edgeflow.export.formats.xml_text import attribute, content, possible
from edgeflow.export.output import File, Record, Written

PATH = "annotations.xml"

DECIMALS = 3
"""Of coordinates, in pixels."""


def image_record(page: Page, plan: Plan) -> Written:
    """An image's shapes as XML; images get their numbers when all are there."""
    height, width = page.image.size
    names = told_apart(plan.classes.names, possible)
    record = {
        "split": page.split,
        "name": page.picture_name,
        "width": width,
        "height": height,
        "shapes": [
            shape
            for order, each in enumerate(page.image.objects)
            for shape in _shapes(order, each, names[plan.classes.number(each.label) - 1])
        ],
    }
    return Written(record=record)


def whole_files(records: Iterable[Record], plan: Plan) -> Iterator[File]:
    """An XML file for each part."""
    for split in plan.splits:
        yield File(f"{split}.xml" if split else PATH, _document(records, split, plan))


def _document(records: Iterable[Record], split: str, plan: Plan) -> Iterator[bytes]:
    """The XML in pieces, so that it need not fit into memory."""
    count = sum(1 for _ in of_part(records, split))
    name = content(f"{plan.name} {split}".strip())
    yield (
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n'
        f"  <meta>\n    <task>\n      <name>{name}</name>\n      <size>{count}</size>\n"
        "      <mode>annotation</mode>\n      <labels>\n"
    ).encode()
    yield "".join(_labels(plan.classes)).encode()
    yield b"      </labels>\n    </task>\n  </meta>\n"
    for number, record in enumerate(of_part(records, split)):
        shapes = "".join(f"    {shape}\n" for shape in record["shapes"])
        yield (
            f'  <image id="{number}" name={attribute(record["name"])} width="{record["width"]}" '
            f'height="{record["height"]}">\n{shapes}  </image>\n'
        ).encode()
    yield b"</annotations>\n"


def _labels(classes: Classes) -> Iterator[str]:
    for number, name in enumerate(told_apart(classes.names, possible), start=1):
        red, green, blue = classes.colour(number)
        yield (
            f"        <label><name>{content(name)}</name><color>#{red:02x}{green:02x}{blue:02x}"
            "</color><type>any</type><attributes></attributes></label>\n"
        )


def _shapes(order: int, each: AnnotatedObject, label: str) -> Iterator[str]:
    """An object's elements; all but polygons are one."""
    shape = each.shape
    common = f'label={attribute(label)} source="manual" occluded="0"'
    if isinstance(shape, Outlines):
        group = f' group_id="{order + 1}"' if len(shape.polygons) > 1 else ""
        for ring in shape.polygons:
            points = ";".join(f"{_number(x)},{_number(y)}" for x, y in ring.tolist())
            yield f'<polygon {common} points="{points}" z_order="{order}"{group}></polygon>'
    elif isinstance(shape, DrawnBox):
        right, bottom = shape.x + shape.width, shape.y + shape.height
        yield (
            f'<box {common} xtl="{_number(shape.x)}" ytl="{_number(shape.y)}" '
            f'xbr="{_number(right)}" ybr="{_number(bottom)}" z_order="{order}"></box>'
        )
    else:
        height, width = shape.box.size
        yield (
            f'<mask {common} rle="{", ".join(map(str, _runs(shape.pixels)))}" '
            f'left="{shape.box.left}" top="{shape.box.top}" width="{width}" height="{height}" '
            f'z_order="{order}"></mask>'
        )


def _runs(pixels: BoolMask) -> list[int]:
    """Lengths of the runs of a mask's rows, by turns of the background and the object."""
    flat = np.concatenate(([False], pixels.ravel()))
    starts = np.flatnonzero(flat[1:] != flat[:-1])
    lengths: list[int] = np.diff(starts, prepend=0, append=pixels.size).tolist()
    return lengths


def _number(value: float) -> str:
    return f"{value:.{DECIMALS}f}"
