from __future__ import annotations

from pathlib import Path

import pytest

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.runtime import openvino
from edgeflow.runtime.base import RuntimeUnavailableError
from edgeflow.runtime.openvino import OpenVINORuntime, has_bfloat16
from tests.unit.edgeflow.runtime.cases import (
    logit_difference,
    reference_of,
    start_graph_runtime,
    step_input,
)


@pytest.mark.slow
def test_float32_is_float32_where_the_plugins_default_is_not(
    checkpoints: dict[str, Checkpoint],
) -> None:
    # On processors with bfloat16 it is OpenVINO's default.
    runtime = start_graph_runtime("openvino", checkpoints["edgeflow_lite"])
    assert isinstance(runtime, OpenVINORuntime)
    assert runtime.precision == "float32"


@pytest.mark.slow
@pytest.mark.skipif(not has_bfloat16(), reason="the processor has no bfloat16")
def test_bfloat16_is_executed_and_close(checkpoints: dict[str, Checkpoint]) -> None:
    runtime = start_graph_runtime("openvino", checkpoints["edgeflow_lite"], precision="bfloat16")
    assert isinstance(runtime, OpenVINORuntime)
    assert runtime.precision == "bfloat16"
    assert runtime.name.endswith("cpu bfloat16")
    case = step_input(128, 160)
    output, expected = runtime.run(*case), reference_of(checkpoints["edgeflow_lite"]).run(*case)
    assert logit_difference(output, expected) <= 1.0
    assert logit_difference(output, expected) > 1e-3, "it must not be float32 under another name"


@pytest.mark.slow
@pytest.mark.skipif(not has_bfloat16(), reason="the processor has no bfloat16")
def test_positions_stay_float32_in_bfloat16(checkpoints: dict[str, Checkpoint]) -> None:
    runtime = start_graph_runtime("openvino", checkpoints["edgeflow_lite"], precision="bfloat16")
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


@pytest.mark.slow
def test_another_precision_than_asked_for_is_refused(
    checkpoints: dict[str, Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino, "executed_precision", lambda _: "float32")
    with pytest.raises(RuntimeUnavailableError, match="float32 on this processor, not in bfloat16"):
        start_graph_runtime("openvino", checkpoints["ritm_hrnet"], precision="bfloat16")


@pytest.mark.parametrize(
    "files",
    [{"model.xml": b"<net", "model.bin": b"\0" * 8}, {"model.xml": b"", "model.bin": b"\0"}],
)
def test_files_that_are_not_a_model_are_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(RuntimeUnavailableError, match="does not load"):
        OpenVINORuntime(files, "float32", feedback="edge", threads=1)


def test_bfloat16_is_seen_where_the_processor_names_it() -> None:
    """So that the tests which need it are not skipped on machines that have it."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text().split() if cpuinfo.is_file() else []
    if "avx512_bf16" in flags or "amx_bf16" in flags:
        assert has_bfloat16()
