"""The folder of a pull's images: what is there is kept, what is missing is fetched."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edgeflow.files import write_atomically
from edgeflow.pull.locations import (
    DIGEST_LENGTH,
    PictureError,
    TooLargeError,
    digest_of,
    file_name,
)


@dataclass(frozen=True)
class Limits:
    """Limits of a pull.

    Attributes:
        image_bytes: Of one image.
        folder_bytes: Of all images in the folder together.
    """

    image_bytes: int
    folder_bytes: int


class Fetcher(Protocol):
    """Fetches images; :class:`edgeflow.pull.fetch.Pictures` over HTTP."""

    def fetch(self, location: str, task: int, limit: int) -> tuple[bytes, str]:
        """The bytes of an image and the name of its format; raises PictureError."""


class Store:
    """Images by location, each in a file that is written whole.

    Args:
        folder: The folder; made if it is missing.
        pictures: Fetches what is not there.
        limits: Bytes.

    Attributes:
        fetched: Images that were fetched so far.
        present: Images that were asked for and had been there before.
    """

    def __init__(self, folder: Path, pictures: Fetcher, limits: Limits) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with os.scandir(folder) as listing:
            files = [each for each in listing if each.is_file(follow_symlinks=False)]
        self._names = {each.name[:DIGEST_LENGTH]: each.name for each in files}
        self._left = limits.folder_bytes - sum(each.stat().st_size for each in files)
        self._folder, self._pictures, self._limits = folder, pictures, limits
        self._asked: set[str] = set()
        self.fetched = 0
        self.present = 0

    def keep(self, location: str, task: int) -> str:
        """The name of an image's file, which is fetched if need be.

        Args:
            location: As it stands in the task.
            task: The task's id.

        Raises:
            PictureError: It is not to be had.
        """
        digest = digest_of(location)
        if digest not in self._names:
            data, kind = self._fetch(location, task)
            name = file_name(location, kind)
            write_atomically(self._folder / name, data)
            self._names[digest] = name
            self._left -= len(data)
            self.fetched += 1
        elif digest not in self._asked:
            self.present += 1
        self._asked.add(digest)
        return self._names[digest]

    def _fetch(self, location: str, task: int) -> tuple[bytes, str]:
        limit = min(self._limits.image_bytes, self._left)
        full = PictureError("the images would take more than --max-gb")
        if limit <= 0:
            raise full
        try:
            return self._pictures.fetch(location, task, limit)
        except TooLargeError as error:
            if limit < self._limits.image_bytes:
                raise full from error
            raise
