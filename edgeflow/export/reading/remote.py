"""Pictures that are fetched from Label Studio when a format needs them."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeflow.arrays import RGBImage
from edgeflow.data.files import MAX_BYTES, image_for
from edgeflow.geometry import Size
from edgeflow.pull.store import Fetcher


class LatestFetched:
    """A fetcher that still has the last picture, since several formats ask for one after the other.

    Args:
        fetcher: Fetches it.
    """

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._last: tuple[str, int] | None = None
        self._data = b""

    def fetch(self, location: str, task: int) -> bytes:
        """The bytes of a picture.

        Args:
            location: As it stands in the task.
            task: The task's id.

        Raises:
            PictureError: It is not to be had.
        """
        if self._last != (location, task):
            self._last = None
            self._data, _ = self._fetcher.fetch(location, task, MAX_BYTES)
            self._last = (location, task)
        return self._data


@dataclass(frozen=True)
class RemotePicture:
    """A picture of a task.

    Attributes:
        location: As it stands in the task.
        task: The task's id.
        size: That the objects are for.
        fetcher: Fetches it.
    """

    location: str
    task: int
    size: Size
    fetcher: LatestFetched = field(repr=False)

    @property
    def path(self) -> None:
        """It lies elsewhere."""
        return

    def file(self) -> bytes:
        """See :meth:`edgeflow.annotated.Picture.file`; raises PictureError, too."""
        return self.fetcher.fetch(self.location, self.task)

    def rgb(self) -> RGBImage:
        """See :meth:`edgeflow.annotated.Picture.rgb`; raises PictureError, too."""
        return image_for(self.file(), self.size, "its picture", "its annotation")

    def stamp(self) -> str:
        """The location; what lies there is taken to stay the same."""
        return self.location
