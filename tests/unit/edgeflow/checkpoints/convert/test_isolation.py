from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from edgeflow.checkpoints.convert.isolation import read_source
from edgeflow.checkpoints.convert.paddle_params import read_pdparams
from edgeflow.checkpoints.convert.sources import open_source
from edgeflow.errors import ConversionError
from tests.unit.edgeflow.checkpoints.convert.foreign import GOLDEN, TINY, pdparams, static


def nested_tuples() -> bytes:
    """A pickle whose deep tuple is a key, so that hashing it overflows the stack."""
    return b"\x80\x04}(K\x01" + b"\x85" * 1_000_000 + b"K\x01u."


def hash_bomb() -> bytes:
    """A pickle of a tuple that refers to its predecessor twice, 60 levels deep, as a key."""
    body = b"K\x01\x94"
    for number in range(60):
        body += b"h" + bytes([number]) + b"h" + bytes([number]) + b"\x86\x94"
    return b"\x80\x04}(" + body + b"K\x01u."


def inflating_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.pdparams", bytes(900 << 20))


def state() -> dict[str, torch.Tensor]:
    arrays = read_pdparams(pdparams().read_bytes())
    return {
        name.replace("._mean", ".running_mean").replace("._variance", ".running_var"):
        torch.from_numpy(np.array(array)) for name, array in arrays.items()
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("make", [nested_tuples, hash_bomb], ids=lambda make: make.__name__)
def test_a_file_that_would_take_this_process_with_it_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[], bytes]
) -> None:
    monkeypatch.setattr("edgeflow.checkpoints.convert.isolation.CPU_S", 2)
    path = tmp_path / "hostile.pdparams"
    path.write_bytes(make())
    with pytest.raises(ConversionError, match=r"hostile\.pdparams|not a readable"):
        read_source(path)


@pytest.mark.slow
def test_a_small_zip_that_unpacks_to_a_gigabyte_is_refused(tmp_path: Path) -> None:
    inflating_zip(tmp_path / "bomb.zip")
    with pytest.raises(ConversionError):
        read_source(tmp_path / "bomb.zip")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda s: s,
        lambda s: {"state_dict": s, "epoch": 3},
        lambda s: {"model": s, "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}}},
        lambda s: {"params_ema": s},
        lambda s: {f"module.{k}": v for k, v in s.items()},
        lambda s: {"state_dict": {f"model.module.{k}": v for k, v in s.items()}},
        lambda s: {"model": {"state_dict": s}},
    ],
    ids=["bare", "state_dict", "model", "params_ema", "module", "Lightning", "nested"],
)
def test_a_wrapped_checkpoint_gives_the_same_tensors(
    tmp_path: Path, wrap: Callable[[dict[str, torch.Tensor]], object]
) -> None:
    torch.save(wrap(state()), tmp_path / "w.pth")
    expected = open_source(pdparams()).tensors
    found = open_source(tmp_path / "w.pth").tensors
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_widened(tmp_path: Path, dtype: torch.dtype) -> None:
    torch.save({name: tensor.to(dtype) for name, tensor in state().items()}, tmp_path / "w.pth")
    for name, array in open_source(tmp_path / "w.pth").tensors.items():
        assert array.dtype == np.float32, name


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
        (b"\n<!DOCTYPE html><title>Sign in</title>", "web page"),
        (b"\x1f\x8b\x08\x00rest", "gzip"),
        (b"BZh9rest", "bzip2"),
        (b"\x89HDF\r\n\x1a\n", "Keras"),
        (b"", "empty"),
        (b"PK\x03\x04cut short", "damaged"),
        (b"\x80\x02}q\x00", "damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_weights_file_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(ConversionError, match=said) as caught:
        open_source(tmp_path / "w.pth")
    assert caught.value.hint


def test_two_state_dicts_are_not_chosen_between(tmp_path: Path) -> None:
    torch.save({"params": state(), "params_ema": state()}, tmp_path / "w.pth")
    with pytest.raises(ConversionError, match="params_ema, params"):
        open_source(tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("name", "value"), [("use_disks", False), ("norm_radius", 260), ("use_leaky_relu", False)]
)
def test_a_ritm_that_draws_clicks_in_another_way_is_refused(
    tmp_path: Path, name: str, value: object
) -> None:
    config = {"params": {name: {"type": "x", "value": value, "specified": True}}}
    torch.save({"state_dict": state(), "config": config}, tmp_path / "w.pth")
    with pytest.raises(ConversionError, match=f"has {name} {value}"):
        open_source(tmp_path / "w.pth")


def json_program(name: str) -> bytes:
    """The golden export's program, as Paddle 3 writes it."""
    path = GOLDEN / "static" / f"static_{name}"
    names = json.loads(path.with_suffix(".name_map.json").read_text())
    histogram = json.loads(path.with_suffix(".op_histogram.json").read_text())
    new = {"grid_sampler": "grid_sample", "batch_norm": "batch_norm_"}
    operations: list[dict[str, object]] = [{"#": "p", "A": [0, 1, 1, each]} for each in names]
    for kind, count in histogram.items():
        operations += [{"#": f"1.{new.get(kind, kind)}", "I": [], "O": []}] * count
    blocks = [{"#": "block_0", "args": [], "ops": operations}]
    return json.dumps(
        {
            "base_code": {"magic": "pir", "trainable": False, "version": 1},
            "program": {"regions": [{"#": "region_0", "blocks": blocks}]},
        }
    ).encode()


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("given", ["folder", "inference.json", "weights.pdiparams", "zip"])
def test_an_export_is_read_however_it_is_kept(tmp_path: Path, name: str, given: str) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "inference.json").write_bytes(json_program(name))
    (folder / "weights.pdiparams").write_bytes(static(name)[1])
    (folder / "._weights.pdiparams").write_bytes(b"litter")
    path = folder if given == "folder" else folder / given
    if given == "zip":
        path = tmp_path / "export.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(folder / "inference.json", "a/inference.json")
            archive.write(folder / "weights.pdiparams", "a/weights.pdiparams")
            archive.writestr("__MACOSX/a/._weights.pdiparams", b"litter")
            archive.writestr("a/.DS_Store", b"litter")
    expected = open_source(GOLDEN / "static" / f"static_{name}.pdmodel").tensors
    found = open_source(path).tensors
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[key], expected[key]) for key in expected)


def test_nothing_of_the_working_folder_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text("raise SystemExit('sprung')")
    monkeypatch.chdir(tmp_path)
    found, expected = read_source(pdparams()), open_source(pdparams())
    assert (found.name, found.sha256) == (expected.name, expected.sha256)
    assert found.tensors.keys() == expected.tensors.keys()
    assert all(np.array_equal(found.tensors[key], expected.tensors[key]) for key in found.tensors)


@pytest.mark.slow
def test_pickles_need_no_more_than_their_limits(tmp_path: Path) -> None:
    large = {"backbone.x": np.zeros(25_000_000, np.float32)}  # 100 MB
    (tmp_path / "large.pdparams").write_bytes(pickle.dumps(large, protocol=4))
    assert read_source(tmp_path / "large.pdparams").tensors["backbone.x"].size == 25_000_000
