"""Independent readers of every format of ``edgeflow export``, which share no code with its writers.

Those that need other people's libraries run in an environment of their own; see
:mod:`tests.e2e.export_readers`.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import io
import json
import subprocess
import warnings
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple
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
from tests.e2e.export_truth import pictures

SCRIPT = Path(__file__).with_name("export_readers.py")
UNLABELLED = "unlabelled"


class Found(NamedTuple):
    """An object as a reader found it.

    Attributes:
        picture: Name of its picture, as the format tells it.
        label: Its class.
        mask: H×W bool.
    """

    picture: str
    label: str
    mask: BoolMask


Keeps = Literal["objects", "visible", "classes", "unions", "boxes", "nothing"]
"""What a format keeps of a picture's objects: each; what is on top of each; the same by class; all
of a class; the box of each; or nothing but the picture, on which they are to be seen."""


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
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder.parent / "hf"), "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=offline)
    assert done.returncode == 0, done.stderr
    for picture, label, height, width, bits in json.loads(done.stdout.splitlines()[-1]):
        packed = np.frombuffer(zlib.decompress(base64.b64decode(bits)), dtype=np.uint8)
        mask = np.unpackbits(packed, count=height * width).reshape(height, width)
        yield Found(picture, label, mask.astype(np.bool_))


def read_coco(folder: Path) -> Iterator[Found]:
    """By pycocotools, and what the file says of each mask by its arithmetic."""
    (path,) = (each for each in folder.rglob("*.json") if each.parent.name == "annotations")
    coco = _open_coco(path)
    for each in coco.dataset["annotations"]:
        code = coco.annToRLE(each)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # pycocotools and NumPy 2
            mask = masks.decode(code).astype(np.bool_)
        image, category = coco.imgs[each["image_id"]], coco.cats[each["category_id"]]
        assert mask.shape == (image["height"], image["width"])
        assert each["area"] == mask.sum()
        assert each["bbox"] == _box(mask)
        assert each["iscrowd"] == 0
        yield Found(image["file_name"], category["name"], mask)


def _open_coco(path: Path) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


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
            assert each["bbox"] == _box(mask)
            assert each["iscrowd"] == 0
            assert Path(annotation["file_name"]).stem == Path(image["file_name"]).stem
            yield Found(image["file_name"], names[each["category_id"]], mask)


def _box(mask: BoolMask) -> list[int]:
    """Left, top, width and height."""
    rows, cols = np.nonzero(mask)
    return [
        int(cols.min()), int(rows.min()),
        int(np.ptp(cols)) + 1, int(np.ptp(rows)) + 1,
    ]  # fmt: skip


def voc_palette() -> npt.NDArray[np.uint8]:
    """PASCAL VOC's colours, 256×3: a number's bits go to red, green and blue in turn, high first."""
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
        root = ElementTree.parse(folder / "Annotations" / f"{name}.xml").getroot()
        assert root.findtext("segmented") == "1"
        size = tuple(int(root.findtext(f"size/{side}", "")) for side in ("height", "width"))
        assert numbers.shape == size
        found = [numbers == number for number in np.unique(numbers) if number not in {0, 255}]
        for mask in found:
            (kind,) = np.unique(kinds[mask])
            picture = root.findtext("filename", "")
            assert Path(picture).stem == name
            yield Found(picture, classes[kind], mask)
        _check_boxes(root, classes, kinds, found)


def _check_boxes(
    root: Element, classes: list[str], kinds: npt.NDArray[np.uint8], found: list[BoolMask]
) -> None:
    """The XML's boxes, from 1 and with their last row and column, hold the masks of their class."""
    boxes = [
        (each.findtext("name"), *(int(each.findtext(f"bndbox/{side}", "")) for side in SIDES))
        for each in root.iter("object")
    ]
    assert len(boxes) >= len(found)
    for mask in found:
        left, top, width, height = _box(mask)
        label = classes[np.unique(kinds[mask])[0]]
        assert any(
            name == label
            and x0 <= left + 1 and y0 <= top + 1 and x1 >= left + width and y1 >= top + height
            for name, x0, y0, x1, y1 in boxes
        )  # fmt: skip


SIDES = ("xmin", "ymin", "xmax", "ymax")


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
                x, y, w, h = (values * np.float32([width, height, width, height])).tolist()
                mask[round(y - h / 2) : round(y + h / 2), round(x - w / 2) : round(x + w / 2)] = 1
            else:
                assert len(values) >= 6
                points = values.reshape(-1, 2) * np.float32([width, height])
                cv2.fillPoly(mask, [points.astype(np.int32)], (1,))
            yield Found(path.name, names[int(number)], mask.astype(np.bool_))


