from __future__ import annotations

import logging
import shutil
import stat
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from edgeflow.runtime.agreement import Probe
from edgeflow.runtime.graph import export_cache as exporting
from edgeflow.runtime.graph.export_cache import (
    DamagedExportError,
    Export,
    ExportKey,
    cached_export,
    exports_folder,
    read_export,
    write_export,
)

KEY = ExportKey("ab" * 32, "edgeflow_lite", "{}", "openvino 1.2-x/y")


def export(content: bytes = b"graph") -> Export:
    maps = [torch.full((1, channels, 32, 32), 0.5) for channels in (3, 3, 1, 1)]
    return Export({"model.xml": content, "model.bin": bytes(range(256))}, Probe(*maps))


class Maker:
    """Makes exports, and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> Export:
        self.count += 1
        return export(b"made %d" % self.count)


def test_an_export_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_export(tmp_path / "x.safetensors", export())
    back = read_export(tmp_path / "x.safetensors")
    assert dict(back.files) == dict(export().files)
    for name, values in vars(export().probe).items():
        assert torch.equal(getattr(back.probe, name), values)


def test_an_export_is_made_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make, folder = Maker(), tmp_path / "new" / "exports"
    for _ in range(3):
        assert cached_export(folder, KEY, make).files["model.xml"] == b"made 1"
    assert make.count == 1
    assert [path.name for path in folder.iterdir()] == [KEY.filename]
    assert caplog.records == []


def test_the_folder_is_its_owners_alone(tmp_path: Path) -> None:
    cached_export(tmp_path / "exports", KEY, Maker())
    assert stat.S_IMODE((tmp_path / "exports").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "change",
    [
        {"weights": "cd" * 32},
        {"architecture": "ritm_hrnet"},
        {"options": '{"width": 4}'},
        {"runtime": "openvino 1.3"},
        {"precision": "int8"},
        {"sides": "any"},
        {"code": "ef" * 32},
    ],
)
def test_whatever_an_export_depends_on_makes_it_another(
    tmp_path: Path, change: dict[str, str]
) -> None:
    make = Maker()
    cached_export(tmp_path, KEY, make)
    cached_export(tmp_path, replace(KEY, **change), make)
    assert make.count == 2
    assert len(list(tmp_path.iterdir())) == 2


def test_names_of_files_hold_nothing_that_a_path_could_trip_over() -> None:
    name = replace(KEY, runtime="../../x y|z" * 20).filename
    assert "/" not in name
    assert " " not in name
    assert len(name) < 120


def damage(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    if how == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "one bit":
        data[-1] ^= 1
        path.write_bytes(data)
    elif how == "header":
        data[20] ^= 0xFF
        path.write_bytes(data)
    elif how == "something else":
        path.write_bytes(b"PK\3\4 not at all" * 99)
    else:
        save_file({"file.model.xml": torch.zeros(3, dtype=torch.uint8)}, path)


@pytest.mark.parametrize(
    "how", ["truncated", "empty", "one bit", "header", "something else", "other tensors"]
)
def test_a_damaged_export_is_logged_and_made_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    make, path = Maker(), tmp_path / KEY.filename
    cached_export(tmp_path, KEY, make)
    damage(path, how)
    with pytest.raises(DamagedExportError):
        read_export(path)
    assert cached_export(tmp_path, KEY, make).files["model.xml"] == b"made 2"
    assert "damaged" in caplog.text
    assert cached_export(tmp_path, KEY, make).files["model.xml"] == b"made 2"
    assert make.count == 2


def test_where_nothing_can_be_written_exports_are_made_each_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    make = Maker()
    for count in (1, 2):
        export = cached_export(tmp_path / "file" / "exports", KEY, make)
        assert export.files["model.xml"] == b"made %d" % count
    assert all(record.levelno == logging.WARNING for record in caplog.records)
    assert "cannot be stored" in caplog.text


def test_a_folder_that_others_may_write_to_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # What they leave there would be executed.
    folder = tmp_path / "shared"
    cached_export(folder, KEY, Maker())
    folder.chmod(0o777)
    assert cached_export(folder, KEY, make := Maker()).files["model.xml"] == b"made 1"
    assert make.count == 1
    assert "others may write to it" in caplog.text


def test_a_changed_module_makes_another_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Path(exporting.__file__).parents[2]
    for part in ("nn", "runtime"):
        shutil.copytree(package / part, tmp_path / part)
    moved = tmp_path / "runtime" / "graph" / "export_cache.py"
    monkeypatch.setattr(exporting, "__file__", str(moved))
    before = exporting.code_digest()
    assert exporting.code_digest() == before
    with (tmp_path / "nn" / "lite.py").open("a") as file:
        file.write("\n")
    assert exporting.code_digest() != before


def test_exports_are_stored_beside_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert exports_folder() == Path("/home/ann/.cache/edgeflow/exports")


def test_a_user_without_a_home_keeps_them_in_the_temporary_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def homeless() -> Path:
        raise RuntimeError("could not determine home directory")

    monkeypatch.setattr(Path, "home", homeless)
    assert exports_folder().parent == Path(tempfile.gettempdir())
