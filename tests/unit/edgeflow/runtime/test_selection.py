from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.errors import CheckpointError
from edgeflow.inference.predictor import load_predictor
from edgeflow.inference.zoom import POLICIES
from edgeflow.runtime import openvino, selection
from edgeflow.runtime.agreement import Agreement, Probe
from edgeflow.runtime.base import Precision, Runtime, RuntimeUnavailableError, StepOutput
from edgeflow.runtime.openvino import has_bfloat16
from edgeflow.runtime.selection import (
    RUNTIME_NAMES,
    RUNTIMES,
    RuntimeSpec,
    candidates,
    start_runtime,
)
from edgeflow.runtime.source import NetworkSource, probe_of
from edgeflow_backend.settings import Settings
from tests.unit.edgeflow.runtime.cases import CPU, logit_difference, reference_of, step_input

CUDA = torch.device("cuda")


@pytest.mark.parametrize(
    ("name", "device", "fits", "bfloat16", "expected"),
    [
        ("auto", CPU, True, True, ("openvino-bf16", "openvino", "torch")),
        ("auto", CPU, True, False, ("openvino", "torch")),
        ("auto", CPU, False, True, ("torch",)),
        ("auto", CUDA, True, True, ("torch-bf16", "torch")),
        ("auto", CUDA, True, False, ("torch",)),
        ("auto", CUDA, False, True, ("torch-bf16", "torch")),
        ("torch-bf16", CPU, True, False, ("torch-bf16", "torch")),
        ("torch", CPU, True, True, ("torch",)),
        ("openvino", CPU, True, True, ("openvino", "torch")),
        ("openvino-bf16", CPU, True, False, ("openvino-bf16", "openvino", "torch")),
        ("onnx", CUDA, True, False, ("onnx", "torch")),
    ],
)
def test_the_order_in_which_runtimes_are_tried(
    name: str,
    device: torch.device,
    fits: bool,
    bfloat16: bool,
    expected: tuple[str, ...],
) -> None:
    assert (
        candidates(name, device, side_multiple=32 if fits else 1, bfloat16=lambda: bfloat16)
        == expected
    )


def test_processors_are_not_asked_where_it_does_not_matter() -> None:
    def ask() -> bool:
        raise AssertionError("OpenVINO would be imported")

    assert candidates("torch", CPU, side_multiple=32, bfloat16=ask) == ("torch",)
    assert candidates("auto", CPU, side_multiple=400, bfloat16=ask) == ("torch",)
    assert candidates("openvino", CUDA, side_multiple=32, bfloat16=ask) == ("openvino", "torch")


def test_an_unknown_name_is_refused(checkpoints: dict[str, Checkpoint]) -> None:
    with pytest.raises(RuntimeUnavailableError, match="'abacus'") as caught:
        start_runtime("abacus", checkpoints["ritm_hrnet"])
    assert "openvino-bf16" in caught.value.hint


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNTIME_NAMES)
def test_each_name_starts_and_says_what_it_is(
    checkpoints: dict[str, Checkpoint], tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.INFO)
    if name == "openvino-bf16" and not has_bfloat16():
        pytest.skip("the processor has no bfloat16")
    checkpoint = checkpoints["edgeflow_lite"]
    runtime = start_runtime(name, checkpoint, device="cpu", exports=tmp_path)
    fast = "bfloat16" if has_bfloat16() else "float32"
    words = {
        "auto": ("openvino", fast),
        "torch": ("torch", "float32 folded"),
        "torch-bf16": ("torch", "bfloat16 folded"),
        "openvino": ("openvino", "float32"),
        "openvino-bf16": ("openvino", "bfloat16"),
        "onnx": ("onnxruntime", "float32"),
    }[name]
    assert runtime.name.startswith(words[0])
    assert runtime.name.endswith(words[1])
    assert runtime.name in caplog.text
    assert (name == "torch") or "mask IoU" in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    if "float32" in runtime.name:
        case = step_input()
        assert logit_difference(runtime.run(*case), reference_of(checkpoint).run(*case)) <= 1e-3


def broken(*_: Any, **__: Any) -> Any:
    raise ImportError("libtbb.so.12: cannot open shared object file")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["auto", "openvino", "openvino-bf16"])
