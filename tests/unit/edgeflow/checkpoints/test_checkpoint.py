from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save
from torch import Tensor, nn

from edgeflow.checkpoints.checkpoint import (
    Checkpoint,
    find,
    load_tensors,
    models_in,
    shipped_folder,
    shipped_models,
    user_folder,
)
from edgeflow.checkpoints.manifest import ModelEntry, read_manifest
from edgeflow.errors import CheckpointError
from edgeflow.nn.interface import ClickNetwork, NetworkOutput
from edgeflow.nn.lite import EdgeFlowLite
from edgeflow.nn.registry import ARCHITECTURES
from tests.unit.edgeflow.samples import manifest_entry, write_manifest

LITE = "edgeflow_lite.safetensors"


class Tiny(ClickNetwork):
    """Stands in for a network where only names and shapes matter."""

    feedback = "edge"

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, width, 1)
        self.bn = nn.BatchNorm2d(width)

    def step(self, image: Tensor, prompt: Tensor) -> NetworkOutput:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def _a_tiny_architecture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ARCHITECTURES, "tiny", Tiny)


def tiny_tensors(width: int = 4) -> dict[str, Tensor]:
    tensors = Tiny(width).state_dict()
    return {name: t for name, t in tensors.items() if not name.endswith("num_batches_tracked")}


def put(folder: Path, data: bytes, file: str = "w.safetensors", **changes: Any) -> Checkpoint:
    """Write a weights file and a manifest that vouches for it."""
    (folder / file).write_bytes(data)
    entry = manifest_entry(file, hashlib.sha256(data).hexdigest(), "tiny") | changes
    write_manifest(folder, mine=entry)
    return Checkpoint("mine", ModelEntry.model_validate(entry), folder / file)


