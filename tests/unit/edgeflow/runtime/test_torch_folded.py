from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.nn.ritm import RITM
from edgeflow.runtime.agreement import Agreement, Probe
from edgeflow.runtime.base import Precision
from edgeflow.runtime.cuda import CudaRecorder
from edgeflow.runtime.cuda_replay import RUNS_BEFORE
from edgeflow.runtime.devices import computes_bfloat16
from edgeflow.runtime.torch_eager import TorchRuntime
from edgeflow.runtime.torch_folded import FoldedTorchRuntime
from tests.unit.edgeflow.runtime.cases import (
    ARCHITECTURES,
    CPU,
    FOLDING_TOLERANCES,
    iou,
    logit_difference,
    reference_of,
    step_input,
)

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")


def folded(
    checkpoint: Checkpoint, precision: Precision, device: torch.device = CPU
) -> FoldedTorchRuntime:
    return FoldedTorchRuntime(
        checkpoint.load(),
        device,
        precision=precision,
        recorder=CudaRecorder(device) if device.type == "cuda" else None,
    )


class Watched(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records every operation with the types of its operands."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[tuple[str, tuple[torch.dtype, ...]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kinds = tuple(arg.dtype for arg in args if isinstance(arg, torch.Tensor))
        self.calls.append((func._schema.name.removeprefix("aten::"), kinds))
        return func(*args, **(kwargs or {}))

    def kinds_of(self, name: str) -> set[torch.dtype]:
        return {kind for called, kinds in self.calls for kind in kinds if called == name}


def watch(runtime: FoldedTorchRuntime) -> Watched:
    watched, case = Watched(), step_input()
    with watched:
        runtime.run(*case)
    return watched


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_bfloat16_finds_the_same_objects(checkpoints: dict[str, Checkpoint], name: str) -> None:
    checkpoint = checkpoints[name]
    runtime, probe = folded(checkpoint, "bfloat16"), Probe.of(reference_of(checkpoint))
    output = runtime.run(probe.image, probe.prompt)
    for values, expected in zip(output, (probe.mask, probe.feedback), strict=True):
        assert values.dtype == torch.float32
        assert 1e-4 < float((values - expected).abs().mean()) <= 0.02
    if name == "edgeflow_lite":  # the others' random weights find no objects
        assert Agreement.of(runtime, probe).iou >= 0.99
    assert "bfloat16" in runtime.name


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_bfloat16_is_what_convolutions_compute_in(
    checkpoints: dict[str, Checkpoint], name: str
) -> None:
    watched = watch(folded(checkpoints[name], "bfloat16"))
    assert watched.kinds_of("conv2d") == {torch.bfloat16}
    assert watched.kinds_of("sigmoid") >= {torch.float32}
    if checkpoints[name].entry.feedback == "edge":
        assert watched.kinds_of("grid_sampler") == {torch.float32}
    assert watch(folded(checkpoints[name], "float32")).kinds_of("conv2d") == {torch.float32}


@pytest.mark.slow
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_no_step_waits_for_its_device_or_brings_anything_to_it(
    checkpoints: dict[str, Checkpoint], name: str, precision: Precision
) -> None:
    # Such operations cannot be part of a CUDA graph.
    forbidden = {"lift_fresh", "_local_scalar_dense", "nonzero", "is_nonzero", "masked_select"}
    called = {name for name, _ in watch(folded(checkpoints[name], precision)).calls}
    assert "conv2d" in called
    assert not called & forbidden


def test_the_network_itself_is_not_changed(checkpoints: dict[str, Checkpoint]) -> None:
    checkpoint = checkpoints["edgeflow_lite"]
    network = checkpoint.load()
    FoldedTorchRuntime(network, CPU, precision="bfloat16")
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}


@needs_cuda
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_cuda_gives_the_references_maps_before_and_after_recording(
    checkpoints: dict[str, Checkpoint], name: str, batch: int
) -> None:
    device, reference = torch.device("cuda"), reference_of(checkpoints[name])
    runtime = folded(checkpoints[name], "float32", device)
    for _ in range(RUNS_BEFORE + 3):
        image, prompt = step_input(64, 96, batch)
        output = runtime.run(image.to(device), prompt.to(device))
        ours = type(output)(*(values.cpu() for values in output))
        assert logit_difference(ours, reference.run(image, prompt)) <= 1e-2


@needs_cuda
def test_cuda_in_bfloat16_finds_the_same_objects(checkpoints: dict[str, Checkpoint]) -> None:
    device = torch.device("cuda")
    if not computes_bfloat16(device):
        pytest.skip("the GPU has no bfloat16")
    checkpoint = checkpoints["edgeflow_lite"]
    runtime, reference = folded(checkpoint, "bfloat16", device), reference_of(checkpoint)
    for _ in range(RUNS_BEFORE + 2):
        image, prompt = step_input(320, 448)
        output = runtime.run(image.to(device), prompt.to(device))
        assert iou(output.mask.cpu(), reference.run(image, prompt).mask) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_folded_runtime_gives_what_the_reference_runtime_gives(
    checkpoints: dict[str, Checkpoint], name: str
) -> None:
    network = checkpoints[name].load()
    reference = TorchRuntime(network, CPU)
    folded = FoldedTorchRuntime(network, CPU)
    for size in ((64, 96), (101, 75)):
        case = step_input(*size, batch=2)
        assert logit_difference(folded.run(*case), reference.run(*case)) <= FOLDING_TOLERANCES[name]


@pytest.mark.slow
def test_the_folded_runtime_has_another_name_than_the_reference(
    checkpoints: dict[str, Checkpoint],
) -> None:
    # States of one must not be continued by the other: they differ by rounding.
    network = checkpoints["ritm_hrnet"].load()
    folded = FoldedTorchRuntime(network, CPU)
    assert folded.name == f"torch {torch.__version__} cpu float32 folded"
    assert folded.name != TorchRuntime(network, CPU).name
    assert (folded.device, folded.feedback) == (CPU, "mask")


class EdgeFedRITM(RITM):
    feedback = "edge"


def test_a_network_without_edges_cannot_feed_them_back(
    checkpoints: dict[str, Checkpoint],
) -> None:
    tensors = checkpoints["ritm_hrnet"].load().state_dict()
    network = EdgeFedRITM(width=4, ocr_width=8, small=True).eval()
    network.load_state_dict(tensors)
    runtime = FoldedTorchRuntime(network, CPU)
    with pytest.raises(ValueError, match="no edges"):
        runtime.run(*step_input())
