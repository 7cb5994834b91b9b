"""Reads exports with other people's libraries; runs in their environment, ``export-readers``.

    .envs/export-readers/bin/python tests/e2e/export_readers.py labelme FOLDER

Prints what was found as JSON: an entry an object, ``[picture, label, height, width, bits]``, the
mask's bits packed row by row, deflated and in base64.
"""

from __future__ import annotations

import base64
import importlib
import importlib.metadata
import importlib.util
import json
import sys
import types
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Found = Iterator[tuple[str, str, Mask]]
"""Name of the picture, label, and H×W mask of each object."""


def read_labelme(folder: Path) -> Found:
    """By labelme's own ``LabelFile``; shapes of one group are one object.

    It opens the picture, and refuses a file whose sizes are not the picture's.
    """
    label_file = _load_labelme()
    for path in sorted(folder.rglob("*.json")):
        file = label_file.LabelFile(str(path))
        document = json.loads(path.read_text())
        size = (document["imageHeight"], document["imageWidth"])
        objects = _Objects()
        for shape in file.shapes:
            if shape["shape_type"] == "polygon":
                mask = _filled(shape["points"], size)
            else:
                assert shape["shape_type"] == "mask"
                (left, top), (right, bottom) = np.array(shape["points"], dtype=int)
                mask = np.zeros(size, dtype=np.bool_)
                mask[top : bottom + 1, left : right + 1] = shape["mask"]
            objects.add(shape["group_id"], shape["label"], mask)
        yield from objects.found(Path(file.image_path).name)


def read_eiseg(folder: Path) -> Found:
    """What EISeg calls labelme's files, by labelme: of each class all of its polygons.

    Their corners are in the middle of pixels, and those on the border are within.
    """
    from cv2 import fillPoly  # noqa: PLC0415

    label_file = _load_labelme()
    for path in sorted((folder / "labelme").glob("*.json")):
        file = label_file.LabelFile(str(path))
        document = json.loads(path.read_text())
        filled: dict[str, npt.NDArray[np.uint8]] = {}
        for shape in file.shapes:
            assert shape["shape_type"] == "polygon"
            size = (document["imageHeight"], document["imageWidth"])
            mask = filled.setdefault(shape["label"], np.zeros(size, dtype=np.uint8))
            fillPoly(mask, [np.array(shape["points"]).astype(np.int32)], 1)
        picture = Path(file.image_path).name
        yield from ((picture, label, mask > 0) for label, mask in filled.items())


class _Objects:
    """The objects of a picture: shapes of one group are one."""

    def __init__(self) -> None:
        self._objects: dict[object, tuple[str, Mask]] = {}

    def add(self, group: int | None, label: str, mask: Mask) -> None:
        key = group or ("alone", len(self._objects))
        before = self._objects.setdefault(key, (label, mask))
        assert before[0] == label
        self._objects[key] = (label, before[1] | mask)

    def found(self, picture: str) -> Found:
        yield from ((picture, label, mask) for label, mask in self._objects.values())


def _filled(points: Any, size: tuple[int, int]) -> Mask:
    """A polygon, x and y in pixels from the corner of the picture, by pycocotools."""
    from pycocotools import mask as masks  # noqa: PLC0415 - each reader imports its own library

    (code,) = masks.frPyObjects([np.ravel(points).tolist()], *size)
    filled: Mask = masks.decode(code).astype(np.bool_)
    return filled


def _load_labelme() -> Any:
    """labelme's module for its files, without the rest of it, which needs Qt."""
    spec = importlib.util.find_spec("labelme")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    package = types.ModuleType("labelme")
    package.__path__ = list(spec.submodule_search_locations)
    package.__dict__["__version__"] = importlib.metadata.version("labelme")
    windows = types.ModuleType("PyQt5")  # named in an annotation only
    windows.__dict__["QtGui"] = types.ModuleType("PyQt5.QtGui")
    sys.modules.update({"labelme": package, "PyQt5": windows})
    images = importlib.util.spec_from_file_location(
        "labelme.utils", Path(package.__path__[0], "utils", "image.py")
    )
    assert images is not None
    assert images.loader is not None
    utils = importlib.util.module_from_spec(images)
    images.loader.exec_module(utils)
    package.__dict__["utils"] = sys.modules["labelme.utils"] = utils
    return importlib.import_module("labelme._label_file")


