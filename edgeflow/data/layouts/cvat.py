"""CVAT for images 1.1: ``annotations.xml`` and the images that it names."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.data.annotation_files.cvat import (
    ROOT,
    CvatImage,
    CvatShape,
    decode_mask,
    ellipse,
    polygon_points,
    read_cvat,
)
from edgeflow.data.annotation_files.xml_files import begins_with
from edgeflow.data.base import DatasetError, Sample
from edgeflow.data.coco_masks import decode_segmentation
from edgeflow.data.files import files_by_stem, image_for, read_bytes
from edgeflow.data.layouts.drawing import Drawing, drawn_sample, union
from edgeflow.data.layouts.pictures import find_pictures
from edgeflow.data.left_out import LeftOut
from edgeflow.data.listed import ListedDataset, check_name, count_and_first
from edgeflow.data.splits import choose_split
from edgeflow.geometry import Size
from edgeflow.label_studio.shapes import ELLIPSE_CORNERS
from edgeflow.masks.rasterize import rasterize

KINDS = ("mask", "polygon", "ellipse")
"""Shapes that cover something."""


class CvatEntry(NamedTuple):
    """An image that is there.

    Attributes:
        image: Its file.
        annotated: What is drawn on it.
    """

    image: Path
    annotated: CvatImage


class Cvat(ListedDataset[CvatEntry]):
    """Images with masks, polygons and ellipses, from the lowest ``z_order`` to the highest.

    Shapes with the same ``group_id`` and label are one object, all others one each. Polygons are
    filled as for COCO. Boxes say where an object is and not what it covers: they are left out, as
    are polylines, points, skeletons and cuboids. Nothing is ignored.

    Args:
        root: The XML file, or the folder that it is in.
        split: Name without extension of the XML file; may be None where there is only one.
        images: Folder of the images; by default ``images`` beside the file, or the file's own.

    Raises:
        DatasetError: It is not CVAT's, or images are missing.
    """

    def __init__(self, root: Path, *, split: str | None = None, images: Path | None = None) -> None:
        path = root
        if not root.is_file():
            files = _files(root)
            path = files[choose_split(sorted(files), split, str(root))]
        folders = [images] if images is not None else [path.parent / "images", path.parent]
        annotated: dict[str, CvatImage] = {}
        labels: list[str] = []
        left_out: list[LeftOut] = []
        for each in read_cvat(path):
            if isinstance(each, str):
                labels.append(each)
                continue
            if isinstance(each, LeftOut):
                left_out.append(each)
                continue
            try:
                for written in each.names:
                    check_name(written, "an image")
            except DatasetError as error:
                left_out.append(LeftOut(error.message, path.name))
                continue
            name = str(PurePosixPath(each.names[0]).with_suffix(""))
            if name in annotated:
                left_out.append(LeftOut("a second image of this name", name))
            else:
                annotated[name] = each
        found = find_pictures({name: each.names for name, each in annotated.items()}, folders)
        if missing := [each.names[-1] for name, each in annotated.items() if name not in found]:
            raise DatasetError(
                f"{path}: images not found in {' and '.join(map(str, folders))}: "
                + count_and_first(missing),
                hint="name their folder with --images",
            )
        entries = {name: CvatEntry(found[name], each) for name, each in annotated.items()}
        used = {
            shape.label
            for each in annotated.values()
            for shape in each.shapes
            if shape.kind in KINDS
        }
        labels += sorted(label for label in used if label is not None)  # some may not be declared
        name = root.stem if root.is_file() else root.resolve().name
        name = name if split is None else f"{name} {split}"
        super().__init__(name, entries, class_names=dict.fromkeys(labels), left_out=left_out)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the path is such a file, or a folder with one."""
        return begins_with(path, ROOT) if path.is_file() else bool(_files(path))

    def _read(self, name: str, entry: CvatEntry) -> Sample:
        annotated = entry.annotated
        rgb = image_for(
            read_bytes(entry.image), annotated.size, str(entry.image), f"its size in {self.name}"
        )
        drawings, left_out = _drawings(annotated.shapes, name)
        return drawn_sample(
            name, rgb, drawings, file_name=annotated.names[0], left_out=left_out, path=entry.image
        )


def _files(root: Path) -> dict[str, Path]:
    """CVAT's files in a folder, by name without extension."""
    if not root.is_dir():
        return {}
    files = files_by_stem(root, (".xml",))
    return {name: path for name, path in files.items() if begins_with(path, ROOT)}


def _drawings(shapes: Iterable[CvatShape], source: str) -> tuple[list[Drawing], list[LeftOut]]:
    left_out: list[LeftOut] = []
    objects: dict[object, list[Drawing]] = {}
    for place, shape in enumerate(sorted(shapes, key=lambda shape: shape.order)):
        if shape.kind in KINDS:
            key = (shape.group, shape.label) if shape.group else place
            drawing = Drawing(shape.label, partial(_draw, shape), f"{source}, a {shape.kind}")
            objects.setdefault(key, []).append(drawing)
        else:
            left_out.append(LeftOut(f"shapes of type {shape.kind[:40]}"))
    return [union(parts) for parts in objects.values()], left_out


def _draw(shape: CvatShape, size: Size) -> BoolMask:
    if shape.kind == "mask":
        return decode_mask(shape, size)
    if shape.kind == "polygon":
        return decode_segmentation([polygon_points(shape).ravel().tolist()], size)
    x, y, across, down, rotation = ellipse(shape)
    turn = np.linspace(0, 2 * np.pi, ELLIPSE_CORNERS, endpoint=False)
    around = np.stack((np.cos(turn) * across, np.sin(turn) * down), axis=1)
    angle = np.radians(rotation)
    clockwise = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return rasterize(around @ clockwise + (x - 0.5, y - 0.5), size)
