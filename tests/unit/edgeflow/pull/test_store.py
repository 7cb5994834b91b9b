from __future__ import annotations

from pathlib import Path

import pytest

from edgeflow.pull.locations import PictureError, too_large
from edgeflow.pull.store import Limits, Store


class Fake:
    """Gives every location ten bytes."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def fetch(self, location: str, _task: int, limit: int) -> tuple[bytes, str]:
        self.asked.append(location)
        if limit < 10:
            raise too_large(limit)
        return bytes(10), "PNG"


def test_each_image_is_fetched_once(tmp_path: Path) -> None:
    fake = Fake()
    store = Store(tmp_path / "images", fake, Limits(100, 100))
    assert store.keep("/a.png", 1) == store.keep("/a.png", 2) != store.keep("/b.png", 2)
    assert fake.asked == ["/a.png", "/b.png"]
    assert (store.fetched, store.present) == (2, 0)
    again = Store(tmp_path / "images", fake, Limits(100, 100))
    assert again.keep("/a.png", 1) == store.keep("/a.png", 1)
    again.keep("/a.png", 3)
    assert (again.fetched, again.present) == (0, 1)
    assert len(fake.asked) == 2


def test_a_file_that_was_deleted_is_fetched_again(tmp_path: Path) -> None:
    fake = Fake()
    name = Store(tmp_path, fake, Limits(100, 100)).keep("/a.png", 1)
    (tmp_path / name).unlink()
    Store(tmp_path, fake, Limits(100, 100)).keep("/a.png", 1)
    assert (tmp_path / name).stat().st_size == 10


def test_the_folder_stays_below_its_limit_over_several_pulls(tmp_path: Path) -> None:
    for _ in range(2):
        store = Store(tmp_path, Fake(), Limits(100, 25))
        for number in range(2):
            store.keep(f"/{number}.png", number)
        with pytest.raises(PictureError, match="--max-gb"):
            store.keep("/2.png", 2)
    assert sum(each.stat().st_size for each in tmp_path.iterdir()) == 20


def test_one_image_beyond_its_own_limit_is_said_to_be_that(tmp_path: Path) -> None:
    store = Store(tmp_path, Fake(), Limits(5, 100))
    with pytest.raises(PictureError, match="larger than"):
        store.keep("/a.png", 1)
