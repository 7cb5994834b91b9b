"""What every graph runtime must do, held against the published modules."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.nn.blocks.flow import warp
from edgeflow.runtime import openvino as openvino_module
from edgeflow.runtime.base import Runtime, RuntimeUnavailableError
from edgeflow.runtime.folding.inference_network import InferenceNetwork
from edgeflow.runtime.graph.to_openvino import sampling_grid
from edgeflow.runtime.graph.trace import trace
from edgeflow.runtime.onnx import ONNXRuntime, onnx_files
from edgeflow.runtime.openvino import OpenVINORuntime, has_bfloat16, openvino_files
from edgeflow.runtime.telemetry_free import import_openvino
from tests.unit.edgeflow.runtime.cases import (
    ARCHITECTURES,
    CPU,
    iou,
    logit_difference,
    reference_of,
    step_input,
)

KINDS = ("openvino", "onnx")
SIDES = [32 * count for count in range(1, 15)]
Started = Callable[[str, str], Runtime]


def start(kind: str, checkpoint: Checkpoint, **options: Any) -> Runtime:
    feedback = checkpoint.entry.feedback
    graph = trace(InferenceNetwork(checkpoint.load()))
    if kind == "onnx":
        return ONNXRuntime(onnx_files(graph), CPU, feedback=feedback, threads=1)
    precision = options.get("precision", "float32")
    return OpenVINORuntime(openvino_files(graph), precision, feedback=feedback, threads=1)


@pytest.fixture(scope="module")
def started(checkpoints: dict[str, Checkpoint]) -> Started:
    made: dict[tuple[str, str], Runtime] = {}

    def get(kind: str, name: str) -> Runtime:
        if (kind, name) not in made:
            made[kind, name] = start(kind, checkpoints[name])
        return made[kind, name]

    return get


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_network_gives_the_references_maps(
    started: Started, checkpoints: dict[str, Checkpoint], kind: str, name: str
) -> None:
    runtime, reference = started(kind, name), reference_of(checkpoints[name])
    for size in ((64, 96), (96, 64), (32, 448), (448, 32)):
        case = step_input(*size)
        output, expected = runtime.run(*case), reference.run(*case)
        assert logit_difference(output, expected) <= 1e-3
        assert iou(output.mask, expected.mask) >= 0.995
        for values in output:
            assert (values.shape, values.dtype) == ((1, 1, *size), torch.float32)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_size_that_images_have_gives_the_references_maps(
    started: Started, checkpoints: dict[str, Checkpoint], kind: str
) -> None:
    runtime, reference = started(kind, "edgeflow_lite"), reference_of(checkpoints["edgeflow_lite"])
    sizes = {(448, side) for side in SIDES} | {(side, 448) for side in SIDES}
    assert len(sizes) == 27
    for size in sorted(sizes):
        case = step_input(*size)
        assert logit_difference(runtime.run(*case), reference.run(*case)) <= 1e-3, size


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_image_of_a_batch_gets_what_it_gets_alone(
    started: Started, kind: str, name: str
) -> None:
    runtime = started(kind, name)
    image, prompt = step_input(64, 32, batch=3)
    together = runtime.run(image, prompt)
    assert together.mask.shape == (3, 1, 64, 32)
    for index in range(3):
        alone = runtime.run(image[index : index + 1], prompt[index : index + 1])
        mine = type(together)(*(values[index : index + 1] for values in together))
        assert logit_difference(mine, alone) <= 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_is_not_overwritten_by_the_next(started: Started, kind: str) -> None:
    runtime = started(kind, "edgeflow_lite")
    first = runtime.run(*step_input())
    kept = [values.clone() for values in first]
    runtime.run(*step_input())
    assert all(torch.equal(a, b) for a, b in zip(first, kept, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_are_left_alone_whatever_their_layout(started: Started, kind: str) -> None:
    runtime = started(kind, "edgeflow_lite")
    image, prompt = step_input()
    expected = runtime.run(image, prompt)
    last = tuple(x.contiguous(memory_format=torch.channels_last) for x in (image, prompt))
    copies = tuple(x.clone() for x in last)
    assert torch.equal(runtime.run(*last).mask, expected.mask)
    assert all(torch.equal(a, b) for a, b in zip(last, copies, strict=True))
    with torch.inference_mode():
        assert torch.equal(runtime.run(image + 0, prompt + 0).mask, expected.mask)


@pytest.mark.parametrize("kind", KINDS)
def test_threads_do_not_disturb_each_other(started: Started, kind: str) -> None:
    runtime = started(kind, "edgeflow_lite")
    cases = [step_input(64, 96), step_input(96, 64), step_input(32, 32)] * 4
    alone = [runtime.run(*case) for case in cases]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda case: runtime.run(*case), cases))
    for one, other in zip(alone, together, strict=True):
        assert logit_difference(one, other) <= 1e-5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(33, 64), (400, 400), (64, 16)])
def test_sides_that_graphs_do_not_take_are_refused(
    started: Started, kind: str, size: tuple[int, int]
) -> None:
    with pytest.raises(ValueError, match="multiples of 32"):
        started(kind, "ritm_hrnet").run(*step_input(*size))


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_that_is_fed_its_mask_gets_it(started: Started, kind: str) -> None:
    output = started(kind, "ritm_hrnet").run(*step_input())
    assert started(kind, "ritm_hrnet").feedback == "mask"
    assert torch.equal(output.mask, output.feedback)


def test_names_say_runtime_version_device_and_precision(started: Started) -> None:
    import onnxruntime  # noqa: PLC0415 - after its uploader was switched off

    version = import_openvino().__version__.split("-")[0]
    assert started("openvino", "ritm_hrnet").name == f"openvino {version} cpu float32"
    expected = f"onnxruntime {onnxruntime.__version__} cpu float32"
    assert started("onnx", "ritm_hrnet").name == expected
    assert all(started(kind, "ritm_hrnet").device == CPU for kind in KINDS)


def test_float32_is_float32_where_the_plugins_default_is_not(started: Started) -> None:
    # On processors with bfloat16 OpenVINO takes it unless told otherwise.
    runtime = started("openvino", "edgeflow_lite")
    assert isinstance(runtime, OpenVINORuntime)
    assert runtime.precision == "float32"


@pytest.mark.skipif(not has_bfloat16(), reason="the processor has no bfloat16")
def test_bfloat16_is_executed_and_close(checkpoints: dict[str, Checkpoint]) -> None:
    runtime = start("openvino", checkpoints["edgeflow_lite"], precision="bfloat16")
    assert isinstance(runtime, OpenVINORuntime)
    assert runtime.precision == "bfloat16"
    assert runtime.name.endswith("cpu bfloat16")
    case = step_input(128, 160)
    output, expected = runtime.run(*case), reference_of(checkpoints["edgeflow_lite"]).run(*case)
    assert logit_difference(output, expected) <= 1.0
    assert logit_difference(output, expected) > 1e-3, "it must not be float32 under another name"


@pytest.mark.skipif(not has_bfloat16(), reason="the processor has no bfloat16")
def test_positions_stay_float32_in_bfloat16(checkpoints: dict[str, Checkpoint]) -> None:
    runtime = start("openvino", checkpoints["edgeflow_lite"], precision="bfloat16")
    assert isinstance(runtime, OpenVINORuntime)
    notes = [node.get_rt_info() for node in runtime._compiled.get_runtime_model().get_ops()]
    grids = [
        note["runtimePrecision"].astype(str)
        for note in notes
        if "precise" in note["originalLayersNames"].astype(str)
        and note["layerType"].astype(str) != "Const"
    ]
    assert len(grids) >= 6, "three warps, each with a sum and a change of order"
    assert set(grids) == {"f32"}


def test_another_precision_than_asked_for_is_refused(
    checkpoints: dict[str, Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_module, "executed_precision", lambda _: "float32")
    with pytest.raises(RuntimeUnavailableError, match="float32 on this processor, not in bfloat16"):
        start("openvino", checkpoints["ritm_hrnet"], precision="bfloat16")


def test_the_sampling_grid_runs_from_corner_to_corner() -> None:
    grid, unit = sampling_grid(32, 64)
    assert (grid.shape, unit.shape) == ((1, 2, 8, 16), (1, 2, 1, 1))
    assert grid[0, :, 0, 0].tolist() == [-1, -1]
    assert grid[0, :, 0, -1].tolist() == [1, -1]
    assert grid[0, :, -1, 0].tolist() == [-1, 1]
    assert unit.ravel().tolist() == [1 / 16, 1 / 8]
    flow = torch.randn(1, 2, 8, 16)
    where = torch.from_numpy(grid) + flow * torch.from_numpy(unit)
    x = torch.rand(1, 5, 8, 16)
    sampled = torch.nn.functional.grid_sample(x, where.permute(0, 2, 3, 1), align_corners=True)
    torch.testing.assert_close(sampled, warp(x, flow), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "files",
    [{"model.xml": b"<net", "model.bin": b"\0" * 8}, {"model.xml": b"", "model.bin": b"\0"}],
)
def test_openvino_says_that_it_cannot_load_what_is_no_model(files: dict[str, bytes]) -> None:
    with pytest.raises(RuntimeUnavailableError, match="does not load"):
        OpenVINORuntime(files, "float32", feedback="edge", threads=1)


def test_onnx_runtime_says_that_it_cannot_load_what_is_no_model() -> None:
    with pytest.raises(RuntimeUnavailableError, match="does not load"):
        ONNXRuntime({"model.onnx": b"no model"}, CPU, feedback="edge", threads=1)


def test_onnx_runtime_without_cuda_says_so() -> None:
    with pytest.raises(RuntimeUnavailableError, match="no CUDA"):
        ONNXRuntime({"model.onnx": b""}, torch.device("cuda"), feedback="edge", threads=1)


QUIET = """
import sys
seen = []
def listen(event, details):
    if event.startswith(("socket.", "subprocess.", "os.posix_spawn", "os.exec", "os.fork")):
        seen.append(event)