def read_eiseg_pictures(folder: Path) -> Iterator[Found]:
    """By Pillow: the grey picture's numbers, named by the list of labels, and the other pictures.

    The list has no blanks in names; the full ones stand in the JSON.
    """
    listed = [
        line.split() for line in (folder / "autosave_label.txt").read_text().splitlines()
    ]  # fmt: skip
    colours = np.zeros((256, 3), dtype=np.uint8)
    words = {}
    for number, word, *colour in listed:
        colours[int(number)], words[int(number)] = list(map(int, colour)), word
    for path in _eiseg_files(folder):
        names = {each["labelIdx"]: each["name"] for each in json.loads(path.read_text())}
        assert all(words[number] == name.replace(" ", "_") for number, name in names.items())
        grey = Image.open(path.with_suffix(".png"))
        assert grey.mode == "L"
        numbers = np.asarray(grey)
        pseudo = Image.open(path.with_name(f"{path.stem}_pseudo.png"))
        assert pseudo.mode == "RGB"
        assert (np.asarray(pseudo) == colours[numbers]).all()
        cutout = np.asarray(Image.open(path.with_name(f"{path.stem}_cutout.png")))
        assert ((cutout == [0, 0, 128, 255]).all(axis=2) >= (numbers == 0)).all()
        for number in np.unique(numbers[numbers > 0]).tolist():
            yield Found(path.stem, names[number], numbers == number)


def read_eiseg_polygons(folder: Path) -> Iterator[Found]:
    """By EISeg's rule: polygons are filled one after the other with ``cv2.fillPoly``."""
    for path in _eiseg_files(folder):
        size = np.asarray(Image.open(path.with_suffix(".png"))).shape
        filled: dict[str, npt.NDArray[np.uint8]] = {}
        for each in json.loads(path.read_text()):
            assert each.keys() == {"name", "labelIdx", "color", "points"}
            mask = filled.setdefault(each["name"], np.zeros(size, dtype=np.uint8))
            cv2.fillPoly(mask, [np.array(each["points"]).astype(np.int32)], (1,))
        yield from (Found(path.stem, name, mask > 0) for name, mask in filled.items())


def _eiseg_files(folder: Path) -> list[Path]:
    """EISeg's own JSON of each picture, which its labelme and COCO files stand beside."""
    found = sorted(folder.glob("*.json"))
    found.remove(folder / "annotations.json")
    labelme = sorted((folder / "labelme").glob("*.json"))
    assert [path.name for path in labelme] == [f"{path.stem}_labelme.json" for path in found]
    return found


def read_eiseg_coco(folder: Path) -> Iterator[Found]:
    """By pycocotools; a polygon is an annotation, with its corners in the middle of pixels."""
    coco = _open_coco(folder / "annotations.json")
    filled: dict[tuple[str, str], BoolMask] = {}
    for each in coco.dataset["annotations"]:
        image = coco.imgs[each["image_id"]]
        mask = np.zeros((image["height"], image["width"]), dtype=np.uint8)
        (points,) = each["segmentation"]
        cv2.fillPoly(mask, [np.array(points).reshape(-1, 2).astype(np.int32)], (1,))
        key = (image["file_name"], coco.cats[each["category_id"]]["name"])
        filled[key] = filled.get(key, mask > 0) | (mask > 0)
    yield from (Found(*key, mask) for key, mask in filled.items())


def read_semantic(folder: Path) -> Iterator[Found]:
    """By Pillow and the table of classes."""
    with (folder / "classes.csv").open(encoding="utf-8", newline="") as file:
        names = {int(row["index"]): row["name"] for row in csv.DictReader(file)}
    assert names[0] == "background"
    for path in sorted((folder / "masks").iterdir()):
        numbers = np.asarray(Image.open(path))
        for number in np.unique(numbers[numbers > 0]).tolist():
            yield Found(path.stem, names[number], numbers == number)


