"""The readers of formats on files that are written by hand, right ones and wrong ones."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Size
from tests.e2e.export_truth import pictures
from tests.e2e.format_readers import READERS, voc_palette
from tests.e2e.found_objects import Found, Wanted, box_of, kept, worst_iou

pytestmark = pytest.mark.e2e  # some need the environment of others' readers

SIZE = (4, 6)
SQUARE = (
    np.array([[0, 0, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0], [0, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0]]) > 0
)
RING = (
    np.array([[0, 0, 0, 0, 0, 0], [0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 0, 1], [0, 0, 0, 1, 1, 1]]) > 0
)
WANTED = [Wanted("Dog", SQUARE), Wanted("a/b é", RING)]
NAMES = ("Dog", "a/b é")


def png(pixels: npt.NDArray[Any], *, palette: bool = False) -> bytes:
    image = Image.fromarray(pixels.astype(np.uint16 if pixels.max() > 255 else np.uint8))
    if palette:
        image.putpalette(voc_palette().tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


PICTURE = png(np.full((*SIZE, 3), 99))
NUMBERS = np.where(SQUARE, 1, np.where(RING, 2, 0))


def counts(mask: BoolMask) -> list[int]:
    """COCO's run lengths, down the columns, of zeros first."""
    flat = mask.T.ravel().tolist()
    runs, value = [0], False
    for each in flat:
        if each != value:
            runs.append(0)
            value = each
        runs[-1] += 1
    return runs