def raw_safetensors(header: dict[str, Any], content: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content


# The shipped model


def test_the_shipped_manifest_describes_every_file_beside_it_by_its_digest() -> None:
    folder = shipped_folder()
    entries = read_manifest(folder).models.values()
    files = [file for entry in entries for file in (entry, entry.statistics) if file is not None]
    assert {file.file for file in files} == {p.name for p in folder.glob("*.safetensors")}
    for file in files:
        assert hashlib.sha256((folder / file.file).read_bytes()).hexdigest() == file.sha256


def test_the_shipped_manifest_says_what_its_networks_do() -> None:
    for checkpoint in shipped_models():
        entry = checkpoint.entry
        assert ARCHITECTURES[entry.architecture].feedback == entry.feedback
        assert entry.metrics
        assert all((entry.input, entry.use, entry.licence, entry.trained_on, entry.metrics_note))


def test_a_shipped_model_is_found_by_name() -> None:
    checkpoint = find("edgeflow_lite")
    assert checkpoint.name == "edgeflow_lite"
    assert checkpoint.path == shipped_folder() / LITE
    assert checkpoint.version == f"edgeflow_lite-{checkpoint.entry.sha256[:8]}"


def test_a_shipped_model_is_found_by_path() -> None:
    assert find(str(shipped_folder() / LITE)) == find("edgeflow_lite")


def test_the_shipped_weights_load_in_evaluation_mode_as_float32() -> None:
    network = find("edgeflow_lite").load()
    assert isinstance(network, EdgeFlowLite)
    assert not any(module.training for module in network.modules())
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert {p.device.type for p in network.parameters()} == {"cpu"}
    assert all(torch.isfinite(p).all() for p in network.parameters())


def test_a_flipped_byte_is_refused_with_both_digests(tmp_path: Path) -> None:
    shutil.copytree(shipped_folder(), tmp_path, dirs_exist_ok=True)
    path = tmp_path / LITE
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    checkpoint = find(str(path))
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load()
    assert hashlib.sha256(data).hexdigest() in caught.value.message
    assert checkpoint.entry.sha256 in caught.value.message
    assert "restore" in caught.value.hint


# Finding


def test_a_model_of_the_given_folder_is_found_by_name(tmp_path: Path) -> None:
    put(tmp_path, save(tiny_tensors()))
    checkpoint = find("mine", tmp_path)
    assert checkpoint.path == tmp_path / "w.safetensors"
    assert isinstance(checkpoint.load(), Tiny)


def test_models_of_the_users_own_folder_are_found_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = user_folder()
    assert tmp_path in folder.parents
    folder.mkdir(parents=True)
    put(folder, save(tiny_tensors()))
    assert find("mine").path.parent == folder


def test_a_shipped_model_needs_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")  # a user id without an account

    monkeypatch.setattr(Path, "home", nowhere)
    assert find("edgeflow_lite").path == shipped_folder() / LITE


def test_a_shipped_model_cannot_be_shadowed(tmp_path: Path) -> None:
    entry = put(tmp_path, save(tiny_tensors())).entry
    write_manifest(tmp_path, edgeflow_lite=entry.model_dump(exclude_none=True))
    assert find("edgeflow_lite", tmp_path).path == shipped_folder() / LITE


def test_an_unknown_model_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    put(tmp_path, save(tiny_tensors()))
    with pytest.raises(CheckpointError, match="'edgeflow_heavy'") as caught:
        find("edgeflow_heavy", tmp_path)
    assert "edgeflow_lite" in caught.value.hint
    assert "mine" in caught.value.hint
    assert ".safetensors" in caught.value.hint


def test_a_folder_is_not_a_model(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        find(str(tmp_path))


def test_a_file_that_the_manifest_does_not_mention_is_refused(tmp_path: Path) -> None:
    put(tmp_path, save(tiny_tensors()))
    (tmp_path / "other.safetensors").write_bytes(save(tiny_tensors()))
    with pytest.raises(CheckpointError, match="does not describe other") as caught:
        find(str(tmp_path / "other.safetensors"))
    assert "sha256" in caught.value.hint


def test_a_file_without_a_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(save(tiny_tensors()))
    with pytest.raises(CheckpointError, match="no manifest"):
        find(str(tmp_path / "w.safetensors"))


def test_a_folder_without_a_manifest_has_no_models(tmp_path: Path) -> None:
    assert models_in(tmp_path) == []
    assert models_in(tmp_path / "missing") == []


def test_models_are_listed_by_name_whether_their_files_are_there_or_not(tmp_path: Path) -> None:
    entry = manifest_entry("gone.safetensors", "0" * 64)
    write_manifest(tmp_path, zebra=entry, ape=entry)
    assert [checkpoint.name for checkpoint in models_in(tmp_path)] == ["ape", "zebra"]


def test_a_described_file_that_is_missing_is_named_with_its_path(tmp_path: Path) -> None:
    checkpoint = put(tmp_path, b"")
    checkpoint.path.unlink()
    with pytest.raises(CheckpointError, match="No such file") as caught:
        checkpoint.load()
    assert str(checkpoint.path) in caught.value.message
    assert caught.value.hint


# Nothing is executed


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self._target = target

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return (os.mkdir, (str(self._target),))


@pytest.fixture
def bomb(tmp_path: Path) -> tuple[Path, dict[str, bytes]]:
    """Where an exploded bomb leaves its mark, and bombs of several makes, known to work."""
    mark = tmp_path / "executed"
    plain = pickle.dumps(Bomb(mark))
    with (tmp_path / "torch").open("wb") as file:
        torch.save({"state_dict": Bomb(mark)}, file)
    saved = (tmp_path / "torch").read_bytes()
    pickle.loads(plain)
    assert mark.is_dir()
    mark.rmdir()
    torch.load(tmp_path / "torch", weights_only=False)
    assert mark.is_dir()
    mark.rmdir()
    return mark, {"pickle": plain, "torch.save": saved}


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".pkl", ".bin", ".ckpt", ".safetensors.pth", ""])
def test_a_file_with_another_suffix_is_refused_and_not_executed(
    tmp_path: Path, bomb: tuple[Path, dict[str, bytes]], suffix: str
) -> None:
    mark, makes = bomb
    for data in makes.values():
        checkpoint = put(tmp_path, data, f"weights{suffix}")
        with pytest.raises(CheckpointError, match=r"not a \.safetensors file"):
            find(str(checkpoint.path))
        with pytest.raises(CheckpointError, match=r"not a \.safetensors file") as caught:
            checkpoint.load()
        assert "safetensors" in caught.value.hint
        assert not mark.exists()


def test_a_pickle_under_a_safetensors_name_is_refused_and_not_executed(
    tmp_path: Path, bomb: tuple[Path, dict[str, bytes]]
) -> None:
    mark, makes = bomb
    for data in makes.values():
        checkpoint = put(tmp_path, data)
        with pytest.raises(CheckpointError, match=r"w\.safetensors is not a \w+ safetensors file"):
            find(str(checkpoint.path)).load()
        assert not mark.exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_random_bytes_under_a_safetensors_name_never_raise_anything_else(
    tmp_path: Path, data: bytes
) -> None:
    checkpoint = put(tmp_path, data)
    with pytest.raises(CheckpointError):
        checkpoint.load()


