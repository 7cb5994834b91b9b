"""COCO instances, as Lin et al., "Microsoft COCO", ECCV 2014, and pycocotools define them.

Masks are compressed run-length codes, exact to the pixel; what was drawn as polygons stays
polygons. ``iscrowd`` is 0 for all: each annotation is one object, however it is coded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from pycocotools import mask as coco

from edgeflow.annotated import AnnotatedImage, DrawnBox, Outlines, Shape
from edgeflow.data.coco_masks import decode_segmentation
from edgeflow.errors import MaskCodecError
from edgeflow.export.ids import StableIds
from edgeflow.export.output import File
from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch

PATH = "annotations/instances_default.json"
"""As CVAT names it; ``edgeflow datasets`` finds it, with pictures in ``images/`` beside."""

UNLABELLED = "unlabelled"
"""Category of objects without a class."""

DECIMALS = 3
"""Of coordinates, in pixels."""

Code = dict[str, Any]


def write_coco(labels: tuple[str, ...], images: Iterable[AnnotatedImage]) -> Iterator[File]:
    """One JSON file.

    Categories are the declared labels, numbered from 1 in their order; behind them, by name, labels
    that are used and not declared, and ``unlabelled`` if it is needed.

    Args:
        labels: Declared labels.
        images: Read once.
    """
    entries: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    used: list[str | None] = []
    image_ids, ids = StableIds(), StableIds()
    for image in images:
        number = image_ids.of(image.key)
        height, width = image.size
        entries.append(
            {"id": number, "file_name": image.file_name, "width": width, "height": height}
        )
        for each in image.objects:
            used.append(each.label)
            annotations.append(
                {
                    "id": ids.of(image.key, each.key),
                    "image_id": number,
                    "iscrowd": 0,
                    **_geometry(each.shape, image.size),
                }
            )
    numbers = _numbers(labels, used)
    for annotation, label in zip(annotations, used, strict=True):
        annotation["category_id"] = numbers[label]
    document = {
        "images": entries,
        "annotations": annotations,
        "categories": [
            {"id": number, "name": UNLABELLED if label is None else label, "supercategory": ""}
            for label, number in numbers.items()
        ],
    }
    yield File(PATH, json.dumps(document).encode())


def _numbers(labels: tuple[str, ...], used: list[str | None]) -> dict[str | None, int]:
    """Category ids by label."""
    further = sorted({label for label in used if label is not None} - set(labels))
    last = [None] if None in used else []
    return {label: number for number, label in enumerate((*labels, *further, *last), start=1)}


def _geometry(shape: Shape, size: Size) -> dict[str, Any]:
    """An annotation's ``area``, ``bbox`` and ``segmentation``."""
    if isinstance(shape, DrawnBox):
        box = [round(side, DECIMALS) for side in (shape.x, shape.y, shape.width, shape.height)]
        return {"area": round(box[2] * box[3], DECIMALS), "bbox": box, "segmentation": []}
    if isinstance(shape, Outlines) and (drawn := _polygons(shape, size)) is not None:
        return drawn
    code = _encode(shape.mask if isinstance(shape, Outlines) else shape)
    counts = code["counts"].decode("ascii")
    return {**_measures(code), "segmentation": {"size": list(size), "counts": counts}}


def _polygons(shape: Outlines, size: Size) -> dict[str, Any] | None:
    """Polygons, measured as pycocotools fills them; None if it would fill nothing or too much."""
    rings = [[round(value, DECIMALS) for value in ring.ravel().tolist()] for ring in shape.polygons]
    try:
        mask = decode_segmentation(rings, size)
    except MaskCodecError:
        return None
    patch = MaskPatch.of(mask)
    return None if patch.empty else {**_measures(_encode(patch)), "segmentation": rings}


def _encode(mask: MaskPatch) -> Code:
    code: Code = coco.encode(np.asfortranarray(mask.whole().view(np.uint8)))
    return code


def _measures(code: Code) -> dict[str, Any]:
    return {"area": int(coco.area(code)), "bbox": [int(side) for side in coco.toBbox(code)]}
