"""A network from outside the package: one class, one row."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor, nn

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.checkpoints.manifest import ModelEntry
from edgeflow.errors import CheckpointError
from edgeflow.nn.interface import ClickNetwork, NetworkOutput
from edgeflow.nn.registry import ARCHITECTURES
from edgeflow.runtime.selection import start_runtime
from edgeflow.train.config import Model
from edgeflow.train.pretrained import build_network
from tests.unit.edgeflow.runtime.cases import logit_difference, reference_of, step_input
from tests.unit.edgeflow.samples import manifest_entry


class Toy(ClickNetwork):
    """Two convolutions on image and prompt; feeds its mask back."""

    feedback = "mask"

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.backbone = nn.Conv2d(6, width, 3, padding=1)
        self.logits = nn.Conv2d(width, 1, 1)

    def step(self, image: Tensor, prompt: Tensor) -> NetworkOutput:
        mask = self.logits(F.relu(self.backbone(torch.cat((image, prompt), dim=1))))
        return NetworkOutput(mask, mask, mask, edge=None)


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkpoint:
    monkeypatch.setitem(ARCHITECTURES, "toy", Toy)
    data = save(Toy(width=3).state_dict())
    (tmp_path / "toy.safetensors").write_bytes(data)
    entry = manifest_entry("toy.safetensors", hashlib.sha256(data).hexdigest(), "toy")
    entry |= {"feedback": "mask", "options": {"width": 3}}
    return Checkpoint("toy", ModelEntry.model_validate(entry), tmp_path / "toy.safetensors")


def test_one_row_adds_a_network_to_checkpoints(toy: Checkpoint) -> None:
    network = toy.load()
    assert isinstance(network, Toy)
    assert network.backbone.out_channels == 3


@pytest.mark.parametrize("runtime", ["torch", "torch-bf16", "openvino", "onnx"])
def test_one_row_adds_a_network_to_every_runtime(
    toy: Checkpoint, tmp_path: Path, caplog: pytest.LogCaptureFixture, runtime: str
) -> None:
    started = start_runtime(runtime, toy, device="cpu", exports=tmp_path / "exports")
    assert not caplog.records, "it must not fall back"
    assert started.name.startswith(runtime.split("-", maxsplit=1)[0])
    assert started.feedback == "mask"
    case = step_input()
    difference = logit_difference(started.run(*case), reference_of(toy).run(*case))
    assert difference <= (0.05 if runtime == "torch-bf16" else 1e-4)


@pytest.mark.usefixtures("toy")
def test_one_row_adds_a_network_to_training() -> None:
    network = build_network(Model(architecture="toy", options={"width": 5}))
    assert isinstance(network, Toy)
    assert network.training
    assert network.backbone.out_channels == 5


@pytest.mark.parametrize("runtime", ["openvino", "onnx"])
def test_graph_runtimes_do_not_trust_a_manifest_that_contradicts_its_architecture(
    toy: Checkpoint, tmp_path: Path, runtime: str
) -> None:
    start_runtime(runtime, toy, device="cpu", exports=tmp_path / "exports")
    entry = toy.entry.model_copy(update={"feedback": "edge"})
    with pytest.raises(CheckpointError, match="toy feeds back its mask"):
        start_runtime(
            runtime, Checkpoint("toy", entry, toy.path), device="cpu", exports=tmp_path / "exports"
        )
