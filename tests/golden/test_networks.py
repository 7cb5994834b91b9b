"""The published networks against runs of their reference implementation under Paddle."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from edgeflow.checkpoints.convert.convert import convert
from edgeflow.checkpoints.convert.sources import open_source
from edgeflow.nn.interface import NetworkOutput

FOLDER = Path(__file__).parent / "eiseg"
NETWORKS = ("tiny_edgeflow_w4_ocr8_small", "tiny_hrnet_w4_ocr8_small")
CASES = ("caseA_96x128", "caseB_first_click_odd187x253", "caseC_odd_97x131_frac")
OUTPUTS = {
    "mask": "out_instances",
    "aux": "out_instances_aux",
    "edge": "out_instances_edge",
}


@pytest.fixture(autouse=True)
def _read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of its own, which ``test_isolation`` is about, takes seconds to start."""
    monkeypatch.setattr("edgeflow.checkpoints.convert.convert.read_source", open_source)


def make_source(network: str, kind: str, folder: Path) -> Path:
    """The network's weights in one of the forms in which EISeg publishes them."""
    static = FOLDER / "static"
    if kind == "pdparams":
        return FOLDER / f"{network}.pdparams"
    if kind == "pdmodel":
        return static / f"static_{network}.pdmodel"
    path = folder / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for suffix in ("pdmodel", "pdiparams"):
            archive.write(static / f"static_{network}.{suffix}", f"export/{network}.{suffix}")
        archive.writestr(f"export/{network}.pdiparams.info", "as Paddle writes it")
    return path


def run(model: torch.nn.Module, case: str, network: str) -> tuple[NetworkOutput, dict[str, Tensor]]:
    with np.load(FOLDER / f"{network}_{case}.npz") as fixture:
        arrays = {name: torch.from_numpy(fixture[name]) for name in fixture.files}
    image = arrays["image_uint8"].permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        output: NetworkOutput = model(image, arrays["net_coord"])
    return output, arrays


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pdparams", "pdmodel", "zip"])
@pytest.mark.parametrize("network", NETWORKS)
def test_converted_weights_give_the_reference_logits(
    network: str, kind: str, tmp_path: Path
) -> None:
    model = convert(make_source(network, kind, tmp_path), tmp_path / "w.safetensors").load()
    for case in CASES:
        output, arrays = run(model, case, network)
        for name, key in OUTPUTS.items():
            if key not in arrays:
                assert getattr(output, name) is None
                continue
            reference = arrays[key]
            tolerance = 1e-3 if case == CASES[0] else 3e-4 * float(reference.abs().max())
            difference = float((getattr(output, name) - reference).abs().max())
            print(f"{network} {kind} {case} {name}: {difference:.1e} (limit {tolerance:.1e})")
            assert difference <= tolerance, (case, name)


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
def test_both_forms_of_the_weights_convert_to_the_same_tensors(
    network: str, tmp_path: Path
) -> None:
    models = [
        convert(make_source(network, kind, tmp_path), tmp_path / f"{kind}.safetensors").load()
        for kind in ("pdparams", "pdmodel")
    ]
    dynamic, static = (model.state_dict() for model in models)
    unused = ("fine.bottleneck.conv2.", "fine.bottleneck.bn2.")
    for name, tensor in dynamic.items():
        if not name.startswith(unused):
            assert torch.equal(tensor, static[name]), name


def test_the_tiny_networks_have_the_published_number_of_trainable_parameters(
    tmp_path: Path,
) -> None:
    for network, expected in zip(NETWORKS, (994_299, 412_859), strict=True):
        checkpoint = convert(FOLDER / f"{network}.pdparams", tmp_path / "w.safetensors")
        assert sum(p.numel() for p in checkpoint.load().parameters()) == expected
        manifest = json.loads((tmp_path / "manifest.json").read_text())
        assert manifest["models"]["w"]["options"] == {"width": 4, "ocr_width": 8, "small": True}
