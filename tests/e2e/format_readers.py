"""Independent readers of every format of ``edgeflow export``, which share no code with its writers.

Those that need other people's libraries run in an environment of their own; see
:mod:`tests.e2e.export_readers`.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import subprocess
import warnings
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from xml.etree.ElementTree import Element

import cv2
import numpy as np
import numpy.typing as npt
import yaml
from defusedxml import ElementTree
from PIL import Image, ImageOps
from pycocotools import mask as masks
from pycocotools.coco import COCO

from edgeflow.arrays import BoolMask
from tests.e2e.conftest import environment
from tests.e2e.found_objects import Found, Keeps, box_of
from tests.e2e.picture_readers import (
    read_cutouts,
    read_eiseg_coco,
    read_eiseg_pictures,
    read_eiseg_polygons,
    read_instances,
    read_overlay,
    read_semantic,
)

SCRIPT = Path(__file__).with_name("export_readers.py")


class Reader(NamedTuple):
    """An independent reader of a format.

    Attributes:
        read: Finds all objects in a folder.
        keeps: What the format keeps.
        iou: That each mask must have, at least.
        extension: Whether it tells the names of pictures with their extension.
    """

    read: Callable[[Path], Iterator[Found]]
    keeps: Keeps = "objects"
    iou: float = 1.0
    extension: bool = True


def read_elsewhere(name: str, folder: Path) -> Iterator[Found]:
    """By a reader of :mod:`tests.e2e.export_readers`."""
    command = [str(environment("export-readers") / "python"), str(SCRIPT), name, str(folder)]
    with TemporaryDirectory() as cache:
        offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": cache}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=offline)
    assert done.returncode == 0, done.stderr
    for picture, label, height, width, bits in json.loads(done.stdout.splitlines()[-1]):
        packed = np.frombuffer(zlib.decompress(base64.b64decode(bits)), dtype=np.uint8)
        mask = np.unpackbits(packed, count=height * width).reshape(height, width)
        yield Found(picture, label, mask.astype(np.bool_))


def read_coco(folder: Path) -> Iterator[Found]:
    """By pycocotools, and what the file says of each mask by its arithmetic."""
    (path,) = (each for each in folder.rglob("*.json") if each.parent.name == "annotations")
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(path))
    for each in coco.dataset["annotations"]:
        code = coco.annToRLE(each)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # pycocotools and NumPy 2
            mask = masks.decode(code).astype(np.bool_)
        image, category = coco.imgs[each["image_id"]], coco.cats[each["category_id"]]
        assert mask.shape == (image["height"], image["width"])
        assert each["area"] == mask.sum()
        assert each["bbox"] == box_of(mask)
        assert each["iscrowd"] == 0
        yield Found(image["file_name"], category["name"], mask)


def read_panoptic(folder: Path) -> Iterator[Found]:
    """By the rule of panopticapi: the number of a segment is R + 256 G + 65536 B, and 0 is void."""
    (path,) = folder.rglob("*.json")
    panoptic = json.loads(path.read_text())
    names = {each["id"]: each["name"] for each in panoptic["categories"]}
    assert all(each["isthing"] in {0, 1} and "color" in each for each in panoptic["categories"])
    images = {each["id"]: each for each in panoptic["images"]}
    for annotation in panoptic["annotations"]:
        image = images[annotation["image_id"]]
        picture = Image.open(path.with_suffix("") / annotation["file_name"])
        assert picture.mode == "RGB"
        assert picture.size == (image["width"], image["height"])
        numbers = np.asarray(picture).astype(np.int64) @ np.array([1, 256, 256**2])
        segments = annotation["segments_info"]
        assert set(np.unique(numbers)) - {0} == {each["id"] for each in segments}
        assert len({each["id"] for each in segments}) == len(segments)
        for each in segments:
            mask = numbers == each["id"]
            assert each["area"] == mask.sum()
            assert each["bbox"] == box_of(mask)
            assert each["iscrowd"] == 0
            assert Path(annotation["file_name"]).stem == Path(image["file_name"]).stem
            yield Found(image["file_name"], names[each["category_id"]], mask)


def voc_palette() -> npt.NDArray[np.uint8]:
    """PASCAL VOC's colours, 256×3: bits go to red, green and blue in turn, the high ones first."""
    numbers = np.arange(256)
    bits = (numbers[:, None] >> np.arange(8)) & 1  # number × bit
    palette = np.zeros((256, 3), dtype=np.uint8)
    for bit in range(8):
        palette[:, bit % 3] |= (bits[:, bit] << (7 - bit // 3)).astype(np.uint8)
    return palette


def _indices(path: Path) -> npt.NDArray[np.uint8]:
    """The indices of a PNG with VOC's palette."""
    picture = Image.open(path)
    assert picture.mode == "P"
    used = np.array(picture.getpalette()).reshape(-1, 3)
    assert (used == voc_palette()[: len(used)]).all()
    indices = np.asarray(picture)
    assert indices.max() < len(used)
    return indices


def read_voc(folder: Path) -> Iterator[Found]:
    """By Pillow: object numbers, the class of each, its box in the XML, and the list of names."""
    classes = [
        line.partition(":")[0]
        for line in (folder / "labelmap.txt").read_text().splitlines()
        if not line.startswith("#")
    ]
    listed = [
        name
        for path in (folder / "ImageSets" / "Segmentation").glob("*.txt")
        for name in path.read_text().splitlines()
    ]
    for kind in ("Annotations", "SegmentationClass", "SegmentationObject"):
        assert sorted(path.stem for path in (folder / kind).iterdir()) == sorted(listed)
    for name in listed:
        kinds = _indices(folder / "SegmentationClass" / f"{name}.png")
        numbers = _indices(folder / "SegmentationObject" / f"{name}.png")
        assert ((kinds == 0) == (numbers == 0)).all()
        root = ElementTree.fromstring((folder / "Annotations" / f"{name}.xml").read_bytes())
        assert root.findtext("segmented") == "1"
        assert numbers.shape == _numbers(root, "size/height", "size/width")
        found = [numbers == number for number in np.unique(numbers) if number not in {0, 255}]
        _check_boxes(root, classes, kinds, found)
        picture = root.findtext("filename", "")
        assert Path(picture).stem == name
        for mask in found:
            (kind,) = np.unique(kinds[mask])
            yield Found(picture, classes[kind], mask)


def _numbers(element: Element, *paths: str) -> tuple[int, ...]:
    return tuple(int(element.findtext(path, "")) for path in paths)


def _check_boxes(
    root: Element, classes: list[str], kinds: npt.NDArray[np.uint8], found: list[BoolMask]
) -> None:
    """The XML's boxes, from 1 and with their last row and column, hold the masks of their class."""
    sides = [f"bndbox/{side}" for side in ("xmin", "ymin", "xmax", "ymax")]
    boxes = [(each.findtext("name"), _numbers(each, *sides)) for each in root.iter("object")]
    assert len(boxes) == len(found)
    for mask in found:
        left, top, width, height = box_of(mask)
        label = classes[np.unique(kinds[mask])[0]]
        assert any(
            name == label
            and x0 <= left + 1 and y0 <= top + 1 and x1 >= left + width and y1 >= top + height
            for name, (x0, y0, x1, y1) in boxes
        )  # fmt: skip


def read_yolo(folder: Path, *, boxes: bool = False) -> Iterator[Found]:
    """By the rule of Ultralytics: points times the picture's size, cut to integers, and filled.

    Labels lie where the last ``/images/`` of a picture's path is ``/labels/``.
    """
    data = yaml.safe_load((folder / "data.yaml").read_text())
    names: dict[int, str] = dict(data["names"])
    assert list(names) == list(range(len(names)))
    parts = {data[part] for part in ("train", "val", "test") if part in data}
    for path in sorted(each for part in parts for each in (folder / part).rglob("*.*")):
        with Image.open(path) as opened:
            width, height = ImageOps.exif_transpose(opened).size
        head, _, tail = str(path).rpartition("/images/")
        labels = Path(f"{head}/labels/{tail}").with_suffix(".txt")
        for line in labels.read_text().splitlines():
            number, *rest = line.split()
            values = np.array(rest, dtype=np.float32)
            assert ((values >= 0) & (values <= 1)).all()
            mask = np.zeros((height, width), dtype=np.uint8)
            if boxes:
                x, y, w, h = (
                    values * np.array([width, height, width, height], np.float32)
                ).tolist()
                mask[round(y - h / 2) : round(y + h / 2), round(x - w / 2) : round(x + w / 2)] = 1
            else:
                assert len(values) >= 6
                points = values.reshape(-1, 2) * np.array([width, height], np.float32)
                cv2.fillPoly(mask, [points.astype(np.int32)], (1,))
            yield Found(path.name, names[int(number)], mask.astype(np.bool_))


READERS: dict[str, dict[str, Reader]] = {
    "coco": {
        "pycocotools": Reader(read_coco),
        "datumaro": Reader(partial(read_elsewhere, "coco"), extension=False),
    },
    "coco-panoptic": {"panopticapi": Reader(read_panoptic, "visible")},
    "lvis": {"lvis": Reader(partial(read_elsewhere, "lvis"))},
    "voc": {
        "Pillow": Reader(read_voc, "visible"),
        "datumaro": Reader(partial(read_elsewhere, "voc"), "visible", extension=False),
    },
    "yolo-seg": {"fillPoly": Reader(read_yolo, iou=0.99)},
    "yolo-box": {"arithmetic": Reader(partial(read_yolo, boxes=True), "boxes")},
    "eiseg": {
        "Pillow": Reader(read_eiseg_pictures, "classes", extension=False),
        "fillPoly": Reader(read_eiseg_polygons, "unions", extension=False),
        "COCO": Reader(read_eiseg_coco, "unions"),
        "labelme": Reader(partial(read_elsewhere, "eiseg"), "unions"),
    },
    "labelme": {"labelme": Reader(partial(read_elsewhere, "labelme"))},
    "cvat": {"datumaro": Reader(partial(read_elsewhere, "cvat"), extension=False)},
    "hf": {"datasets": Reader(partial(read_elsewhere, "hf"))},
    "semantic": {"Pillow": Reader(read_semantic, "classes", extension=False)},
    "instances": {"Pillow": Reader(read_instances, "visible", extension=False)},
    "cutouts": {"Pillow": Reader(read_cutouts)},
    "overlay": {"Pillow": Reader(read_overlay, "nothing", extension=False)},
}
"""By format, as on the command line, and by what reads it."""