@pytest.mark.parametrize(("dtype", "size"), [("F4", 2), ("F6_E2M3", 3), ("F8_E8M0", 4), ("X", 4)])
def test_a_number_type_that_torch_lacks_is_refused_in_words(
    tmp_path: Path, dtype: str, size: int
) -> None:
    header = {"conv.weight": {"dtype": dtype, "shape": [4], "data_offsets": [0, size]}}
    checkpoint = put(tmp_path, raw_safetensors(header, bytes(size)))
    with pytest.raises(CheckpointError, match=r"w\.safetensors"):
        checkpoint.load()


# Fitting the architecture


def test_weights_of_the_right_names_and_shapes_are_loaded(tmp_path: Path) -> None:
    tensors = tiny_tensors()
    network = put(tmp_path, save(tensors)).load()
    state = network.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in tensors.items())


def test_options_reach_the_architecture(tmp_path: Path) -> None:
    network = put(tmp_path, save(tiny_tensors(7)), options={"width": 7}).load()
    assert network.state_dict()["conv.weight"].shape == (7, 3, 1, 1)


def test_options_that_the_architecture_lacks_are_refused(tmp_path: Path) -> None:
    checkpoint = put(tmp_path, save(tiny_tensors()), options={"depth": 7})
    with pytest.raises(CheckpointError, match="options that tiny lacks") as caught:
        checkpoint.load()
    assert "depth" in caught.value.hint


def test_options_of_impossible_values_are_refused(tmp_path: Path) -> None:
    checkpoint = put(tmp_path, save(tiny_tensors()), options={"width": -4})
    with pytest.raises(CheckpointError, match="mine"):
        checkpoint.load()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_weights_become_float32(tmp_path: Path, dtype: torch.dtype) -> None:
    tensors = {name: tensor.to(dtype) for name, tensor in tiny_tensors().items()}
    state = put(tmp_path, save(tensors)).load().state_dict()
    assert state["conv.weight"].dtype == torch.float32
    assert torch.equal(state["conv.weight"], tensors["conv.weight"].float())


def test_what_does_not_fit_is_listed(tmp_path: Path) -> None:
    tensors = tiny_tensors()
    del tensors["bn.running_var"]
    tensors["bn.extra"] = torch.zeros(1)
    tensors["conv.weight"] = torch.zeros(4, 3, 3, 3)
    with pytest.raises(CheckpointError) as caught:
        put(tmp_path, save(tensors)).load()
    message = caught.value.message
    assert "w.safetensors" in message
    assert "missing bn.running_var" in message
    assert "superfluous bn.extra" in message
    assert "conv.weight has shape (4, 3, 3, 3), expected (4, 3, 1, 1)" in message
    assert caught.value.hint


def test_a_long_list_of_problems_is_cut_and_counted() -> None:
    tensors = {f"other.{number:03}": torch.zeros(1) for number in range(100)}
    with pytest.raises(CheckpointError, match=r"and \d+ more") as caught:
        load_tensors(Tiny(), tensors, source="w")
    listed = caught.value.message.count("missing") + caught.value.message.count("superfluous")
    more = int(caught.value.message.rsplit("and ", 1)[1].split()[0])
    assert listed + more == 106
    assert listed < 50


def test_a_network_is_not_half_filled_when_something_does_not_fit() -> None:
    network = Tiny()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    tensors = {name: tensor + 1 for name, tensor in tiny_tensors().items()}
    del tensors["bn.running_var"]
    with pytest.raises(CheckpointError):
        load_tensors(network, tensors, source="w")
    assert all(torch.equal(before[name], t) for name, t in network.state_dict().items())


def test_an_unknown_architecture_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    checkpoint = put(tmp_path, save(tiny_tensors()), architecture="resnet")
    with pytest.raises(CheckpointError, match="unknown architecture 'resnet'") as caught:
        checkpoint.load()
    assert "edgeflow_lite" in caught.value.hint


def test_a_manifest_that_contradicts_its_architecture_is_refused(tmp_path: Path) -> None:
    checkpoint = put(tmp_path, save(tiny_tensors()), feedback="mask")
    with pytest.raises(CheckpointError, match=r"feeds back its mask, tiny feeds back its edge"):
        checkpoint.load()
