"""EISeg's output folder: ``NAME.json`` with polygons, or ``NAME.png`` with label indices."""

from __future__ import annotations

from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from edgeflow.data.annotation_files.eiseg import KEY, read_eiseg
from edgeflow.data.annotation_files.tables import read_label_list
from edgeflow.data.base import DatasetError, Sample
from edgeflow.data.files import IMAGES, files_below, files_in, first_files, image_for, read_bytes
from edgeflow.data.json_files import is_list
from edgeflow.data.label_maps import label_map, numbers_in, split_labels
from edgeflow.data.layouts.drawing import Drawing, drawn_sample
from edgeflow.data.layouts.pictures import picture_named
from edgeflow.data.listed import ListedDataset, count_and_first
from edgeflow.geometry import Size
from edgeflow.masks.outlines import fill_as_opencv

BESIDE = ("_pseudo", "_cutout")
"""Ends of the names of pictures that EISeg saves beside the masks."""

PROBED = 16
HEAD = 1 << 16


class EisegEntry(NamedTuple):
    """An image and what EISeg saved of it.

    Attributes:
        image: Its file.
        saved: Its polygons or its mask.
    """

    image: Path
    saved: Path


class Eiseg(ListedDataset[EisegEntry]):
    """Images with EISeg's polygons, one an object, filled as EISeg fills them. Nothing is ignored.

    Where no polygons were saved, the greyscale masks are read: each class on an image is one
    object, since such a mask does not tell a class's objects apart.

    Args:
        root: Folder that EISeg saved to.
        images: Folder of the images; by default ``images`` in it, the folder that it is in, or
            itself.

    Raises:
        DatasetError: Images are missing, or nothing was saved.
    """

    def __init__(self, root: Path, *, images: Path | None = None) -> None:
        saved = _polygon_files(root)
        self._names = {} if saved else _label_list(root) or {}
        if not saved and self._names:
            saved = _masks(root)
        folders = [images] if images is not None else [root / "images", root.resolve().parent]
        found: dict[str, Path] = {}
        for name in saved:
            picture = picture_named(name, folders)
            if picture is None and images is None:  # beside the masks, which are PNG
                picture = picture_named(name, [root], but=(".png",))
            if picture is not None:
                found[name] = picture
        if missing := [name for name in saved if name not in found]:
            raise DatasetError(
                f"{root}: {count_and_first(missing)} without an image in "
                + " and ".join(map(str, folders)),
                hint="name the folder of the images with --images",
            )
        entries = {name: EisegEntry(found[name], path) for name, path in saved.items()}
        super().__init__(root.resolve().name, entries, class_names=self._names.values())

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the path is a folder with EISeg's polygons, or its label list and masks."""
        if not path.is_dir():
            return False
        if any(is_list(file) and _is_eiseg(file) for file in first_files(path, (".json",), PROBED)):
            return True
        return _label_list(path) is not None and bool(_masks(path))

    def _read(self, name: str, entry: EisegEntry) -> Sample:
        file_name = f"{name}{entry.image.suffix}"
        data = read_bytes(entry.image)
        if entry.saved.suffix == ".json":
            polygons, left_out = read_eiseg(entry.saved)
            rgb = image_for(data, None, str(entry.image), str(entry.saved))
            drawings = [
                Drawing(each.label, partial(fill_as_opencv, each.points), entry.saved.name)
                for each in polygons
            ]
            return drawn_sample(
                name, rgb, drawings, file_name=file_name, left_out=left_out, path=entry.image
            )
        values = label_map(read_bytes(entry.saved), str(entry.saved))
        rgb = image_for(data, Size(*values.shape), str(entry.image), str(entry.saved))
        annotation = split_labels(values, None, str(entry.saved))
        labels = tuple(map(self._names.get, numbers_in(values, None)))
        return Sample(
            name, rgb, annotation.objects, labels=labels, file_name=file_name, path=entry.image
        )


def _polygon_files(root: Path) -> dict[str, Path]:
    """Files of polygons by the image's name; ``a.jpg.json``, too, belongs to ``a.jpg``."""
    files: dict[str, Path] = {}
    for name, path in files_below(root, (".json",)).items():
        if is_list(path):
            picture = PurePosixPath(name)
            named = picture.suffix.lower() in IMAGES
            files.setdefault(str(picture.with_suffix("")) if named else name, path)
    return files


def _masks(root: Path) -> dict[str, Path]:
    files = files_below(root, (".png",))
    return {
        name: path
        for name, path in files.items()
        if not name.endswith(BESIDE) and not name.startswith("images/")
    }


def _label_list(root: Path) -> dict[int, str] | None:
    """Class names by index, from the first text that is a label list."""
    for path in files_in(root, (".txt",)):
        try:
            return read_label_list(path)
        except DatasetError:
            continue
    return None


def _is_eiseg(path: Path) -> bool:
    with path.open("rb") as file:
        return f'"{KEY}"'.encode() in file.read(HEAD)
