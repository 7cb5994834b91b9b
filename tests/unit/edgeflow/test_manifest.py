from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeflow.checkpoints import find
from edgeflow.errors import CheckpointError
from edgeflow.manifest import (
    ModelEntry,
    SourceNote,
    add_to_manifest,
    read_manifest,
    write_atomically,
)
from tests.unit.edgeflow.samples import manifest_entry, write_manifest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        "{}",
        '{"format": 1}',
        '{"format": 2, "models": {}}',
        '{"format": 1, "models": []}',
        '{"format": 1, "models": {"a": {}}}',
        '{"format": 1, "models": {}, "extra": 1}',
    ],
)
def test_a_broken_manifest_is_refused_with_its_path(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(CheckpointError, match="not a valid manifest") as caught:
        read_manifest(tmp_path)
    assert str(tmp_path) in caught.value.message
    assert caught.value.hint


def test_a_manifest_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(CheckpointError, match="not a valid manifest"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "file",
    [
        "../w.safetensors",
        "/etc/w.safetensors",
        "a/w.safetensors",
        "..\\w.safetensors",
        "w.safetensors\n",
        "w\0.safetensors",
        "C:w.safetensors",
        "~",
        "",
    ],
)
def test_a_manifest_cannot_point_outside_its_folder(tmp_path: Path, file: str) -> None:
    write_manifest(tmp_path, mine=manifest_entry(file, "0" * 64))
    with pytest.raises(CheckpointError, match="not a valid manifest"):
        find("mine", tmp_path)


@pytest.mark.parametrize("file", [".", "..", "..."])
def test_a_manifest_cannot_name_a_folder(tmp_path: Path, file: str) -> None:
    write_manifest(tmp_path, mine=manifest_entry(file, "0" * 64))
    with pytest.raises(CheckpointError):
        find("mine", tmp_path).load()


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "abc"},
        {"sha256": "Z" * 64},
        {"feedback": "nose"},
        {"surprise": 1},
        {"metrics": {"GrabCut": {"NoC@90": "many"}}},
        {"options": {"width": [1]}},
        {"source": {"name": "x"}},
    ],
)
def test_an_entry_that_does_not_follow_the_format_is_refused(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    write_manifest(tmp_path, mine=manifest_entry("w.safetensors", "0" * 64) | changes)
    with pytest.raises(CheckpointError) as caught:
        read_manifest(tmp_path)
    assert next(iter(changes)) in caught.value.message


def test_an_entry_that_lacks_something_is_refused(tmp_path: Path) -> None:
    entry = manifest_entry("w.safetensors", "0" * 64)
    del entry["licence"]
    write_manifest(tmp_path, mine=entry)
    with pytest.raises(CheckpointError, match="licence"):
        read_manifest(tmp_path)


def test_an_entry_is_added_and_the_others_stay(tmp_path: Path) -> None:
    first = ModelEntry.model_validate(manifest_entry("a.safetensors", "a" * 64))
    source = SourceNote(name="orig.pdparams", sha256="c" * 64, converted_on="2026-11-23")
    second = first.model_copy(update={"file": "b.safetensors", "source": source})
    add_to_manifest(tmp_path / "new" / "folder", "one", first)
    add_to_manifest(tmp_path / "new" / "folder", "two", second)
    assert read_manifest(tmp_path / "new" / "folder").models == {"one": first, "two": second}


def test_an_entry_of_the_same_name_is_replaced(tmp_path: Path) -> None:
    first = ModelEntry.model_validate(manifest_entry("a.safetensors", "a" * 64))
    second = first.model_copy(update={"sha256": "b" * 64})
    add_to_manifest(tmp_path, "one", first)
    add_to_manifest(tmp_path, "one", second)
    assert read_manifest(tmp_path).models == {"one": second}


def test_a_broken_manifest_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    entry = ModelEntry.model_validate(manifest_entry("a.safetensors", "a" * 64))
    with pytest.raises(CheckpointError):
        add_to_manifest(tmp_path, "one", entry)
    assert (tmp_path / "manifest.json").read_text(encoding="utf-8") == "{"


def test_a_written_file_replaces_the_old_one_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CheckpointError, match="cannot write"):
        write_atomically(tmp_path / "file" / "below", b"data")


def test_a_write_that_fails_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    occupied = tmp_path / "target"
    (occupied / "full").mkdir(parents=True)
    with pytest.raises(CheckpointError, match="cannot write"):
        write_atomically(occupied, b"data")
    assert list(tmp_path.iterdir()) == [occupied]
