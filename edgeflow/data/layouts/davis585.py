"""DAVIS585: 585 objects in frames of DAVIS's validation videos, each with two imperfect masks.

Chen et al., "FocalClick", CVPR 2022 (arXiv:2204.02574); published with alibaba/ClickSEG, whose
``isegm/data/datasets/davis585.py`` reads it.
"""

from __future__ import annotations

from pathlib import Path

from edgeflow.data.base import DatasetError, Sample
from edgeflow.data.davis import sequences
from edgeflow.data.files import (
    files_by_stem,
    files_in,
    first_files,
    image_for,
    is_there,
    read_bytes,
)
from edgeflow.data.label_maps import binary
from edgeflow.data.listed import ListedDataset

FRAMES = (".jpeg", ".jpg")
MASKS = (".png",)
START = "init_"
"""How the names of start masks begin."""

PROBED = 16


class Davis585(ListedDataset[Path]):
    """``<sequence>/<frame>.jpg`` and ``<sequence>/object<k>_<frame>.png``, above 128 the object.

    Each frame with an object is a sample, named ``<sequence>/<frame>``. Start masks lie beside the
    objects: see :func:`start_file`.

    Args:
        root: Folder of the sequences.

    Raises:
        DatasetError: It has none, or they hold no object.
    """

    def __init__(self, root: Path) -> None:
        frames: dict[str, Path] = {}
        for sequence in sequences(root):
            named = {_frame(path) for path in _objects(root / sequence)}
            images = files_by_stem(root / sequence, FRAMES)
            frames |= {f"{sequence}/{stem}": images[stem] for stem in images if stem in named}
        super().__init__(root.resolve().name, frames)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the first folders hold start masks, with their objects and frames."""
        if not path.is_dir():
            return False
        first = first_files(path, MASKS, PROBED)
        return any(_belongs(each) for each in first if each.parent != path)

    def _read(self, name: str, entry: Path) -> Sample:
        paths = object_files(entry)
        annotations = [binary(read_bytes(path), str(path)) for path in paths]
        size = annotations[0].size
        rgb = image_for(read_bytes(entry), size, str(entry), str(paths[0]))
        for path, annotation in zip(paths, annotations, strict=True):
            if annotation.size != size:
                raise DatasetError(
                    f"{path} has another size than {paths[0]}",
                    hint="annotations need the size of their image",
                )
        objects = tuple(mask for annotation in annotations for mask in annotation.objects)
        return Sample(name, rgb, objects, file_name=f"{name}{entry.suffix}", path=entry)


def object_files(frame: Path) -> list[Path]:
    """The masks of a frame's objects, sorted by name."""
    return [path for path in _objects(frame.parent) if _frame(path) == frame.stem]


def start_file(mask: Path, method: str) -> Path:
    """Where the start mask of an object is published.

    Args:
        mask: The object's mask.
        method: ``sp`` for one flawed by superpixels, ``stm`` for one that a tracker made.
    """
    return mask.with_name(f"{START}{method}_{mask.name}")


def _objects(sequence: Path) -> list[Path]:
    """As published: what is no start mask and names its frame after the last underscore."""
    return [
        path
        for path in files_in(sequence, MASKS)
        if "_" in path.stem and not path.name.startswith(START)
    ]


def _frame(mask: Path) -> str:
    return mask.stem.rpartition("_")[2]


def _belongs(start: Path) -> bool:
    """Whether a file is a start mask beside its object and its frame."""
    mask = start.with_name(start.name.removeprefix(START).partition("_")[2] or start.name)
    frames = (start.with_name(f"{_frame(mask)}{suffix}") for suffix in FRAMES)
    return start.name.startswith(START) and is_there(mask) and any(map(is_there, frames))
