"""labelme: a JSON file beside each image, with the shapes that were drawn on it."""

from __future__ import annotations

import base64
import binascii
import io
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from edgeflow.arrays import BoolMask
from edgeflow.data.annotation_files.labelme import (
    KEY,
    LabelmeFile,
    LabelmeShape,
    embedded_image,
    read_labelme,
)
from edgeflow.data.base import DatasetError, Sample
from edgeflow.data.files import files_below, first_files, image_for, is_there, read_bytes
from edgeflow.data.json_files import is_object
from edgeflow.data.layouts.drawing import Drawing, drawn_sample, union
from edgeflow.data.layouts.eiseg import Eiseg
from edgeflow.data.layouts.pictures import picture_named
from edgeflow.data.left_out import LeftOut
from edgeflow.data.listed import ListedDataset
from edgeflow.errors import MaskCodecError
from edgeflow.geometry import Size
from edgeflow.masks.outlines import fill_as_pillow, fill_circle

HEAD = (KEY, "imageData", "imagePath")
PROBED = 16
MASK_KINDS = {"polygon": 3, "mask": 2, "circle": 2}
"""Types of shapes that cover something, and the fewest points that they have."""


class Labelme(ListedDataset[Path]):
    """Images with polygons, masks and circles, in their order.

    Shapes with the same ``group_id`` and label are one object, all others one each. Rectangles say
    where an object is and not what it covers: they are left out, as are lines and points. Shapes
    are filled as labelme fills them. Nothing is ignored.

    Args:
        root: Folder of the JSON files, in it and below it; or one such file.
        images: Folder of the images. By default that of each file; an image that is not there is
            taken out of the file, if it is in it.

    Raises:
        DatasetError: There is no such file.
    """

    def __init__(self, root: Path, *, images: Path | None = None) -> None:
        self._images = images
        files = files_below(root, (".json",)) if root.is_dir() else {root.stem: root}
        entries = {name: path for name, path in files.items() if _is_labelme(path)}
        super().__init__(root.stem if root.is_file() else root.resolve().name, entries)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the path is such a file, or a folder whose first JSON files are."""
        if path.is_file():
            return _is_labelme(path)
        if not path.is_dir() or Eiseg.recognise(path):  # which saves labelme's files, too
            return False
        return any(map(_is_labelme, first_files(path, (".json",), PROBED)))

    def _read(self, name: str, entry: Path) -> Sample:
        file = read_labelme(entry)
        path, written = self._path(entry, file)
        data = embedded_image(entry) if path is None else read_bytes(path)
        if data is None:
            raise DatasetError(
                f"{entry}: its image {written!a} is not in {self._images or entry.parent}",
                hint="name the folder of the images with --images",
            )
        image = written if path is None else str(path)
        rgb = image_for(data, file.size, image, str(entry))
        drawings, left_out = _drawings(file, entry.name)
        # Not after the JSON file, which may be called a.jpg.json or otherwise.
        file_name = (
            f"{name}{PurePosixPath(image).suffix}"
            if path is None
            else str(PurePosixPath(name).with_name(path.name))
        )
        return drawn_sample(name, rgb, drawings, file_name=file_name, left_out=left_out, path=path)

    def _path(self, entry: Path, file: LabelmeFile) -> tuple[Path | None, str]:
        """The image's file, if it is in the folder, and the name that is written."""
        written = PurePosixPath(file.image.replace("\\", "/")).name
        folder = self._images or entry.parent
        if written and is_there(folder / written):
            return folder / written, written
        return picture_named(entry.stem, [folder]), written


def _drawings(file: LabelmeFile, source: str) -> tuple[list[Drawing], list[LeftOut]]:
    left_out = list(file.left_out)
    objects: dict[object, list[Drawing]] = {}
    for place, shape in enumerate(file.shapes):
        where = f"{source}, a {shape.kind}"
        if shape.kind not in MASK_KINDS:
            kind = shape.kind if shape.kind.isidentifier() else "unknown"
            left_out.append(LeftOut(f"shapes of type {kind[:40]}"))
        elif len(shape.points) < MASK_KINDS[shape.kind]:
            left_out.append(LeftOut("it has too few points", where))
        else:
            key = place if shape.group is None else (shape.group, shape.label)
            drawing = Drawing(shape.label, partial(_draw, shape), where)
            objects.setdefault(key, []).append(drawing)
    return [union(parts) for parts in objects.values()], left_out


def _draw(shape: LabelmeShape, size: Size) -> BoolMask:
    if shape.kind == "polygon":
        return fill_as_pillow(shape.points, size)
    if shape.kind == "circle":
        centre, edge = shape.points[:2]
        return fill_circle(centre, float(np.hypot(*(edge - centre))), size)
    (left, top), (right, bottom) = np.rint(shape.points[:2]).astype(int).tolist()
    if not (0 <= left <= right < size.width and 0 <= top <= bottom < size.height):
        raise MaskCodecError("its box leaves the image")
    mask = np.zeros(size, dtype=np.bool_)
    crop = Size(bottom - top + 1, right - left + 1)
    mask[top : bottom + 1, left : right + 1] = _decode(shape.png, crop)
    return mask


def _decode(code: str, size: Size) -> BoolMask:
    """A mask's PNG: any value but 0 is the object."""
    try:
        data = base64.b64decode(code, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MaskCodecError("its mask is not base64 of a PNG") from error
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as png:
            fits = (png.height, png.width) == size
            values = np.array(png.convert("L")) if fits else None
    except Exception as error:  # decoders raise almost anything on damaged or hostile bytes
        raise MaskCodecError("its mask is not a readable PNG") from error
    if values is None:
        raise MaskCodecError(f"its mask is not of its box's {size.width}×{size.height} pixels")
    return values > 0


def _is_labelme(path: Path) -> bool:
    return is_object(path, *HEAD)
