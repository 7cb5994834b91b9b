from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from edgeflow.checkpoints.convert.sources import open_source
from edgeflow.cli import app
from tests.unit.edgeflow.samples import PHOTOS, manifest_entry, write_manifest


def safetensors(header: bytes | dict[str, object], body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def tensor(shape: list[int], start: int, end: int, dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


HOSTILE = {
    "empty": b"",
    "short": b"\x01",
    "huge header": struct.pack("<Q", 2**63) + b"{}",
    "header beyond the end": struct.pack("<Q", 99_000_000) + b"{}",
    "deep objects": safetensors(b'{"a":' * 5_000 + b"1" + b"}" * 5_000),
    "deep lists": safetensors(b'{"a":' + b"[" * 100_000),
    "no JSON": safetensors(b"{nonsense"),
    "no Unicode": safetensors(b'{"\xff": 1}'),
    "overlap": safetensors({"a": tensor([2], 0, 8), "b": tensor([2], 4, 12)}, bytes(12)),
    "gap": safetensors({"a": tensor([1], 4, 8)}, bytes(8)),
    "beyond the end": safetensors({"a": tensor([1000], 0, 4000)}, bytes(4)),
    "trailing data": safetensors({"a": tensor([1], 0, 4)}, bytes(8)),
    "negative side": safetensors({"a": tensor([-1], 0, 4)}, bytes(4)),
    "overflowing shape": safetensors({"a": tensor([2**62, 4], 0, 4)}, bytes(4)),
    "unknown type": safetensors({"a": tensor([1], 0, 4, "X9")}, bytes(4)),
    "type without a class": safetensors({"a": tensor([8], 0, 4, "F4")}, bytes(4)),
    "other type": safetensors({"a": tensor([1], 0, 8, "I64")}, bytes(8)),
    "no tensors": safetensors({}),
}


@pytest.fixture(params=HOSTILE)
def hostile(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file that holds no network, in a folder whose manifest vouches for it."""
    data = HOSTILE[request.param]
    (tmp_path / "w.safetensors").write_bytes(data)
    entry = manifest_entry("w.safetensors", hashlib.sha256(data).hexdigest())
    write_manifest(tmp_path, w=entry)
    return tmp_path / "w.safetensors"


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return result


def test_a_hostile_weights_file_is_an_error_in_words(
    hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeflow.checkpoints.convert.convert.read_source", open_source)  # quicker
    for result in (
        run("convert", hostile, tmp_path / "out" / "ours.safetensors"),
        run("predict", PHOTOS / "coins.jpg", "--click", "3,3", "--model", hostile),
    ):
        assert result.exit_code == 1
        assert "error:" in result.output
        assert len(result.output) < 4_000
    assert run("models", "--models-dir", hostile.parent).exit_code == 0
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_hostile_weights_file_is_read_in_a_process_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(HOSTILE["deep lists"])
    result = run("convert", tmp_path / "w.safetensors", tmp_path / "ours.safetensors")
    assert result.exit_code == 1
    assert "not valid safetensors" in result.output


@pytest.mark.parametrize(
    "manifest",
    [b"", b"[", b"[" * 200_000, b'{"a":' * 200_000, b"\xff\xfe", b"null", b"9" * 10_000,
     b'{"format": 1, "models": {"w": {"x": "' + b"y" * 100_000 + b'"}}}'],
    ids=lambda data: data[:9].decode("latin1"),
)  # fmt: skip
def test_a_hostile_manifest_is_an_error_in_words(tmp_path: Path, manifest: bytes) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"x")
    (tmp_path / "manifest.json").write_bytes(manifest)
    for result in (
        run("models", "--models-dir", tmp_path),
        run("predict", PHOTOS / "coins.jpg", "--click", "3,3", "--model",
            tmp_path / "w.safetensors"),
    ):  # fmt: skip
        assert result.exit_code == 1
        assert "not a valid manifest" in result.output
        assert len(result.output) < 4_000


def test_a_file_too_large_for_memory_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # sparse
    write_manifest(tmp_path, w=manifest_entry("w.safetensors", "0" * 64))
    result = run("predict", PHOTOS / "coins.jpg", "--click", "3,3", "--model", path)
    assert result.exit_code == 1
    assert "is larger than" in result.output