sys.addaudithook(listen)
import torch
from edgeflow.checkpoints.checkpoint import find
from edgeflow.runtime.selection import start_runtime
for name in ("openvino", "onnx"):
    runtime = start_runtime(name, find("edgeflow_lite"))
    assert runtime.name.startswith(name), runtime.name
    runtime.run(torch.rand(1, 3, 64, 64), torch.zeros(1, 3, 64, 64))
assert "openvino_telemetry" not in sys.modules
assert not seen, seen
"""


def test_nothing_is_sent_and_no_identifier_is_left(tmp_path: Path) -> None:
    # OpenVINO's converter and ONNX Runtime send events by default, and keep who it was.
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "OMP_WAIT_POLICY": "passive"}
    subprocess.run(
        [sys.executable, "-c", QUIET],
        env=environment,
        cwd=Path(__file__).parents[5],
        check=True,
        timeout=120,
    )
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert len(left) == 2, left
    assert all(path.startswith(".cache/edgeflow/exports/") for path in left)


def test_arrays_of_the_graph_are_not_shared_with_the_network(
    checkpoints: dict[str, Checkpoint],
) -> None:
    # An export is of the weights as they were, whatever becomes of the network later.
    network = checkpoints["ritm_hrnet"].load()
    inference = InferenceNetwork(network)
    files = openvino_files(trace(inference))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    again = OpenVINORuntime(files, "float32", feedback="mask", threads=1)
    reference = reference_of(checkpoints["ritm_hrnet"])
    case = step_input()
    assert logit_difference(again.run(*case), reference.run(*case)) <= 1e-3
    assert np.isfinite(again.run(*case).mask.numpy()).all()
