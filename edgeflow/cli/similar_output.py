"""What ``edgeflow similar`` writes: numbered objects drawn on the image, and as COCO."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2

from edgeflow.arrays import RGBImage
from edgeflow.export.formats.coco import geometry
from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.overlay import POSITIVE, TINT, draw_clicks, line_width, tint_mask
from edgeflow.prompts.click import Click

DIGITS = 4
"""Decimals of scores."""

LETTERS = 0.45
"""Size of an object's number, over a line's width."""


@dataclass(frozen=True)
class Numbered:
    """An object of the answer.

    Attributes:
        mask: The object.
        score: Estimate of its IoU, 0 to 1; None for a mask that was given.
        similarity: To the example, 0 to 1; None for an example.
    """

    mask: MaskPatch
    score: float | None = None
    similarity: float | None = None


def draw_numbered(
    rgb: RGBImage, objects: Sequence[Numbered], examples: int, clicks: Sequence[Click]
) -> RGBImage:
    """Draw examples in blue with their clicks, the others in green with their numbers.

    Args:
        rgb: H×W×3 uint8; left as it is.
        objects: Objects, numbered from 1 in this order.
        examples: So many of them, the first, are examples.
        clicks: Clicks on the examples.

    Returns:
        H×W×3 uint8, a new array.
    """
    canvas: RGBImage = rgb.copy()
    unit = line_width(canvas)
    for number, each in enumerate(objects, start=1):
        tint_mask(canvas, each.mask.whole(), TINT if number <= examples else POSITIVE)
    for number, each in enumerate(objects[examples:], start=examples + 1):
        box, text = each.mask.box, str(number)
        (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, LETTERS * unit, unit)
        corner = ((box.left + box.right - width) // 2, (box.top + box.bottom + height) // 2)
        for colour, line in (((0, 0, 0), 3 * unit), ((255, 255, 255), unit)):
            cv2.putText(
                canvas, text, corner, cv2.FONT_HERSHEY_SIMPLEX, LETTERS * unit, colour, line,
                cv2.LINE_AA,
            )  # fmt: skip
    draw_clicks(canvas, clicks)
    return canvas


def as_coco(objects: Sequence[Numbered], size: Size, file_name: str, label: str) -> bytes:
    """A COCO file of one image; an annotation's id is the object's number.

    Args:
        objects: Objects, numbered from 1 in this order.
        size: The image's.
        file_name: The image's.
        label: Name of the one category.
    """
    annotations = [
        {
            "id": number,
            "image_id": 1,
            "category_id": 1,
            "iscrowd": 0,
            **geometry(each.mask, size, polygons=False),
            **{
                name: round(value, DIGITS)
                for name, value in (("score", each.score), ("similarity", each.similarity))
                if value is not None
            },
        }
        for number, each in enumerate(objects, start=1)
    ]
    document: dict[str, Any] = {
        "images": [{"id": 1, "file_name": file_name, "width": size.width, "height": size.height}],
        "annotations": annotations,
        "categories": [{"id": 1, "name": label, "supercategory": ""}],
    }
    return json.dumps(document).encode()
