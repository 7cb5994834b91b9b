from __future__ import annotations

import pytest

from edgeflow.export.reading.remote import LatestFetched, RemotePicture
from edgeflow.geometry import Size
from edgeflow.pull.locations import PictureError
from tests.unit.edgeflow.data.making import image_file


class Shelf:
    """A fetcher that counts."""

    def __init__(self, **pictures: bytes) -> None:
        self.pictures, self.fetched = pictures, list[str]()

    def fetch(self, location: str, task: int, limit: int) -> tuple[bytes, str]:
        assert task == 1
        self.fetched.append(location)
        if location not in self.pictures:
            raise PictureError("Label Studio answers HTTP 404")
        assert len(self.pictures[location]) <= limit
        return self.pictures[location], "JPEG"


def test_nothing_is_fetched_before_it_is_asked_for_and_then_once() -> None:
    shelf = Shelf(a=image_file(), b=image_file())
    latest = LatestFetched(shelf)
    one, other = (RemotePicture(name, 1, Size(4, 6), latest) for name in "ab")
    assert one.stamp() != other.stamp()
    assert not shelf.fetched
    assert one.file() == image_file()
    assert one.rgb().shape == (4, 6, 3)
    assert shelf.fetched == ["a"]
    other.file()
    one.file()
    assert shelf.fetched == ["a", "b", "a"]


def test_a_picture_that_is_not_to_be_had_is_an_error_each_time() -> None:
    shelf = Shelf(a=image_file())
    latest = LatestFetched(shelf)
    RemotePicture("a", 1, Size(4, 6), latest).file()
    for _ in range(2):
        with pytest.raises(PictureError, match="404"):
            RemotePicture("gone", 1, Size(4, 6), latest).file()
