"""COCO panoptic (Kirillov et al., "Panoptic Segmentation", CVPR 2019): a PNG of segments an image.

A pixel's segment is R + 256 G + 65536 B; 0 is void. All classes are things: objects that are told
apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from edgeflow.annotated import AnnotatedImage, mask_of
from edgeflow.arrays import RGBImage
from edgeflow.export.classes import Classes
from edgeflow.export.flat import Flat, flatten
from edgeflow.export.format import Page, Plan
from edgeflow.export.formats.coco import image_entries
from edgeflow.export.formats.ids import StableIds
from edgeflow.export.formats.parts import listed, of_part
from edgeflow.export.formats.png_files import pixels_png
from edgeflow.export.output import File, Record, Written
from edgeflow.masks.patch import MaskPatch

ONE_PART = "default"
PATH = f"annotations/panoptic_{ONE_PART}.json"

BITS = 23
"""Of a segment's number, which must be less than 2²⁴ also where it had to give way to another."""


def image_files(page: Page, plan: Plan) -> Written:
    """The PNG of an image, and its segments."""
    image = page.image
    flat = flatten(image.objects, image.size, plan.choices.overlap)
    segments = _segments(image, flat, plan.classes)
    colours = _colours(np.array([0, *(each["id"] for each in segments)]))
    name = f"{page.name}.png"
    file = File(f"{_stem(page.split)}/{name}", pixels_png(colours[flat.numbers]))
    height, width = image.size
    record = {
        "key": image.key,
        "split": page.split,
        "image": {"file_name": page.picture_name, "width": width, "height": height},
        "png": name,
        "segments": segments,
    }
    return Written((file,), record, flat.left_out)


def _segments(image: AnnotatedImage, flat: Flat, classes: Classes) -> list[Record]:
    """What is said of the objects, as far as others do not cover them."""
    ids = StableIds(BITS)
    segments = []
    for place, each in enumerate(flat.objects, start=1):
        mask = mask_of(each.shape)
        if mask is None:
            raise TypeError("a box is no segment")
        frame = mask.box
        visible = MaskPatch.within_frame(flat.numbers[frame.slices] == place, frame, image.size)
        box = visible.box
        segments.append(
            {
                "id": ids.of(image.key, each.key),
                "category_id": classes.number(each.label),
                "area": int(np.count_nonzero(visible.pixels)),
                "bbox": [box.left, box.top, box.size.width, box.size.height],
                "iscrowd": 0,
            }
        )
    return segments


def documents(records: Iterable[Record], plan: Plan) -> Iterator[File]:
    """A JSON file for each part, beside the folder of its PNGs."""
    for split in plan.splits:
        yield File(f"{_stem(split)}.json", _document(records, split, plan))


def _stem(split: str) -> str:
    return f"annotations/panoptic_{split or ONE_PART}"


def _colours(numbers: npt.NDArray[np.int64]) -> RGBImage:
    """N×3 uint8 colours that stand for numbers."""
    colours: RGBImage = (numbers[:, None] >> np.array([0, 8, 16]) & 255).astype(np.uint8)
    return colours


def _document(records: Iterable[Record], split: str, plan: Plan) -> Iterator[bytes]:
    number_of: dict[str, int] = {}
    yield b'{"images": '
    yield from listed(image_entries(of_part(records, split), number_of))
    yield b', "annotations": '
    yield from listed(
        {
            "image_id": number_of[record["key"]],
            "file_name": record["png"],
            "segments_info": record["segments"],
        }
        for record in of_part(records, split)
    )
    yield b', "categories": '
    yield from listed(
        {
            "id": number,
            "name": name,
            "supercategory": "",
            "isthing": 1,
            "color": list(plan.classes.colour(number)),
        }
        for number, name in enumerate(plan.classes.names, start=1)
    )
    yield b"}"
