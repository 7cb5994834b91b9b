"""What EISeg 1.1.1 saves, under its names (PaddleSeg, ``EISeg/eiseg/app.py``, ``exportLabel``).

Polygons go through pixels' centres and have each hole spliced into the ring, so that EISeg, which
draws them with ``cv2.fillPoly``, shows the very same pixels.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

import numpy as np

from edgeflow.annotated import AnnotatedObject, DrawnBox, Picture, mask_of
from edgeflow.arrays import ByteMap, Polygon, RGBAImage, RGBImage
from edgeflow.data.left_out import LeftOut
from edgeflow.errors import EdgeFlowError
from edgeflow.export.classes import Classes
from edgeflow.export.flat import BOXES, flatten
from edgeflow.export.format import Page, Plan
from edgeflow.export.formats.class_numbers import class_numbers
from edgeflow.export.formats.contours import contour_rings
from edgeflow.export.formats.ids import StableIds
from edgeflow.export.formats.label_names import one_line, one_word, told_apart
from edgeflow.export.formats.parts import listed, of_part
from edgeflow.export.formats.png_files import pixels_png
from edgeflow.export.output import File, Record, Written
from edgeflow.export.pictures import JPEG, copy_of

COCO = "annotations.json"
LABEL_LIST = "autosave_label.txt"
"""EISeg reads it when the folder is opened."""

PICTURES = "./{split}/images"
"""Each part is a folder of EISeg's, with its pictures in it if they are wanted."""

LABELME_FOLDER = "labelme"
LABELME_VERSION = "1.1"

BACKGROUND = (0, 0, 128, 255)
"""RGBA of a cut-out's background, EISeg's default."""

MOST_CLASSES = 255
"""Of a grey picture."""

PNG = b"\x89PNG\r\n\x1a\n"


def image_files(page: Page, plan: Plan) -> Written:
    """The masks, the cut-out and the polygons of an image.

    Without the picture there is no cut-out, and labelme's ``imageData`` is null.
    """
    image, classes = page.image, plan.classes
    left_out = [LeftOut(BOXES) for each in image.objects if isinstance(each.shape, DrawnBox)]
    flat = flatten(image.objects, image.size, plan.choices.overlap)
    numbers = class_numbers(flat.objects, classes, MOST_CLASSES)
    grey = numbers[flat.numbers]
    rings = [ring for each in image.objects for ring in _rings(each, classes)]
    cutout = data = None
    try:
        cutout = _cutout(page.rgb(), grey)
        data = _image_data(image.picture) if image.picture is not None else None
    except EdgeFlowError as error:
        left_out.append(LeftOut(f"no cut-out, no imageData: {error.message}", image.file_name))

    stem = str(PurePosixPath(page.split, page.name))
    labelme = str(PurePosixPath(page.split, LABELME_FOLDER, f"{page.name}_labelme.json"))
    colours = np.array([classes.colour(number) for number in range(256)], dtype=np.uint8)
    files = [
        File(f"{stem}.png", pixels_png(grey)),
        File(f"{stem}_pseudo.png", pixels_png(colours[grey])),
        File(f"{stem}.json", _eiseg(rings, classes)),
        File(labelme, _labelme(page, rings, classes, data)),
    ]
    if cutout is not None:
        files.append(File(f"{stem}_cutout.png", pixels_png(cutout)))
    height, width = image.size
    record = {
        "key": image.key,
        "split": page.split,
        "image": {"width": width, "height": height, "file_name": page.picture_name},
        "rings": rings,
    }
    return Written(tuple(files), record, tuple(left_out))


def whole_files(records: Iterable[Record], plan: Plan) -> Iterator[File]:
    """The COCO file and the lists of labels, those of each part in its folder."""
    names = ["__ignore__", *told_apart(plan.classes.names, one_line)]
    labels = "".join(f"{name}\n" for name in names).encode()
    for split in plan.splits:
        folder = PurePosixPath(split)
        yield File(str(folder / COCO), _coco(records, split, plan.classes))
        yield File(str(folder / LABEL_LIST), _label_list(plan.classes))
        yield File(str(folder / LABELME_FOLDER / "labels.txt"), labels)


