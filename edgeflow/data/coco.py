"""COCO instances and LVIS: one JSON file of annotations, and folders of images.

Lin et al., "Microsoft COCO", ECCV 2014; Gupta, Dollár and Girshick, "LVIS", CVPR 2019.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.data.base import DatasetError, Sample
from edgeflow.data.coco_masks import decode_segmentation
from edgeflow.data.files import files_by_stem, image_for, is_there, read_bytes
from edgeflow.data.json_files import elements, is_object, read_text
from edgeflow.data.label_maps import check_masks
from edgeflow.data.layouts.drawing import NO_PIXEL
from edgeflow.data.left_out import LeftOut
from edgeflow.data.listed import ListedDataset, check_name
from edgeflow.data.splits import choose_split
from edgeflow.errors import MaskCodecError
from edgeflow.geometry import Size

KEYS = ("images", "annotations")
CATEGORIES = "categories"
PROBED = 8
SHARED_ID = "it has the id of {}, which gets all annotations of both"
"""What is said of an image that no annotation can name."""

PANOPTIC = re.compile(r"panoptic_(.+)", re.DOTALL)
"""Name without extension of a file of segments, which another layout reads."""

_FILE = re.compile(r"(?:instances|lvis(?:_v\d+(?:\.\d+)?)?)_(.+)", re.DOTALL)

_NO_SEGMENTATION = LeftOut("annotations without a segmentation")


class Place(NamedTuple):
    """Place of an annotation in the JSON text, and whether it is a crowd."""

    start: int
    stop: int
    crowd: bool


class ImageEntry(NamedTuple):
    """An image of the JSON file.

    Attributes:
        path: Path in the folder of images.
        size: Size that the file gives, if it does.
        annotations: Annotations with a segmentation.
    """

    path: str
    size: Size | None
    annotations: tuple[Place, ...]


class Contents(NamedTuple):
    """What a JSON file lists.

    Attributes:
        images: Images with an object, by name without extension.
        categories: Category names by id.
        left_out: Annotations that are of no image, or say nothing of what they cover.
    """

    images: dict[str, ImageEntry]
    categories: dict[int | str, str]
    left_out: tuple[LeftOut, ...]


class Coco(ListedDataset[ImageEntry]):
    """Images with an annotation that is not a crowd, in the file's order.

    Objects are in the annotations' order; those without a pixel and those that cannot be read are
    left out, as are annotations without a segmentation. Pixels of crowds (``iscrowd`` 1) are
    ignored where no object covers them. Of LVIS all annotated objects are taken, whether their
    category was annotated exhaustively or not.

    Args:
        root: JSON file, or folder that holds it, directly or in ``annotations``.
        split: Split, ``val2017`` for ``instances_val2017.json``; may be None where there is only
            one file.
        images: Folder of images. By default that of the split beside ``annotations``, or
            for LVIS of ``coco_url``'s last two parts.

    Raises:
        DatasetError: There is no such file, it is not as COCO describes it, or its images are
            not found.
    """

    def __init__(self, root: Path, *, split: str | None = None, images: Path | None = None) -> None:
        path, chosen = (root, _split_of(root)) if root.is_file() else _find(root, split)
        self._text = read_text(path)
        entries, self._categories, left_out = read_contents(self._text, str(path))
        name = path.stem if root.is_file() else f"{root.name} {chosen}"
        self._annotations = path
        self._folder, self._nested = _locate(path, chosen, images, entries)
        if not self._nested:
            _check_namesakes(entries, path, self._folder)
        super().__init__(name, entries, class_names=self._categories.values(), left_out=left_out)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the path is such a file, or a folder with one named as they are published."""
        if path.is_file():
            return is_object(path, *KEYS) and not is_panoptic(path)
        return bool(_files(path))

    def _read(self, name: str, entry: ImageEntry) -> Sample:
        relative = entry.path if self._nested else PurePosixPath(entry.path).name
        path = self._folder / relative
        rgb = image_for(read_bytes(path), entry.size, str(path), self._annotations.name)
        size = Size(*rgb.shape[:2])
        check_masks(len(entry.annotations), rgb.shape[0] * rgb.shape[1], name)
        objects: list[BoolMask] = []
        labels: list[str | None] = []
        crowds: list[BoolMask] = []
        left_out: list[LeftOut] = []
        for start, stop, crowd in entry.annotations:
            annotation = json.loads(self._text[start:stop])
            try:
                mask = decode_segmentation(annotation["segmentation"], size)
            except MaskCodecError as error:
                source = f"{self._annotations.name}: an annotation of {name}"
                left_out.append(LeftOut(error.message, source))
                continue
            if mask.any() and crowd:
                crowds.append(mask)
            elif mask.any():
                objects.append(mask)
                labels.append(self._label(annotation))
            elif not crowd:
                left_out.append(LeftOut(NO_PIXEL))
        ignored = _ignored(crowds, objects)
        return Sample(
            name, rgb, tuple(objects), ignored, tuple(labels), entry.path, tuple(left_out), path
        )

    def _label(self, annotation: dict[str, Any]) -> str | None:
        number = annotation.get("category_id")
        return self._categories.get(number) if isinstance(number, int | str) else None


