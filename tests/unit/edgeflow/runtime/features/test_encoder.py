"""Features of each architecture, by PyTorch and by OpenVINO."""

from __future__ import annotations

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, Checkpoint, find
from edgeflow.errors import CheckpointError
from edgeflow.nn.interface import NoFeaturesError
from edgeflow.runtime.features.encoder import Encoder
from edgeflow.runtime.openvino import OpenVINORuntime
from edgeflow.runtime.selection import start_runtime

IMAGE = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module", params=["edgeflow_lite", "edgeflow_hrnet", "ritm_hrnet"])
def checkpoint(request: pytest.FixtureRequest, checkpoints: dict[str, Checkpoint]) -> Checkpoint:
    return checkpoints[request.param]


@torch.inference_mode()
def test_pytorchs_are_the_networks_own(checkpoint: Checkpoint) -> None:
    encoder = Encoder(checkpoint, start_runtime("torch", checkpoint, device="cpu"))
    fine, coarse = encoder(IMAGE)
    assert fine.shape[2:] == (8, 12)
    assert coarse.shape[2:] == (4, 6)
    for mine, own in zip(
        (fine, coarse), checkpoint.load().features(IMAGE, torch.zeros_like(IMAGE)), strict=True
    ):
        torch.testing.assert_close(mine, own, atol=1e-4, rtol=1e-4)


@pytest.fixture(scope="module")
def openvino() -> OpenVINORuntime:
    """A runtime of the shipped network: of it, only kind and precision matter here."""
    runtime = start_runtime("openvino", find(DEFAULT_MODEL), device="cpu")
    assert isinstance(runtime, OpenVINORuntime)
    return runtime


@torch.inference_mode()
def test_openvinos_agree_with_pytorchs(
    checkpoint: Checkpoint, openvino: OpenVINORuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = checkpoint.load().features(IMAGE, torch.zeros_like(IMAGE))
    encoder = Encoder(checkpoint, openvino)
    monkeypatch.setattr("edgeflow.runtime.features.encoder._TorchFeatures", None)
    for mine, own in zip(encoder(IMAGE), reference, strict=True):
        assert mine.shape == own.shape
        assert F.cosine_similarity(mine, own, dim=1).min() > 0.999


def test_nothing_is_loaded_before_it_is_needed() -> None:
    runtime = start_runtime("torch", find(DEFAULT_MODEL), device="cpu")
    shipped = find(DEFAULT_MODEL)
    gone = dataclasses.replace(shipped, path=shipped.path.with_name("gone.safetensors"))
    encoder = Encoder(gone, runtime)
    with pytest.raises(CheckpointError, match=r"gone\.safetensors"):
        encoder(IMAGE)


def test_a_network_may_have_none(
    checkpoints: dict[str, Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = checkpoints["ritm_hrnet"]
    monkeypatch.delattr(checkpoint.network_class(), "features")
    encoder = Encoder(checkpoint, start_runtime("torch", checkpoint, device="cpu"))
    with pytest.raises(NoFeaturesError, match="RITM offers no features") as caught:
        encoder(IMAGE)
    assert "other weights" in caught.value.hint