def test_a_runtime_that_does_not_start_falls_back_and_says_so(
    checkpoints: dict[str, Checkpoint],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    monkeypatch.setattr(openvino, "import_openvino", broken)
    runtime = start_runtime(name, checkpoints["ritm_hrnet"], device="cpu", exports=tmp_path)
    assert runtime.name.startswith("torch")
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert "libtbb" in warnings[-1]
    assert warnings[-1].endswith("torch instead, in float32")


@pytest.mark.slow
def test_bfloat16_that_does_not_start_becomes_float32_with_a_warning(
    checkpoints: dict[str, Checkpoint],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    least = {**selection.LEAST_AGREEMENT, "bfloat16": Agreement(2.0, 0.0)}
    monkeypatch.setattr(selection, "LEAST_AGREEMENT", least)
    checkpoint = checkpoints["ritm_hrnet"]
    runtime = start_runtime("openvino-bf16", checkpoint, exports=tmp_path)
    assert runtime.name.startswith("openvino")
    assert runtime.name.endswith("float32")
    assert "openvino instead, in float32" in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["openvino", "onnx"])
def test_a_runtime_that_disagrees_with_pytorch_is_not_used(
    checkpoints: dict[str, Checkpoint],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    least = {**selection.LEAST_AGREEMENT, "float32": Agreement(0.995, -1.0)}
    monkeypatch.setattr(selection, "LEAST_AGREEMENT", least)
    runtime = start_runtime(name, checkpoints["ritm_hrnet"], device="cpu", exports=tmp_path)
    assert runtime.name.startswith("torch")
    assert "largest logit difference" in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["ritm", "eiseg"])
def test_zoom_policies_with_other_sides_run_on_pytorch(
    checkpoints: dict[str, Checkpoint],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    policy: str,
) -> None:
    checkpoint, multiple = checkpoints["ritm_hrnet"], POLICIES[policy].side_multiple
    for name in ("auto", "openvino"):
        runtime = start_runtime(
            name, checkpoint, device="cpu", side_multiple=multiple, exports=tmp_path
        )
        assert runtime.name.startswith("torch")
    assert "multiples of 32" in caplog.text


def test_openvino_does_not_start_on_a_cuda_device(
    checkpoints: dict[str, Checkpoint], tmp_path: Path
) -> None:
    source = NetworkSource(checkpoints["ritm_hrnet"], CUDA, tmp_path)
    with pytest.raises(RuntimeUnavailableError, match="openvino runs on cpu, not on cuda"):
        selection._start("openvino", source, side_multiple=32)


@pytest.mark.slow
def test_an_export_does_not_outlive_its_weights(
    checkpoints: dict[str, Checkpoint], tmp_path: Path
) -> None:
    # With an export the weights are not needed, but damage to them must not go unnoticed.
    original = checkpoints["ritm_hrnet"]
    path = tmp_path / original.path.name
    shutil.copy(original.path, path)
    checkpoint = Checkpoint(original.name, original.entry, path)
    start_runtime("openvino", checkpoint, exports=tmp_path / "exports")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match="sha256"):
        start_runtime("openvino", checkpoint, exports=tmp_path / "exports")
    path.unlink()
    with pytest.raises(CheckpointError, match="cannot read"):
        start_runtime("openvino", checkpoint, exports=tmp_path / "exports")


@pytest.mark.slow
def test_one_export_serves_both_precisions(
    checkpoints: dict[str, Checkpoint], tmp_path: Path
) -> None:
    for name in ("openvino", "openvino-bf16", "openvino"):
        start_runtime(name, checkpoints["edgeflow_lite"], exports=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.slow
def test_predictors_of_different_runtimes_do_not_share_states(tmp_path: Path) -> None:
    names = ("torch", "openvino", "onnx", *(["openvino-bf16"] if has_bfloat16() else []))
    predictors = [load_predictor(runtime=name, device="cpu", exports=tmp_path) for name in names]
    assert len({predictor.runtime.name for predictor in predictors}) == len(names)


def test_the_librarys_default_is_pytorch() -> None:
    assert load_predictor(device="cpu").runtime.name.startswith("torch")


def test_the_backend_takes_the_fastest_by_default() -> None:
    assert Settings().runtime == "auto"


@pytest.mark.parametrize("name", RUNTIME_NAMES)
def test_the_backends_setting_takes_every_name(name: str) -> None:
    assert Settings(runtime=name).runtime == name


def test_the_backends_setting_takes_no_other_name() -> None:
    with pytest.raises(ValidationError, match="'openvino-bf16' or 'onnx'"):
        Settings(runtime="abacus")


# A runtime from outside the package


class Abacus:
    """PyTorch's reference under another name, off by a factor."""

    def __init__(self, source: NetworkSource, factor: float) -> None:
        self._torch = reference_of(source.checkpoint)
        self._factor = factor
        self.name, self.device = "abacus 1.0 cpu float32", source.device
        self.feedback = source.feedback

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        return StepOutput(*(x * self._factor for x in self._torch.run(image, prompt)))


def register_abacus(monkeypatch: pytest.MonkeyPatch, factor: float = 1.0) -> None:
    def start(source: NetworkSource, _precision: Precision) -> tuple[Runtime, Probe]:
        return Abacus(source, factor), probe_of(source.checkpoint.load())

    spec = RuntimeSpec("float32", start, fallback="onnx", devices=("cpu",), side_multiple=8)
    monkeypatch.setitem(RUNTIMES, "abacus", spec)


def test_one_row_adds_a_runtime(
    checkpoints: dict[str, Checkpoint],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    register_abacus(monkeypatch)
    runtime = start_runtime("abacus", checkpoints["edgeflow_lite"], side_multiple=8)
    assert isinstance(runtime, Abacus)
    assert "abacus 1.0 cpu float32; probe against PyTorch: mask IoU 1.0000" in caplog.text


@pytest.mark.slow
def test_an_added_runtime_falls_back_along_its_row(
    checkpoints: dict[str, Checkpoint],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    register_abacus(monkeypatch, factor=0.1)
    checkpoint = checkpoints["ritm_hrnet"]
    runtime = start_runtime("abacus", checkpoint, device="cpu", exports=tmp_path)
    assert runtime.name.startswith("onnxruntime")
    assert "largest logit difference" in caplog.text
    runtime = start_runtime("abacus", checkpoint, device="cpu", side_multiple=1, exports=tmp_path)
    assert runtime.name.startswith("torch")
    assert "not multiples of 8" in caplog.text


def test_every_runtime_falls_back_to_pytorch_in_float32() -> None:
    for name in RUNTIMES:
        *_, last = candidates(name, CPU, side_multiple=32, bfloat16=lambda: True)
        assert last == "torch"