def is_panoptic(path: Path) -> bool:
    """Whether a file is COCO's of segments, by its name or its beginning."""
    named = PANOPTIC.fullmatch(path.stem) is not None and is_object(path, "images", "annotations")
    return named or is_object(path, "segments_info")


def read_contents(text: str, source: str) -> Contents:
    """List a file's images and categories.

    Raises:
        DatasetError: The file is not as COCO describes it, or two images have one name.
    """
    images: list[dict[str, Any]] = []
    by_image: dict[int | str, list[Place]] = defaultdict(list)
    entries: dict[str, ImageEntry] = {}
    categories: dict[int | str, str] = {}
    left_out: list[LeftOut] = []
    try:
        for key, value, start, stop in elements(text, (*KEYS, CATEGORIES)):
            if key == "images":
                images.append(value)
            elif key == CATEGORIES:
                categories[value["id"]] = str(value["name"])
            elif value.get("segmentation"):
                place = Place(start, stop, crowd=value.get("iscrowd") == 1)
                by_image[value["image_id"]].append(place)
            elif key == "annotations":
                left_out.append(_NO_SEGMENTATION)
        owners: dict[int | str, dict[str, Any]] = {}
        for image in images:
            if (owner := owners.setdefault(image["id"], image)) is not image:
                path, other = image_path(owner, source), image_path(image, source)
                left_out += [LeftOut(SHARED_ID.format(path), other)] * (path != other)
                continue
            places = tuple(by_image.pop(image["id"], ()))
            if all(place.crowd for place in places):
                continue
            relative = image_path(image, source)
            name = str(PurePosixPath(relative).with_suffix(""))
            if name in entries and entries[name].path != relative:
                raise DatasetError(
                    f"{source}: two images are called {name}",
                    hint="samples are named by file, without extension: rename one",
                )
            own, again = name, 1
            while own in entries:  # one file, annotated several times
                again += 1
                own = f"{name}-{again}"
            entries[own] = ImageEntry(relative, image_size(image), places)
        lost = sum(map(len, by_image.values()))
        left_out += [LeftOut("annotations of images that are not listed")] * lost
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise DatasetError(
            f"{source} is not a COCO file: {type(error).__name__} {error}",
            hint='it needs the lists "images" and "annotations" of COCO instances or LVIS, and in '
            '"categories" an id and a name each',
        ) from error
    return Contents(entries, categories, tuple(left_out))


def _check_namesakes(entries: dict[str, ImageEntry], path: Path, folder: Path) -> None:
    """Refuse images that their folders tell apart where they lie in none: one would be both."""
    taken: dict[str, str] = {}
    for entry in entries.values():
        other = taken.setdefault(PurePosixPath(entry.path).name, entry.path)
        if other != entry.path:
            raise DatasetError(
                f"{path}: {other} and {entry.path} are one file in {folder}",
                hint="put the images into the folders that the file names",
            )


def image_path(image: dict[str, Any], source: str) -> str:
    """The relative path of an image in COCO's list, from its name or from its address.

    Raises:
        DatasetError: It could lead out of a folder.
    """
    name = image.get("file_name")
    if name is None:
        name = "/".join(urlsplit(image["coco_url"]).path.split("/")[-2:])
    relative = str(PurePosixPath(name))
    check_name(relative, source)
    return relative


def image_size(image: dict[str, Any]) -> Size | None:
    """The size of an image in COCO's list, if it is given."""
    height, width = image.get("height"), image.get("width")
    return Size(height, width) if isinstance(height, int) and isinstance(width, int) else None


def _ignored(crowds: list[BoolMask], objects: list[BoolMask]) -> BoolMask | None:
    if not crowds:
        return None
    ignored = np.logical_or.reduce(crowds)
    for mask in objects:
        ignored &= ~mask
    return ignored if ignored.any() else None


def _files(root: Path) -> dict[str, Path]:
    """The published files of a folder, by split."""
    files: dict[str, Path] = {}
    for folder in (root, root / "annotations"):
        if folder.is_dir():
            for stem, path in files_by_stem(folder, (".json",)).items():
                if match := _FILE.fullmatch(stem):
                    files[match[1]] = path
    return files


def _split_of(path: Path) -> str:
    match = _FILE.fullmatch(path.stem)
    return match[1] if match else ""


def _find(root: Path, split: str | None) -> tuple[Path, str]:
    files = _files(root)
    chosen = choose_split(sorted(files), split, str(root))
    return files[chosen], chosen


def _locate(
    path: Path, split: str, images: Path | None, entries: dict[str, ImageEntry]
) -> tuple[Path, bool]:
    """The folder of images, and whether paths in the file are relative to it."""
    base = path.parent.parent if path.parent.name == "annotations" else path.parent
    folders = [base / split, base / "images" / split, base / "images", base]
    if images is not None:
        folders = [images]
    probed = [entry.path for entry in list(entries.values())[:PROBED]]
    for folder in folders:
        for nested in (True, False):
            names = probed if nested else [PurePosixPath(name).name for name in probed]
            if any(is_there(folder / name) for name in names):
                return folder, nested
    if not probed:
        return folders[0], True  # no image to look for: the dataset is refused as empty
    raise DatasetError(
        f"{path}: its images, such as {probed[0]}, are not in " + ", ".join(map(str, folders)),
        hint="name their folder with --images",
    )
