"""The behaviour that OpenVINO and ONNX Runtime share, compared with the networks' own modules."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.runtime.base import Runtime
from edgeflow.runtime.folding.inference_network import InferenceNetwork
from edgeflow.runtime.graph.trace import trace
from edgeflow.runtime.openvino import OpenVINORuntime, openvino_files
from edgeflow.runtime.telemetry_free import import_openvino
from tests.unit.edgeflow.runtime.cases import (
    ARCHITECTURES,
    CPU,
    iou,
    logit_difference,
    reference_of,
    start_graph_runtime,
    step_input,
)

KINDS = ("openvino", "onnx")
SIDES = [32 * count for count in range(1, 15)]
Started = Callable[[str, str], Runtime]


@pytest.fixture(scope="module")
def started(checkpoints: dict[str, Checkpoint]) -> Started:
    runtimes: dict[tuple[str, str], Runtime] = {}

    def get(kind: str, name: str) -> Runtime:
        if (kind, name) not in runtimes:
            runtimes[kind, name] = start_graph_runtime(kind, checkpoints[name])
        return runtimes[kind, name]

    return get


@pytest.mark.slow
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
    copies = [values.clone() for values in first]
    runtime.run(*step_input())
    assert all(torch.equal(a, b) for a, b in zip(first, copies, strict=True))


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


@pytest.mark.slow
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


@pytest.mark.slow
def test_arrays_of_the_graph_are_not_shared_with_the_network(
    checkpoints: dict[str, Checkpoint],
) -> None:
    # An export keeps the weights as they were, whatever happens to the network later.
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
