"""COCO instances, as Lin et al., "Microsoft COCO", ECCV 2014, and pycocotools define them.

Masks are compressed run-length codes, exact to the pixel; what was drawn as polygons stays
polygons. ``iscrowd`` is 0 for all: each annotation is one object, however it is coded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from edgeflow.annotated import DrawnBox, Outlines, Shape
from edgeflow.data.coco_masks import decode_segmentation
from edgeflow.errors import MaskCodecError
from edgeflow.export.format import Page, Plan
from edgeflow.export.formats.coco_codes import encode_counts
from edgeflow.export.formats.ids import StableIds
from edgeflow.export.formats.parts import listed, of_part
from edgeflow.export.output import File, Record, Written
from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch

PATH = "annotations/instances_default.json"
"""As CVAT names it; ``edgeflow datasets`` finds it, with pictures in ``images/`` beside."""

DECIMALS = 3
"""Of coordinates, in pixels."""

TOLERANCE = 0.5
"""In pixels, of a mask that becomes polygons because the user wants them."""

LEAST_IOU = 0.98
"""Of such polygons with their mask; otherwise it stays a run-length code."""


def image_record(page: Page, plan: Plan) -> Written:
    """An image and its annotations, which get their numbers when all are there."""
    height, width = page.image.size
    record = {
        "key": page.image.key,
        "split": page.split,
        "image": {"file_name": page.picture_name, "width": width, "height": height},
        "annotations": [
            {
                "key": each.key,
                "category_id": plan.classes.number(each.label),
                "iscrowd": 0,
                **geometry(each.shape, page.image.size, polygons=plan.choices.polygons),
            }
            for each in page.image.objects
        ],
    }
    return Written(record=record)


def instances(records: Iterable[Record], plan: Plan) -> Iterator[File]:
    """A JSON file for each part.

    Categories are numbered from 1 in the order of the classes. Ids are made of keys, so that they
    stay when other images come and go.
    """
    categories = [
        {"id": number, "name": name, "supercategory": ""}
        for number, name in enumerate(plan.classes.names, start=1)
    ]
    for split in plan.splits:
        yield File(path_of(split), document(records, split, categories))


def path_of(split: str) -> str:
    """The path of a part's file."""
    return PATH if not split else f"annotations/instances_{split}.json"


def document(
    records: Iterable[Record], split: str, categories: Iterable[Record]
) -> Iterator[bytes]:
    """The JSON of a part in pieces, so that it need not fit into memory.

    Args:
        records: Of :func:`image_record`; read twice.
        split: The part.
        categories: As they stand in the file.
    """
    number_of: dict[str, int] = {}
    yield b'{"images": '
    yield from listed(image_entries(of_part(records, split), number_of))
    yield b', "annotations": '
    yield from listed(_annotations(of_part(records, split), number_of))
    yield b', "categories": '
    yield from listed(categories)
    yield b"}"


def image_entries(records: Iterable[Record], number_of: dict[str, int]) -> Iterator[Record]:
    """What stands under ``images``.

    Args:
        records: Of one part, each with ``key`` and ``image``.
        number_of: Gets the images' ids by key.
    """
    ids = StableIds()
    for record in records:
        number_of[record["key"]] = number = ids.of(record["key"])
        yield {"id": number, **record["image"]}


def _annotations(records: Iterable[Record], number_of: dict[str, int]) -> Iterator[Record]:
    ids = StableIds()
    for record in records:
        for annotation in record["annotations"]:
            number = ids.of(record["key"], annotation["key"])
            about = {name: value for name, value in annotation.items() if name != "key"}
            yield {"id": number, "image_id": number_of[record["key"]], **about}


def geometry(shape: Shape, size: Size, *, polygons: bool) -> Record:
    """An annotation's ``area``, ``bbox`` and ``segmentation``.

    Args:
        shape: The object's.
        size: Of the image.
        polygons: Whether masks become polygons where that covers nearly the same.
    """
    if isinstance(shape, DrawnBox):
        box = [round(side, DECIMALS) for side in (shape.x, shape.y, shape.width, shape.height)]
        return {"area": round(box[2] * box[3], DECIMALS), "bbox": box, "segmentation": []}
    if isinstance(shape, Outlines) and (drawn := _polygons(shape, size)) is not None:
        return drawn
    mask = shape.mask if isinstance(shape, Outlines) else shape
    if polygons and (outlined := _outlined(mask)) is not None:
        return outlined
    code = {"size": list(size), "counts": encode_counts(mask)}
    return {**_measures(mask), "segmentation": code}


def _outlined(mask: MaskPatch) -> Record | None:
    """A mask as polygons; None if pycocotools would not fill nearly the same pixels."""
    # Only who wants polygons pays for importing Shapely; training does without.
    from edgeflow.masks.polygons import mask_polygons  # noqa: PLC0415

    rings = mask_polygons(mask.pixels, tolerance=TOLERANCE, holes="bridge")
    corner = np.array([mask.box.left, mask.box.top]) + 0.5  # from a pixel's centre to its corner
    shape = Outlines(tuple(ring + corner for ring in rings), mask)
    drawn = _polygons(shape, mask.image_size)
    if drawn is None:
        return None
    filled = decode_segmentation(drawn["segmentation"], mask.image_size)
    return drawn if MaskPatch.of(filled).iou(mask) >= LEAST_IOU else None


def _polygons(shape: Outlines, size: Size) -> Record | None:
    """Polygons, measured as pycocotools fills them; None if it would fill nothing or too much."""
    rings = [[round(value, DECIMALS) for value in ring.ravel().tolist()] for ring in shape.polygons]
    try:
        mask = decode_segmentation(rings, size)
    except MaskCodecError:
        return None
    patch = MaskPatch.of(mask)
    return None if patch.empty else {**_measures(patch), "segmentation": rings}


def _measures(mask: MaskPatch) -> Record:
    box = [mask.box.left, mask.box.top, mask.box.size.width, mask.box.size.height]
    return {"area": int(np.count_nonzero(mask.pixels)), "bbox": box}
