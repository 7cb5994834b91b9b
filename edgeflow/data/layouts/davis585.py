"""DAVIS585: 585 objects of DAVIS's validation videos, each with two imperfect masks.

Chen et al., "FocalClick", CVPR 2022 (arXiv:2204.02574); published with alibaba/ClickSEG, whose
``isegm/data/datasets/davis585.py`` reads it.
"""

from __future__ import annotations

from pathlib import Path

from edgeflow.data.base import Sample
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
from edgeflow.data.paired import Pair

START = "init_"
"""How the names of start masks begin."""

FRAMES = (".jpeg", ".jpg")
MASKS = (".png",)
PROBED = 16


class Davis585(ListedDataset[Pair]):
    """``<sequence>/<frame>.jpg`` and ``<sequence>/object<k>_<frame>.png``, above 128 the object.

    Each object is a sample, named ``<sequence>/object<k>_<frame>``, since published figures are
    means over these. Start masks lie beside them: see :func:`start_file`.

    Args:
        root: Folder of the sequences.

    Raises:
        DatasetError: It has none, or they hold no object.
    """

    def __init__(self, root: Path) -> None:
        pairs = {
            f"{sequence}/{pair.annotation.stem}": pair
            for sequence in sequences(root)
            for pair in _pairs(root / sequence)
        }
        super().__init__(root.resolve().name, pairs)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the first folders hold start masks, with their objects and frames."""
        if not path.is_dir():
            return False
        first = first_files(path, MASKS, PROBED)
        return any(_belongs(each) for each in first if each.parent != path)

    def _read(self, name: str, entry: Pair) -> Sample:
        annotation = binary(read_bytes(entry.annotation), str(entry.annotation))
        rgb = image_for(
            read_bytes(entry.image), annotation.size, str(entry.image), str(entry.annotation)
        )
        file_name = f"{entry.image.parent.name}/{entry.image.name}"
        return Sample(name, rgb, annotation.objects, file_name=file_name, path=entry.image)


def start_file(image: Path, sample: str, method: str) -> Path:
    """Where the start mask of a sample is published.

    Args:
        image: The sample's image.
        sample: The sample's name.
        method: ``sp`` or ``stm``.
    """
    return image.with_name(f"{START}{method}_{sample.rpartition('/')[2]}.png")


def _belongs(start: Path) -> bool:
    """Whether a file is a start mask beside its object and its frame."""
    name = start.name.removeprefix(START).partition("_")[2]
    frames = (start.with_name(_frame(Path(name))).with_suffix(suffix) for suffix in FRAMES)
    return (
        start.name.startswith(START)
        and is_there(start.with_name(name))
        and any(map(is_there, frames))
    )


def _pairs(folder: Path) -> list[Pair]:
    """The objects of a sequence with their frames; what has no frame is no object."""
    images = files_by_stem(folder, FRAMES)
    return [
        Pair(images[frame], path)
        for path in files_in(folder, MASKS)
        if not path.name.startswith(START) and (frame := _frame(path)) in images
    ]


def _frame(mask: Path) -> str:
    return mask.stem.rpartition("_")[2]