def read_instances(folder: Path) -> Iterator[Found]:
    """By Pillow and the table of objects, which has no text for those without a label."""
    with (folder / "instances.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    pictures = {path.name: Image.open(path) for path in (folder / "masks").iterdir()}
    assert {picture.mode for picture in pictures.values()} == {"I;16"}
    numbers = {name: np.asarray(picture) for name, picture in pictures.items()}
    assert sum(len(np.unique(each[each > 0])) for each in numbers.values()) == len(rows)
    for row in rows:
        mask = numbers[row["file"]] == int(row["number"])
        yield Found(Path(row["file"]).stem, row["label"] or UNLABELLED, mask)


def read_cutouts(folder: Path) -> Iterator[Found]:
    """By Pillow: what is opaque, put back to where the table says that it was cut out."""
    entries = map(json.loads, (folder / "metadata.jsonl").read_text().splitlines())
    for entry in entries:
        with Image.open(folder / entry["file_name"]) as cut:
            assert cut.mode == "RGBA"
            alpha = np.asarray(cut)[:, :, 3]
        assert set(np.unique(alpha).tolist()) <= {0, 255}
        left, top, width, height = entry["box"]
        assert alpha.shape == (height, width)
        picture = next(each for each in pictures() if entry["picture"].endswith(each))
        mask = np.zeros(pictures()[picture].size, dtype=np.bool_)
        mask[top : top + height, left : left + width] = alpha > 0
        assert Path(entry["file_name"]).name.startswith(Path(entry["picture"]).stem)
        yield Found(entry["picture"], entry["label"], mask)


def read_overlay(folder: Path) -> Iterator[Found]:
    """By Pillow: the picture's file, and what differs by far from the picture that was annotated."""
    for path in sorted(folder.glob("*.jpg")):
        (picture,) = (
            each for each in pictures().values() if path.stem.endswith(Path(each.name).stem)
        )
        with Image.open(path) as shown, Image.open(io.BytesIO(picture.content)) as plain:
            after = np.asarray(shown.convert("RGB")).astype(int)
            assert after.shape == (*picture.size, 3)
            if plain.mode == "RGB":
                before = np.asarray(ImageOps.exif_transpose(plain)).astype(int)
                drawn = np.logical_or.reduce([each.mask for each in picture.drawn])
                changed = np.abs(after - before).max(axis=2) > 24
                assert changed[drawn].mean() > 0.9
        yield Found(path.stem, UNLABELLED, np.ones(picture.size, dtype=np.bool_))


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
        "pycocotools": Reader(read_eiseg_coco, "unions"),
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


class Wanted(NamedTuple):
    """An object that a format should hold; attributes as of :class:`Found`."""

    label: str | None
    mask: BoolMask


def kept(drawn: list[Wanted], keeps: Keeps) -> list[Wanted]:
    """What a format keeps of a picture's objects, which are in the order of drawing."""
    if keeps == "objects":
        return drawn
    if keeps == "boxes":
        return [Wanted(each.label, _filled(each.mask)) for each in drawn]
    if keeps == "nothing":
        return [Wanted(None, np.ones_like(drawn[0].mask))]
    if keeps == "unions":
        return _by_class(drawn)
    visible: list[Wanted] = []
    above = np.zeros_like(drawn[0].mask)
    for each in reversed(drawn):
        visible.insert(0, Wanted(each.label, each.mask & ~above))
        above |= each.mask
    return visible if keeps == "visible" else _by_class(visible)


def _by_class(objects: list[Wanted]) -> list[Wanted]:
    masks: dict[str | None, BoolMask] = {}
    for label, mask in objects:
        masks[label] = masks.get(label, mask) | mask
    return [Wanted(*each) for each in masks.items()]


def _filled(mask: BoolMask) -> BoolMask:
    left, top, width, height = _box(mask)
    box = np.zeros_like(mask)
    box[top : top + height, left : left + width] = True
    return box


def worst_iou(wanted: list[Wanted], found: list[Found]) -> float:
    """The least IoU of objects of one picture, each with the best of its own class and size."""
    assert len(found) == len(wanted)
    left, worst = list(found), 1.0
    for each in wanted:
        same = [
            other
            for other in left
            if other.label == (each.label or UNLABELLED) and other.mask.shape == each.mask.shape
        ]
        assert same, f"nothing of class {each.label!r} among {[other.label for other in left]}"
        overlaps = [_iou(each.mask, other.mask) for other in same]
        best = int(np.argmax(overlaps))
        left = [other for other in left if other is not same[best]]
        worst = min(worst, overlaps[best])
    return worst


def _iou(one: BoolMask, other: BoolMask) -> float:
    return float((one & other).sum() / (one | other).sum())