def coco() -> dict[str, Any]:
    images = [{"id": 7, "file_name": "a.png", "height": 4, "width": 6}]
    annotations = [
        {
            "id": number, "image_id": 7, "category_id": number, "iscrowd": 0, "area": area,
            "bbox": box, "segmentation": {"size": list(SIZE), "counts": counts(mask)},
        }
        for number, area, box, mask in ((1, 4, [1, 1, 2, 2], SQUARE), (2, 8, [3, 1, 3, 3], RING))
    ]  # fmt: skip
    categories = [{"id": number, "name": name} for number, name in enumerate(NAMES, start=1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


def coco_files() -> dict[str, bytes]:
    return {"annotations/instances_default.json": as_json(coco()), "images/a.png": PICTURE}


def panoptic_files() -> dict[str, bytes]:
    document = coco()
    for each in document["categories"]:
        each |= {"isthing": 1, "color": [1, 2, 3]}
    segments = [
        {key: each[key] for key in ("category_id", "iscrowd", "area", "bbox")}
        | {"id": each["id"] * 70_000}
        for each in document["annotations"]
    ]
    document["annotations"] = [
        {"image_id": 7, "file_name": "a.png", "segments_info": segments}
    ]  # fmt: skip
    numbers = NUMBERS * 70_000
    rgb = np.stack([numbers % 256, numbers // 256 % 256, numbers // 256**2], axis=-1)
    return {
        "annotations/panoptic_default.json": as_json(document),
        "annotations/panoptic_default/a.png": png(rgb),
    }


def lvis_files() -> dict[str, bytes]:
    document = coco()
    for each in document["annotations"]:
        del each["iscrowd"]
    document["images"][0] |= {"neg_category_ids": [], "not_exhaustive_category_ids": []}
    for each in document["categories"]:
        each |= {
            "image_count": 1, "instance_count": 1, "frequency": "r", "synset": "", "synonyms": [],
            "def": "",
        }  # fmt: skip
    return {"annotations/lvis.json": as_json(document)}


def voc_files() -> dict[str, bytes]:
    objects = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax>"
        f"<ymax>{y1}</ymax></bndbox></object>"
        for name, x0, y0, x1, y1 in (("Dog", 2, 2, 3, 3), ("a/b é", 4, 2, 6, 4))
    )
    xml = (
        "<annotation><filename>a.png</filename><size><width>6</width><height>4</height></size>"
        f"<segmented>1</segmented>{objects}</annotation>"
    )
    return {
        "SegmentationClass/a.png": png(NUMBERS, palette=True),
        "SegmentationObject/a.png": png(NUMBERS, palette=True),
        "Annotations/a.xml": xml.encode(),
        "ImageSets/Segmentation/default.txt": b"a\n",
        "JPEGImages/a.png": PICTURE,
        "labelmap.txt": "# label:color_rgb:parts:actions\nbackground:0,0,0::\nDog:128,0,0::\n"
        "a/b é:0,128,0::\n".encode(),
    }


def yolo_files(*lines: str) -> dict[str, bytes]:
    table = "train: images/train\nval: images/train\nnames:\n  0: Dog\n  1: a/b é\n"
    return {
        "data.yaml": table.encode(),
        "images/train/a.png": PICTURE,
        "labels/train/a.txt": "".join(f"{line}\n" for line in lines).encode(),
    }


def yolo_outlines() -> dict[str, bytes]:
    """The ring as one outline: around it, and by a way of its own pixels around the hole."""
    square = [(1, 1), (2, 1), (2, 2), (1, 2)]
    ring = [(3, 1), (5, 1), (5, 3), (3, 3), (3, 2), (4, 3), (5, 2), (4, 1), (3, 2)]
    return yolo_files(
        *(
            " ".join(
                [str(number), *(f"{(x + 0.5) / 6:.6f} {(y + 0.5) / 4:.6f}" for x, y in points)]
            )
            for number, points in enumerate((square, ring))
        )
    )


def yolo_boxes() -> dict[str, bytes]:
    return yolo_files(f"0 {2 / 6:.6f} 0.5 {2 / 6:.6f} 0.5", f"1 0.75 {2.5 / 4} 0.5 0.75")


def labelme_files() -> dict[str, bytes]:
    """The square as a polygon, the ring as two masks of one group."""
    upper, lower = RING.copy(), RING.copy()
    upper[2:], lower[:2] = False, False
    shapes: list[dict[str, Any]] = [
        {"label": "Dog", "shape_type": "polygon", "points": [[1, 1], [3, 1], [3, 3], [1, 3]]}
    ]
    for part, corners in ((upper, [[3, 1], [5, 1]]), (lower, [[3, 2], [5, 3]])):
        (left, top), (right, bottom) = corners
        code = base64.b64encode(png(part[top : bottom + 1, left : right + 1])).decode()
        shapes.append(
            {"label": "a/b é", "shape_type": "mask", "points": corners, "mask": code, "group_id": 3}
        )
    document: dict[str, Any] = {
        "version": "5.5.0", "flags": {}, "imagePath": "a.png", "imageData": None, "imageHeight": 4,
        "imageWidth": 6, "shapes": shapes,
    }  # fmt: skip
    return {"a.json": as_json(document), "a.png": PICTURE}


def cvat_files() -> dict[str, bytes]:
    labels = "".join(f"<label><name>{name}</name></label>" for name in NAMES)
    shapes = (
        '<mask label="Dog" rle="0, 4" left="1" top="1" width="2" height="2" z_order="0"/>'
        '<mask label="a/b é" rle="0, 4, 1, 4" left="3" top="1" width="3" height="3" z_order="1"/>'
    )
    xml = (
        f"<annotations><version>1.1</version><meta><task><labels>{labels}</labels></task></meta>"
        f'<image id="0" name="a.png" width="6" height="4">{shapes}</image></annotations>'
    )
    return {"annotations.xml": xml.encode(), "images/a.png": PICTURE}


def eiseg_files() -> dict[str, bytes]:
    polygons: list[dict[str, Any]] = [
        {
            "name": "Dog", "labelIdx": 1, "color": [9, 8, 7],
            "points": [[1, 1], [2, 1], [2, 2], [1, 2]],
        },
        {
            "name": "a/b é", "labelIdx": 2, "color": [6, 5, 4],
            "points": [[3, 1], [5, 1], [5, 3], [3, 3], [3, 2], [4, 3], [5, 2], [4, 1], [3, 2]],
        },
    ]  # fmt: skip
    shapes = [
        {"label": each["name"], "points": each["points"], "shape_type": "polygon"}
        for each in polygons
    ]
    labelme = {
        "version": "1.1", "flags": {}, "imagePath": "a.png", "imageHeight": 4, "imageWidth": 6,
        "imageData": base64.b64encode(PICTURE).decode(), "shapes": shapes,
    }  # fmt: skip
    document = coco()
    for each, polygon in zip(document["annotations"], polygons, strict=True):
        each["segmentation"] = [np.ravel(polygon["points"]).tolist()]
    colours = np.array([[0, 0, 0], [9, 8, 7], [6, 5, 4]])
    cutout = np.full((*SIZE, 4), [0, 0, 128, 255])
    cutout[NUMBERS > 0] = [99, 99, 99, 255]
    return {
        "a.json": as_json(polygons),
        "a.png": png(NUMBERS),
        "a_pseudo.png": png(colours[NUMBERS]),
        "a_cutout.png": png(cutout),
        "labelme/a_labelme.json": as_json(labelme),
        "annotations.json": as_json(document),
        "autosave_label.txt": "1 Dog 9 8 7\n2 a/b_é 6 5 4\n".encode(),
    }


def semantic_files() -> dict[str, bytes]:
    table = "index,name,r,g,b\n0,background,0,0,0\n1,Dog,128,0,0\n2,a/b é,0,128,0\n"
    return {"masks/a.png": png(NUMBERS), "classes.csv": table.encode()}


def instances_files() -> dict[str, bytes]:
    table = "file,number,label\na.png,300,Dog\na.png,301,a/b é\n"
    numbers = np.where(NUMBERS, NUMBERS + 299, 0)
    return {"masks/a.png": png(numbers), "instances.csv": table.encode()}


def hf_files() -> dict[str, bytes]:
    line = {
        "file_name": "images/a.png", "mask_file_name": "masks/a.png",
        "instances_file_names": ["instances/1.png", "instances/2.png"], "labels": NAMES,
        "objects": {"bbox": [[1, 1, 2, 2], [3, 1, 3, 3]], "categories": NAMES},
    }  # fmt: skip
    return {
        "train/metadata.jsonl": as_json(line),
        "train/images/a.png": PICTURE,
        "train/masks/a.png": png(NUMBERS),
        "train/instances/1.png": png(SQUARE * 255),
        "train/instances/2.png": png(RING * 255),
    }


def cutouts_files() -> dict[str, bytes]:
    """Of a picture that the reader knows, since a cut-out does not tell the picture's size."""
    whole = np.asarray(Image.open(io.BytesIO(pictures()["both.png"].content)))
    entries, files = [], {}
    for number, (label, mask) in enumerate(WANTED):
        left, top, width, height = box = box_of(mask)
        part = np.s_[top : top + height, left : left + width]
        name = f"{number}/both_{number}.png"
        files[name] = png(np.dstack([whole[part], mask[part] * 255]))
        entries.append({"file_name": name, "picture": "both.png", "label": label, "box": box})
    return {**files, "metadata.jsonl": b"\n".join(map(as_json, entries))}


def overlay_files() -> dict[str, bytes]:
    picture = pictures()["both.png"]
    pixels = np.array(Image.open(io.BytesIO(picture.content)).convert("RGB"))
    pixels[picture.drawn[0].mask] ^= 128
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, subsampling=0)
    return {"both.jpg": buffer.getvalue()}


HAND_WRITTEN: dict[str, Callable[[], dict[str, bytes]]] = {
    "coco": coco_files,
    "coco-panoptic": panoptic_files,
    "lvis": lvis_files,
    "voc": voc_files,
    "yolo-seg": yolo_outlines,
    "yolo-box": yolo_boxes,
    "labelme": labelme_files,
    "cvat": cvat_files,
    "eiseg": eiseg_files,
    "semantic": semantic_files,
    "instances": instances_files,
    "hf": hf_files,
    "cutouts": cutouts_files,
    "overlay": overlay_files,
}

READINGS = [(name, reader) for name, readers in READERS.items() for reader in readers]


def read(folder: Path, format: str, reader: str, files: dict[str, bytes]) -> list[Found]:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return list(READERS[format][reader].read(folder))


def test_every_reader_has_its_files() -> None:
    assert sorted(HAND_WRITTEN) == sorted(READERS)


@pytest.mark.parametrize(("format", "reader"), READINGS, ids=str)
def test_a_reader_finds_what_was_written_by_hand(tmp_path: Path, format: str, reader: str) -> None:
    row = READERS[format][reader]
    found = read(tmp_path, format, reader, HAND_WRITTEN[format]())
    name, wanted = "a.png", WANTED
    if format in {"cutouts", "overlay"}:
        name, size = "both.png", pictures()["both.png"].size
        wanted = [Wanted(label, padded(mask, size)) for label, mask in WANTED]
    assert {each.picture for each in found} == {name if row.extension else Path(name).stem}
    assert worst_iou(kept(wanted, row.keeps), found) == 1.0


def padded(mask: BoolMask, size: Size) -> BoolMask:
    """A mask in the upper left corner of a larger picture."""
    return np.pad(mask, ((0, size.height - SIZE[0]), (0, size.width - SIZE[1])))


def test_masks_that_are_not_the_same_are_told_apart() -> None:
    shifted = np.roll(SQUARE, 1, axis=1)
    found = [Found("a", "Dog", shifted), Found("a", "a/b é", RING)]
    assert worst_iou(WANTED, found) == pytest.approx(2 / 6)
    swapped = [Found("a", "Dog", RING), Found("a", "a/b é", SQUARE)]
    assert worst_iou(WANTED, swapped) == 0
    with pytest.raises(AssertionError):
        worst_iou(WANTED, found[:1])
    with pytest.raises(AssertionError, match="nothing of class"):
        worst_iou(WANTED, [found[1], found[1]])


def test_what_a_format_keeps_is_what_is_on_top() -> None:
    over = Wanted("Cat", np.ones(SIZE, dtype=np.bool_) & (np.arange(6) < 2))
    visible = kept([*WANTED, over], "visible")
    assert [int(each.mask.sum()) for each in visible] == [2, 8, 8]
    assert [int(each.mask.sum()) for each in kept([*WANTED, over, WANTED[0]], "classes")] == [
        4,
        8,
        6,
    ]
    assert [int(each.mask.sum()) for each in kept(WANTED, "boxes")] == [4, 9]


WRONG: dict[str, Callable[[dict[str, bytes]], None]] = {
    "coco": lambda files: replace(
        files, "instances_default.json", b'"iscrowd": 0', b'"iscrowd": 1'
    ),
    "coco-panoptic": lambda files: replace(
        files, "panoptic_default.json", b'"area": 4', b'"area": 5'
    ),
    "voc": lambda files: replace(files, "a.xml", b"<xmax>6", b"<xmax>5"),
    "yolo-seg": lambda files: replace(files, "a.txt", b"0.25", b"1.25"),
    "labelme": lambda files: replace(files, "a.json", b'"imageWidth": 6', b'"imageWidth": 7'),
    "lvis": lambda files: replace(
        files, "lvis.json", b'"instance_count": 1', b'"instance_count": 2'
    ),
    "hf": lambda files: replace(files, "metadata.jsonl", b'"Dog"', b'"Cat"', 1),
    "instances": lambda files: replace(files, "instances.csv", b"a.png,301,a/b \xc3\xa9\n", b""),
    "cutouts": lambda files: replace(files, "metadata.jsonl", b'"box": [1', b'"box": [91'),
    "overlay": lambda files: files.update({"both.jpg": jpeg(pictures()["both.png"].content)}),
    "eiseg": lambda files: replace(files, "autosave_label.txt", b"9 8 7", b"9 8 6"),
}
"""A fault of a format that its first reader must notice."""


def replace(files: dict[str, bytes], name: str, old: bytes, new: bytes, most: int = -1) -> None:
    (key,) = (each for each in files if each.endswith(f"/{name}") or each == name)
    assert old in files[key]
    files[key] = files[key].replace(old, new, most)


def jpeg(content: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(content)).convert("RGB").save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


@pytest.mark.parametrize("format", WRONG)
def test_a_reader_notices_what_is_wrong(tmp_path: Path, format: str) -> None:
    files = HAND_WRITTEN[format]()
    WRONG[format](files)
    with pytest.raises(AssertionError):
        read(tmp_path, format, next(iter(READERS[format])), files)
