"""Images of tasks: where each is, what it is called, and its size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from edgeflow.annotated import Picture
from edgeflow.data.drawn_tasks import find_image
from edgeflow.export.pictures import FilePicture
from edgeflow.export.reading.image_names import file_name_of, size_of
from edgeflow.export.reading.remote import LatestFetched, RemotePicture
from edgeflow.geometry import Size


class Found(NamedTuple):
    """What is known of an image.

    Attributes:
        name: What its annotation says that it is called, whether its file is at hand or not.
        file_name: Its path in the folder that it was found in, or else the name.
        size: In the orientation of its regions.
        picture: Its pixels; None if they are not to be had.
    """

    name: str
    file_name: str
    size: Size
    picture: Picture | None


class Finder:
    """Finds images of tasks in folders, or else where Label Studio has them.

    Args:
        folders: Looked into in this order.
        fetcher: Fetches those that are in no folder, when a format needs them.
    """

    def __init__(self, folders: Sequence[Path] = (), fetcher: LatestFetched | None = None) -> None:
        self._folders, self._fetcher = list(folders), fetcher

    def find(self, location: str, task: str, number: int, drawn_on: list[Size | None]) -> Found:
        """Find an image.

        Args:
            location: Its path or URL, as it stands in the task.
            task: The task's key.
            number: The image's, from 1, among those of the task that something is drawn on.
            drawn_on: Sizes that its regions are for, where they say so.

        Raises:
            DatasetError: Its size cannot be told.
        """
        name = file_name_of(location, task, number)
        file = find_image(location, self._folders)
        if file is not None:
            path = file[0] / file[1]
            size = size_of(path, drawn_on)
            return Found(name, file[1], size, FilePicture(path, size))
        size = size_of(None, drawn_on)
        picture = None
        if self._fetcher is not None and location and task.isdecimal():
            picture = RemotePicture(location, int(task), size, self._fetcher)
        return Found(name, name, size, picture)
