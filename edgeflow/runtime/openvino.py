"""OpenVINO on the CPU: float32 or bfloat16, one model for all sides that are multiples of 32."""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from edgeflow.nn.interface import Feedback
from edgeflow.runtime.agreement import Probe
from edgeflow.runtime.base import Precision, Runtime, RuntimeUnavailableError, StepOutput
from edgeflow.runtime.graph.to_openvino import (
    MODEL_INPUTS,
    keep_precise,
    openvino_model,
    sampling_grid,
)
from edgeflow.runtime.graph.trace import OUTPUTS, Graph, check_sides
from edgeflow.runtime.source import NetworkSource
from edgeflow.runtime.telemetry_free import import_openvino

MODEL, WEIGHTS = "model.xml", "model.bin"

_HINTS: dict[Precision, str] = {"float32": "f32", "bfloat16": "bf16"}
_EXECUTED = {"f32": "float32", "bf16": "bfloat16", "f16": "float16", "i8": "int8", "u8": "int8"}
_HEAVY = ("Convolution", "MatMul", "FullyConnected")


def openvino_files(graph: Graph) -> dict[str, bytes]:
    """The graph as OpenVINO's intermediate representation, float32."""
    openvino = import_openvino()
    model = openvino_model(graph)
    with tempfile.TemporaryDirectory(prefix="edgeflow-") as name:
        folder = Path(name)
        openvino.save_model(model, folder / MODEL, compress_to_fp16=False)
        model_file = keep_precise((folder / MODEL).read_bytes())
        return {MODEL: model_file, WEIGHTS: (folder / WEIGHTS).read_bytes()}


def has_bfloat16() -> bool:
    """Whether this processor computes in bfloat16 (AMX or AVX-512 BF16), according to OpenVINO."""
    openvino = import_openvino()
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class OpenVINORuntime:
    """One compiled model with dynamic batch and sides, and one request that calls take in turn.

    A single call already keeps all cores busy, so parallel requests would gain nothing and cost the
    memory of their activations.

    Args:
        files: Files from :func:`openvino_files`.
        precision: Precision of the convolutions; weights and outputs are float32.
        feedback: Output that the network is fed at the next click.
        threads: Threads of one step.

    Raises:
        ImportError: OpenVINO is not installed, or its libraries do not load.
        RuntimeUnavailableError: The model does not load, or is executed in another precision.
    """

    def __init__(
        self, files: Mapping[str, bytes], precision: Precision, *, feedback: Feedback, threads: int
    ) -> None:
        self._openvino = openvino = import_openvino()
        self.feedback = feedback
        self.device = torch.device("cpu")
        self._lock = threading.Lock()
        # OpenVINO does not copy the constants, so they must live as long as the model.
        self._weights = np.frombuffer(bytearray(files[WEIGHTS]), dtype=np.uint8)
        core = openvino.Core()
        try:
            model = core.read_model(files[MODEL], openvino.Tensor(self._weights, True))
            compiled = core.compile_model(
                model,
                "CPU",
                {
                    "INFERENCE_PRECISION_HINT": _HINTS[precision],
                    "PERFORMANCE_HINT": "LATENCY",
                    "INFERENCE_NUM_THREADS": threads,
                    "ENABLE_CPU_PINNING": False,
                },
            )
        except RuntimeError as error:
            raise RuntimeUnavailableError(
                f"OpenVINO does not load the network: {error}",
                hint="choose the runtime torch, and report this",
            ) from error
        executed = executed_precision(compiled)
        if executed != precision:
            raise RuntimeUnavailableError(
                f"OpenVINO computes in {executed} on this processor, not in {precision}",
                hint="choose the runtime openvino for float32",
            )
        self.precision = precision
        version = openvino.__version__.split("-")[0]
        self.name = f"openvino {version} cpu {self.precision}"
        self._request = compiled.create_infer_request()
        self._compiled = compiled

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        """One network step; see :meth:`.Runtime.run`."""
        check_sides(image, prompt)
        grid = sampling_grid(int(image.shape[2]), int(image.shape[3]))
        arrays = (
            (image.detach() * 255.0).contiguous().numpy(),
            prompt.detach().contiguous().numpy(),
            *grid,
        )
        inputs = {
            name: self._openvino.Tensor(values, True)
            for name, values in zip(MODEL_INPUTS, arrays, strict=True)
        }
        with self._lock:
            self._request.infer(inputs)
            # The next call overwrites the request's memory.
            mask, feedback = (
                torch.from_numpy(self._request.get_output_tensor(index).data.copy())
                for index in range(len(OUTPUTS))
            )
        return StepOutput(mask, mask if self.feedback == "mask" else feedback)


def start(source: NetworkSource, precision: Precision) -> tuple[Runtime, Probe]:
    """Start from a checkpoint; one float32 export serves both precisions.

    Raises:
        CheckpointError: The weights cannot be used.
        ImportError: OpenVINO is not installed, or its libraries do not load.
        RuntimeUnavailableError: The model does not load, or is executed in another precision.
    """
    feedback, threads = source.feedback, torch.get_num_threads()
    export = source.export(f"openvino {import_openvino().__version__}", openvino_files)
    runtime = OpenVINORuntime(export.files, precision, feedback=feedback, threads=threads)
    return runtime, export.probe


def executed_precision(compiled: Any) -> str:  # noqa: ANN401 - OpenVINO has no types
    """The precision of most of a compiled model's convolutions and matrix products.

    It is read from the plugin's execution graph, since the precision hint is only a hint.
    """
    kinds = Counter(
        str(node.get_rt_info()["runtimePrecision"].astype(str)).lower()
        for node in compiled.get_runtime_model().get_ops()
        if node.get_rt_info()["layerType"].astype(str) in _HEAVY
    )
    ((kind, _),) = kinds.most_common(1) or [("unknown", 0)]
    return _EXECUTED.get(kind, kind)
