"""LVIS (Gupta, Dollár and Girshick, CVPR 2019): COCO instances, and how often classes occur.

LVIS's own reader takes run-length codes beside polygons.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from edgeflow.annotated import DrawnBox
from edgeflow.data.left_out import LeftOut
from edgeflow.export.classes import Classes
from edgeflow.export.flat import BOXES
from edgeflow.export.format import Page, Plan
from edgeflow.export.formats import coco
from edgeflow.export.formats.parts import of_part
from edgeflow.export.output import File, Record, Written

ONE_PART = "default"
PATH = f"annotations/lvis_{ONE_PART}.json"
TRAIN = "train"

RARE, COMMON = 10, 100
"""Most images in which a rare and a common class occur."""


def image_record(page: Page, plan: Plan) -> Written:
    """An image and its annotations, as for COCO, without boxes and ``iscrowd``."""
    drawn = tuple(each for each in page.image.objects if not isinstance(each.shape, DrawnBox))
    boxes = len(page.image.objects) - len(drawn)
    page = replace(page, image=replace(page.image, objects=drawn))
    record = coco.image_record(page, plan).record
    for annotation in record["annotations"]:
        del annotation["iscrowd"]
    # Readers look for a picture by the last parts of this address.
    record["image"]["coco_url"] = f"images/{page.picture_name}"
    return Written(record=record, left_out=(LeftOut(BOXES),) * boxes)


def documents(records: Iterable[Record], plan: Plan) -> Iterator[File]:
    """A JSON file for each part.

    As in LVIS, the classes' counts are those of the training images, also in the other parts'
    files; of all images if no part is called ``train``.
    """
    counted = of_part(records, TRAIN) if TRAIN in plan.splits else records
    categories = _categories(counted, plan.classes)
    for split in plan.splits:
        told = _Told(records, len(categories))
        path = f"annotations/lvis_{split or ONE_PART}.json"
        yield File(path, coco.document(told, split, categories))


class _Told:
    """Records that say which classes were looked for on an image, and found to be absent.

    Every image is taken as annotated for all classes, as in COCO.
    """

    def __init__(self, records: Iterable[Record], classes: int) -> None:
        self._records, self._numbers = records, range(1, classes + 1)

    def __iter__(self) -> Iterator[Record]:
        for record in self._records:
            present = {each["category_id"] for each in record["annotations"]}
            absent = [number for number in self._numbers if number not in present]
            told = {"neg_category_ids": absent, "not_exhaustive_category_ids": []}
            yield {**record, "image": {**record["image"], **told}}


def _categories(records: Iterable[Record], classes: Classes) -> list[Record]:
    images, instances = Counter[int](), Counter[int]()
    for record in records:
        numbers = [each["category_id"] for each in record["annotations"]]
        instances.update(numbers)
        images.update(set(numbers))
    return [
        {
            "id": number,
            "name": name,
            "synset": name,
            "synonyms": [name],
            "def": "",
            "frequency": _frequency(images[number]),
            "image_count": images[number],
            "instance_count": instances[number],
        }
        for number, name in enumerate(classes.names, start=1)
    ]


def _frequency(images: int) -> str:
    if images <= RARE:
        return "r"
    return "c" if images <= COMMON else "f"