def _rings(each: AnnotatedObject, classes: Classes) -> list[Record]:
    """The polygons around an object's parts; none of a box.

    What was drawn as polygons is outlined again: EISeg would paint more than lies in them.
    """
    mask = mask_of(each.shape)
    rings = [] if mask is None else contour_rings(mask)
    return [
        {
            "key": f"{each.key} {place}",
            "class": classes.number(each.label),
            "points": ring.astype(np.float64).tolist(),
        }
        for place, ring in enumerate(rings)
    ]


def _eiseg(rings: list[Record], classes: Classes) -> bytes:
    """EISeg's own JSON."""
    polygons = [
        {
            "name": classes.names[ring["class"] - 1],
            "labelIdx": ring["class"],
            "color": classes.colour(ring["class"]),
            "points": ring["points"],
        }
        for ring in rings
    ]
    return json.dumps(polygons).encode()


def _labelme(page: Page, rings: list[Record], classes: Classes, data: str | None) -> bytes:
    """The JSON that EISeg calls labelme's."""
    shapes = [
        {
            "label": classes.names[ring["class"] - 1],
            "points": ring["points"],
            "group_id": None,
            "shape_type": "polygon",
            "flags": {},
        }
        for ring in rings
    ]
    height, width = page.image.size
    document: Record = {
        "version": LABELME_VERSION,
        "flags": {},
        "shapes": shapes,
        "imagePath": page.picture_name,
        "imageData": data,
        "imageHeight": height,
        "imageWidth": width,
    }
    return json.dumps(document).encode()


def _image_data(picture: Picture) -> str:
    """The picture, upright, as base64 of a JPEG or PNG, which labelme can show."""
    data = copy_of(picture).data
    if not data.startswith((JPEG, PNG)):
        data = pixels_png(picture.rgb())
    return base64.b64encode(data).decode("ascii")


def _cutout(rgb: RGBImage, grey: ByteMap) -> RGBAImage:
    opaque = np.full((*grey.shape, 1), 255, dtype=np.uint8)
    pixels: RGBAImage = np.concatenate((rgb, opaque), axis=2)
    pixels[grey == 0] = BACKGROUND
    return pixels


def _coco(records: Iterable[Record], split: str, classes: Classes) -> Iterator[bytes]:
    """EISeg's COCO: one annotation a polygon, measured by its corners alone."""
    categories = [
        {"id": number, "name": name, "color": classes.colour(number), "supercategory": ""}
        for number, name in enumerate(classes.names, start=1)
    ]
    yield b'{"categories": ' + json.dumps(categories).encode() + b', "images": '
    image_ids, number_of = StableIds(), dict[str, int]()
    for record in of_part(records, split):
        number_of[record["key"]] = image_ids.of(record["key"])
    yield from listed(
        {
            "id": number_of[record["key"]],
            **record["image"],
            "license": "",
            "flickr_url": "",
            "coco_url": "",
            "date_captured": "",
        }
        for record in of_part(records, split)
    )
    yield b', "annotations": '
    ids = StableIds()
    yield from listed(
        {
            "id": ids.of(record["key"], ring["key"]),
            "iscrowd": 0,
            "image_id": number_of[record["key"]],
            "category_id": ring["class"],
            **_measured(np.array(ring["points"], dtype=np.float64)),
        }
        for record in of_part(records, split)
        for ring in record["rings"]
    )
    yield b', "info": "", "licenses": []}'


def _measured(ring: Polygon) -> Record:
    """A polygon with the area that its edges enclose, and the box around its corners."""
    low, high = ring.min(axis=0), ring.max(axis=0)
    x, y = (ring - low).T
    area = 0.5 * abs(float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))))
    return {
        "segmentation": [ring.ravel().tolist()],
        "area": area,
        "bbox": [*low.tolist(), *(high - low).tolist()],
    }


def _label_list(classes: Classes) -> bytes:
    """Lines of number, name and colour; EISeg skips names with blanks, so they get underscores."""
    names = told_apart(classes.names, one_word)
    return "".join(
        f"{number} {name} {' '.join(map(str, classes.colour(number)))} \n"
        for number, name in enumerate(names, start=1)
    ).encode()
