"""Label Studio's own exports, read with the readers of their formats."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.mask import area

from edgeflow.geometry import Size

BOX = 4
"""Numbers of a box in YOLO: its middle and its size, of the image's."""

Objects = list[tuple[str, float]]
"""An entry an object: its label, and the pixels of its mask, or of its box where that is all."""


def unpack(content: bytes, into: Path) -> None:
    """Write an export, a zip archive or one JSON file, into a folder."""
    into.mkdir()
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(into)
    else:
        (into / "result.json").write_bytes(content)


def read_coco(folder: Path, size: Size) -> Objects:
    """COCO's categories and areas, by pycocotools."""
    (file,) = folder.rglob("*.json")
    coco = COCO(str(file))
    for image in coco.loadImgs(coco.getImgIds()):
        assert (image["height"], image["width"]) == size
    names = {category["id"]: category["name"] for category in coco.loadCats(coco.getCatIds())}
    objects = coco.loadAnns(coco.getAnnIds())
    assert set(names) == {each["category_id"] for each in objects}
    return [
        (
            names[each["category_id"]],
            float(area(coco.annToRLE(each)) if each["segmentation"] else each["area"]),
        )
        for each in objects
    ]


def read_yolo(folder: Path, size: Size) -> Objects:
    """YOLO's lines: a box, or the points of an outline."""
    names = (folder / "classes.txt").read_text().split("\n")
    (labels,) = (folder / "labels").iterdir()
    found = []
    for line in labels.read_text().splitlines():
        number, *numbers = line.split()
        values = np.array(numbers, dtype=float)
        if len(values) == BOX:
            share = values[2] * values[3]
        else:
            x, y = values[::2], values[1::2]
            share = abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2
        found.append((names[int(number)], float(share * size.width * size.height)))
    return found


def read_png(folder: Path, size: Size) -> Objects:
    """One picture a mask, its label in the name."""
    return [_mask(path, np.asarray(Image.open(path)), size) for path in folder.iterdir()]


def read_npy(folder: Path, size: Size) -> Objects:
    """One array a mask, its label in the name."""
    return [_mask(path, np.load(path), size) for path in folder.iterdir()]


def _mask(path: Path, mask: npt.NDArray[np.uint8], size: Size) -> tuple[str, float]:
    assert mask.shape == size
    return _label(path.name), float((mask > 0).sum())


def _label(name: str) -> str:
    found = re.fullmatch(r"task-\d+-annotation-\d+-by-[^-]*-[^-]*-(.*)-\d+\.\w+", name)
    assert found, name
    return found[1]


READERS: dict[str, Callable[[Path, Size], Objects]] = {
    "COCO": read_coco,
    "YOLO": read_yolo,
    "BRUSH_TO_PNG": read_png,
    "BRUSH_TO_NUMPY": read_npy,
}


def labels_of_json(content: bytes) -> Counter[str]:
    """How many regions of each label the JSON export has; results of one id are one region."""
    (task,) = json.loads(content)
    regions: dict[str, set[str]] = {}
    results: list[dict[str, Any]] = task["annotations"][0]["result"]
    for result in results:
        if result["value"].keys() & {"rle", "points", "height", "imageDataURL"}:
            regions.setdefault(result["id"], set()).update(
                label
                for key, labels in result["value"].items()
                if key.endswith("labels")
                for label in labels
            )
    return Counter("+".join(sorted(labels)) for labels in regions.values())