def read_lvis(folder: Path) -> Found:
    """By LVIS's own API; its package draws pictures too, with a library that is not needed here."""
    spec = importlib.util.find_spec("lvis")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    package = types.ModuleType("lvis")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["lvis"] = package
    (path,) = folder.rglob("*.json")
    lvis = importlib.import_module("lvis.lvis").LVIS(str(path))
    images = lvis.load_imgs(lvis.get_img_ids())
    counted = dict.fromkeys(lvis.get_cat_ids(), 0)
    for image in images:
        annotations = lvis.load_anns(lvis.get_ann_ids([image["id"]]))
        assert image["not_exhaustive_category_ids"] == []
        absent = set(image["neg_category_ids"])
        assert not absent & {each["category_id"] for each in annotations}
        for annotation in annotations:
            assert "iscrowd" not in annotation
            category = lvis.cats[annotation["category_id"]]
            counted[category["id"]] += 1
            mask = lvis.ann_to_mask(annotation).astype(np.bool_)
            assert annotation["area"] == mask.sum()
            yield image["file_name"], category["name"], mask
    for number, count in counted.items():
        category = lvis.cats[number]
        assert category["instance_count"] == count
        seen = {each["image_id"] for each in lvis.anns.values() if each["category_id"] == number}
        assert category["image_count"] == len(seen)
        assert category["frequency"] == (
            "r" if len(seen) <= 10 else "c" if len(seen) <= 100 else "f"
        )
        assert {"synset", "synonyms", "def"} <= category.keys()


def read_hf(folder: Path) -> Found:
    """By ``datasets.load_dataset``: a column of masks, one an object, and one of their labels."""
    import datasets  # noqa: PLC0415

    loaded = datasets.load_dataset("imagefolder", data_dir=str(folder), split="train")
    undecoded = loaded.cast_column("image", datasets.Image(decode=False))
    for row, raw in zip(loaded, undecoded, strict=True):
        assert row["objects"]["categories"] == row["labels"]
        masks = [np.asarray(picture) > 0 for picture in row["instances"]]
        assert {picture.size for picture in row["instances"]} == {row["image"].size}
        assert ((np.asarray(row["mask"]) > 0) == np.logical_or.reduce(masks)).all()
        for label, mask in zip(row["labels"], masks, strict=True):
            yield Path(raw["image"]["path"]).name, label, mask


def read_cvat(folder: Path) -> Found:
    """By datumaro."""
    return _datumaro(folder, "cvat")


def _datumaro(folder: Path, name: str) -> Found:
    """By datumaro; boxes that it makes beside masks are left."""
    from datumaro.components.annotation import AnnotationType  # noqa: PLC0415
    from datumaro.components.dataset import Dataset  # noqa: PLC0415

    dataset = Dataset.import_from(str(folder), name)
    labels = dataset.categories()[AnnotationType.label]
    for item in dataset:
        objects = _Objects()
        for each in item.annotations:
            if each.type == AnnotationType.polygon:
                mask = _filled(each.points, item.media.size)
            elif each.type == AnnotationType.mask:
                mask = np.asarray(each.image).astype(np.bool_)
            else:
                continue
            objects.add(each.group, labels[each.label].name, mask)
        yield from objects.found(item.id)


READERS: dict[str, Callable[[Path], Found]] = {
    "labelme": read_labelme,
    "eiseg": read_eiseg,
    "lvis": read_lvis,
    "hf": read_hf,
    "cvat": read_cvat,
    "coco": lambda folder: _datumaro(folder, "coco_instances"),
    "voc": lambda folder: _datumaro(folder, "voc_instance_segmentation"),
}


def main() -> None:
    """Read a folder and print what is there."""
    _, name, folder = sys.argv
    entries = [
        [
            picture, label, *mask.shape,
            base64.b64encode(zlib.compress(np.packbits(mask).tobytes())).decode(),
        ]
        for picture, label, mask in READERS[name](Path(folder))
    ]  # fmt: skip
    sys.stdout.write(f"\n{json.dumps(entries)}\n")  # on a line of its own, whatever stands before


if __name__ == "__main__":
    main()
