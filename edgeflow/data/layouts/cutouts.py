"""Cut-outs: images whose transparency is the mask."""

from __future__ import annotations

import io
from itertools import islice
from pathlib import Path, PurePath

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.data.annotation_files.metadata_jsonl import (
    FILE,
    IMAGE,
    names_masks,
    rows,
)
from edgeflow.data.base import DatasetError, Sample
from edgeflow.data.files import files_below, files_in, first_files, image_for, is_there, read_bytes
from edgeflow.data.layouts.drawing import NO_PIXEL
from edgeflow.data.left_out import LeftOut
from edgeflow.data.listed import ListedDataset
from edgeflow.geometry import Size
from edgeflow.images import MAX_PIXELS
from edgeflow.images.formats import format_of

EXTENSIONS = (".png", ".webp", ".tif", ".tiff")
OTHERS = (".csv", ".json", ".tar", ".xml", ".yaml", ".yml")
"""Extensions of files that no folder of cut-outs alone has."""

PROBED = 16
OPAQUE = 127
"""Alpha above which a pixel is the object's: more than one half."""

_WITH_ALPHA = {"RGBA", "LA", "PA"}


class Cutouts(ListedDataset[Path]):
    """Images, each with the one object that is what of it is more than half opaque.

    Its label is that in ``metadata.jsonl``, if that is there: ``label``, or ``labels`` of one.
    Where the image is transparent, it is white. Nothing is ignored.

    Args:
        root: Folder of the images, in it and below it.

    Raises:
        DatasetError: There is none.
    """

    def __init__(self, root: Path) -> None:
        files = files_below(root, EXTENSIONS)
        probed = list(files.values())[:: max(1, -(-len(files) // PROBED))]
        if not any(map(_in_part, map(_opacity, probed))):
            raise DatasetError(
                f"{root} holds no images that are transparent in part",
                hint="cut-outs are PNG, WebP or TIFF files with an alpha channel",
            )
        self._labels = _labels(root)
        names = sorted(set(self._labels.values()))
        super().__init__(root.resolve().name, files, class_names=names)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the path is a folder of images with transparency, and nothing else.

        Up to ``PROBED`` of them are read. Some must be transparent in part: an object that fills
        its box is cut out without a transparent pixel, but not all do.
        """
        if not path.is_dir() or files_in(path, OTHERS) or names_masks(path):
            return False
        images = _listed(path) or first_files(path, EXTENSIONS, PROBED)
        in_part = [_in_part(each) for each in map(_opacity, images) if each is not None]
        return len(in_part) == len(images) and any(in_part)

    def _read(self, name: str, entry: Path) -> Sample:
        data = read_bytes(entry)
        mask = _opaque(data, entry)
        if mask is None:
            raise DatasetError(f"{entry} has no transparency", hint="it is not a cut-out")
        rgb = image_for(data, Size(*mask.shape), str(entry), str(entry))
        objects, left_out = ((mask,), ()) if mask.any() else ((), (LeftOut(NO_PIXEL),))
        file_name = f"{name}{entry.suffix}"
        labels = (self._labels.get(file_name),) * len(objects)
        return Sample(
            name, rgb, objects, labels=labels, file_name=file_name, left_out=left_out, path=entry
        )


def _listed(root: Path) -> list[Path]:
    """A few of the images that a folder's table names."""
    if not is_there(root / FILE):
        return []
    names = ((row or {}).get(IMAGE) for row in islice(rows(root / FILE), PROBED))
    return [
        path
        for name in names
        if isinstance(name, str)
        and not PurePath(name).is_absolute()
        and ".." not in PurePath(name).parts
        and is_there(path := root / name)
    ]


def _labels(root: Path) -> dict[str, str]:
    """Labels by file, of those that have one."""
    labels: dict[str, str] = {}
    for row in rows(root / FILE) if is_there(root / FILE) else ():
        listed = (row or {}).get("labels")
        alone = listed[0] if isinstance(listed, list) and len(listed) == 1 else None
        label, name = (row or {}).get("label", alone), (row or {}).get(IMAGE)
        if isinstance(name, str) and isinstance(label, str) and label:
            labels[name] = label
    return labels


def _opacity(path: Path) -> BoolMask | None:
    """Where an image is opaque; None if it has no transparency, or cannot be read."""
    try:
        return _opaque(read_bytes(path), path)
    except DatasetError:
        return None


def _in_part(opaque: BoolMask | None) -> bool:
    return opaque is not None and not opaque.all()


def _opaque(data: bytes, path: Path) -> BoolMask | None:
    """Where an image is opaque, H×W as it is stored; None if it has no transparency."""
    kind = format_of(data)
    try:
        if kind is None:
            raise ValueError("unknown format")  # noqa: TRY301
        image = kind.reader(io.BytesIO(data))
        if image.mode not in _WITH_ALPHA and "transparency" not in image.info:
            return None
        if image.width * image.height > MAX_PIXELS:
            raise ValueError("too large")  # noqa: TRY301
        opaque: BoolMask = np.asarray(image.convert("RGBA"))[:, :, 3] > OPAQUE
    except Exception as error:  # decoders raise almost anything on damaged or hostile bytes
        raise DatasetError(
            f"{path} is not a readable image", hint="open it to see if it is damaged"
        ) from error
    return opaque
