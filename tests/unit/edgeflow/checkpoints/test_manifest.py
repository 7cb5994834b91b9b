from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, find
from edgeflow.checkpoints.manifest import ModelEntry, SourceNote, add_to_manifest, read_manifest
from edgeflow.errors import CheckpointError
from edgeflow.masks.score import Calibration
from tests.unit.edgeflow.samples import ROOT, manifest_entry, write_manifest


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


def test_a_manifest_that_is_not_text_is_refused(tmp_path: Path) -> None:
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


# Calibration


def test_a_calibration_may_be_left_out_and_then_changes_nothing(tmp_path: Path) -> None:
    write_manifest(tmp_path, mine=manifest_entry("w.safetensors", "0" * 64))
    assert read_manifest(tmp_path).models["mine"].calibration == Calibration()


def test_a_calibration_is_read(tmp_path: Path) -> None:
    entry = manifest_entry("w.safetensors", "0" * 64)
    write_manifest(tmp_path, mine=entry | {"calibration": {"bias": -1, "slope": 1.5}})
    calibration = read_manifest(tmp_path).models["mine"].calibration
    assert calibration == Calibration(bias=-1.0, slope=1.5, clicks=0.0)


@pytest.mark.parametrize(
    "calibration",
    [
        {"offset": 1.0},
        {"bias": -1.0, "slope": 1.5, "clicks": 0.3, "note": "fitted"},
        {"Bias": 1.0},
        {"bias": "high"},
        {"bias": None},
        {"slope": [1.0]},
        {"slope": float("nan")},
        {"clicks": float("inf")},
        [0.0, 1.0, 0.0],
        1.0,
        "none",
        None,
    ],
    ids=str,
)
def test_a_calibration_that_does_not_follow_the_format_is_refused(
    tmp_path: Path, calibration: object
) -> None:
    entry = manifest_entry("w.safetensors", "0" * 64) | {"calibration": calibration}
    write_manifest(tmp_path, mine=entry)
    with pytest.raises(CheckpointError, match="calibration"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "calibration",
    [
        Calibration(),
        Calibration(bias=-1.0725, slope=1e-9, clicks=0.1 + 0.2),
        Calibration(bias=1e300),
    ],
    ids=str,
)
def test_a_calibration_survives_being_written(tmp_path: Path, calibration: Calibration) -> None:
    entry = ModelEntry.model_validate(
        manifest_entry("a.safetensors", "a" * 64) | {"calibration": calibration}
    )
    add_to_manifest(tmp_path, "one", entry)
    add_to_manifest(tmp_path, "two", entry.model_copy(update={"calibration": Calibration()}))
    models = read_manifest(tmp_path).models
    assert models["one"] == entry
    assert models["one"].calibration == calibration
    assert models["two"].calibration == Calibration()


def test_the_shipped_model_is_calibrated() -> None:
    calibration = read_manifest(ROOT / "weights").models[DEFAULT_MODEL].calibration
    assert calibration != Calibration()
    assert calibration.slope > 0  # a surer mask scores more
    assert calibration.clicks >= 0
    assert find(DEFAULT_MODEL).entry.calibration == calibration


def test_every_shipped_calibration_gives_scores() -> None:
    for entry in read_manifest(ROOT / "weights").models.values():
        for mean in (0.51, 0.8, 1.0):
            for clicks in (1, 2, 20):
                score = entry.calibration(np.full((3, 3), mean, np.float32), clicks)
                assert 0 < score < 1
