"""Images by the names that other files call them: with or without folders and extension."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable
from pathlib import Path, PurePosixPath
from typing import Generic, TypeVar

from edgeflow.data.base import DatasetError
from edgeflow.data.files import IMAGES
from edgeflow.errors import brief

Item = TypeVar("Item", bound=Hashable)

_DROPPED = re.compile(r"[^-\w.]")


class NameIndex(Generic[Item]):
    """Finds an image by the end of its path.

    Of ``x/y/a.jpg`` the names are ``x/y/a.jpg``, ``y/a.jpg`` and ``a.jpg``, and the same without
    the extension. A name that several images have is none.
    """

    def __init__(self) -> None:
        self._named: defaultdict[str, set[Item]] = defaultdict(set)
        self._bare: defaultdict[str, set[Item]] = defaultdict(set)

    def add(self, names: Iterable[str], item: Item) -> None:
        """Note an image under its names.

        Args:
            names: With their extension.
            item: What is found under them.
        """
        for name in names:
            self._named[name].add(item)
            self._bare[str(PurePosixPath(name).with_suffix(""))].add(item)

    def find(self, file_name: str) -> Item | None:
        """The image that a file name means; None if there is none.

        The longest end of it that any image has counts. Last, its name is looked for as Label
        Studio stores that of an upload: without blanks and punctuation.

        Args:
            file_name: Relative path, with or without an extension.

        Raises:
            DatasetError: Several images have that name.
        """
        table = self._named if _suffix(file_name) in IMAGES else self._bare
        ends = path_ends(file_name)
        for name in (*ends, _DROPPED.sub("", ends[-1].replace(" ", "_"))):
            if found := table.get(name):
                if len(found) > 1:
                    raise DatasetError(
                        f"{len(found)} images are called {brief(name)!a}",
                        hint="name them with their folders",
                    )
                return next(iter(found))
        return None


def path_ends(path: str) -> list[str]:
    """A relative path and its ends, the longest first."""
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]


def folder_index(folder: Path) -> NameIndex[str]:
    """The images of a folder and its subfolders, by relative path with slashes.

    Raises:
        DatasetError: It is no folder.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is no folder", hint="name the folder of the images")
    index: NameIndex[str] = NameIndex()
    for below, _, names in os.walk(folder):
        for name in names:
            if _suffix(name) in IMAGES and not name.startswith("."):
                relative = (Path(below) / name).relative_to(folder).as_posix()
                index.add(path_ends(relative), relative)
    return index


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
