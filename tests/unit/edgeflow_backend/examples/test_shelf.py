from __future__ import annotations

from pathlib import Path

from edgeflow_backend.examples.library import Library
from edgeflow_backend.examples.shelf import Shelf
from tests.unit.edgeflow_backend.examples.library_samples import ROOMY, example, read

URL = "https://labels.example"
LIBRARY = Library().add(read(1, example("a")), ROOMY)


def ids(found: tuple[Library, str]) -> list[int]:
    library, wrong = found
    assert wrong == ""
    return [task.id for task in library.tasks]


def test_a_library_is_found_again_by_label_studio_and_project(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "a" / "b", 10_000)
    assert ids(shelf.load(URL, "1")) == []
    assert shelf.save(URL, "1", LIBRARY) == ""
    assert ids(Shelf(tmp_path / "a" / "b", 10_000).load(URL, "1")) == [1]
    assert ids(shelf.load(URL, "2")) == []
    assert ids(shelf.load("https://other.example", "1")) == []
    assert (tmp_path / "a" / "b").stat().st_mode & 0o077 == 0


def test_a_damaged_file_is_removed_and_told(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 10_000)
    shelf.save(URL, "1", LIBRARY)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-9])
    library, wrong = shelf.load(URL, "1")
    assert library == Library()
    assert "damaged" in wrong
    assert ids(shelf.load(URL, "1")) == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_too_long_is_not_read_whole(tmp_path: Path) -> None:
    Shelf(tmp_path, 10_000).save(URL, "1", LIBRARY)
    library, wrong = Shelf(tmp_path, 10).load(URL, "1")
    assert library == Library()
    assert "damaged" in wrong


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 10_000)
    shelf.save(URL, "1", LIBRARY)
    (file,) = tmp_path.iterdir()
    file.unlink()
    file.mkdir()
    assert "cannot be read" in shelf.load(URL, "1")[1]
    assert "lost with this process" in shelf.save(URL, "1", LIBRARY)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    shelf = Shelf(tmp_path / "file" / "below", 10_000)
    assert "lost with this process" in shelf.save(URL, "1", LIBRARY)
    assert "cannot be read" in shelf.load(URL, "1")[1]
