"""Lists of sample names in text files, of datasets that are published in splits."""

from __future__ import annotations

from pathlib import Path

from edgeflow.data.base import DatasetError
from edgeflow.data.files import files_by_stem, read_list
from edgeflow.data.paired import Pair


def choose_split(splits: list[str], split: str | None, source: str) -> str:
    """The split of that name; without a name, the only one.

    Raises:
        DatasetError: There is no split of that name, or several and none is named.
    """
    if split is None and len(splits) == 1:
        return splits[0]
    if split is None or split not in splits:
        fault = f"no split {split!r}" if split else f"{len(splits)} splits and none is chosen"
        raise DatasetError(
            f"{source}: {fault}",
            hint=f"splits: {', '.join(splits)}" if splits else "its lists of names are missing",
        )
    return split


def listed_pairs(
    lists: Path, split: str, images: tuple[Path, str], annotations: tuple[Path, str]
) -> dict[str, Pair]:
    """The pairs that ``<lists>/<split>.txt`` names, in its order; their files are not looked for.

    Args:
        lists: Folder of the lists.
        split: Name of the list.
        images: Folder and extension of the images.
        annotations: Folder and extension of the annotations.

    Raises:
        DatasetError: The list cannot be read.
    """
    names = [line[0] for line in read_list(lists / f"{split}.txt")]
    return {
        name: Pair(images[0] / (name + images[1]), annotations[0] / (name + annotations[1]))
        for name in names
    }


def splits_in(folder: Path) -> list[str]:
    """The names of a folder's lists; none where there is no such folder."""
    return list(files_by_stem(folder, (".txt",))) if folder.is_dir() else []
