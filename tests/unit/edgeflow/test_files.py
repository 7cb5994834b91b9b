from __future__ import annotations

from pathlib import Path

import pytest

from edgeflow.errors import FileWriteError
from edgeflow.files import write_atomically


def test_a_written_file_replaces_the_old_one_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileWriteError, match="cannot write"):
        write_atomically(tmp_path / "file" / "below", b"data")


def test_a_write_that_fails_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    occupied = tmp_path / "target"
    (occupied / "full").mkdir(parents=True)
    with pytest.raises(FileWriteError, match="cannot write"):
        write_atomically(occupied, b"data")
    assert list(tmp_path.iterdir()) == [occupied]
