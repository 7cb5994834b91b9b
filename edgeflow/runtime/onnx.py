"""ONNX Runtime on the CPU or a CUDA device, float32."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from edgeflow.nn.interface import Feedback
from edgeflow.runtime.agreement import Probe
from edgeflow.runtime.base import Precision, Runtime, RuntimeUnavailableError, StepOutput
from edgeflow.runtime.graph.to_onnx import onnx_model
from edgeflow.runtime.graph.trace import INPUTS, OUTPUTS, Graph, check_sides
from edgeflow.runtime.source import NetworkSource
from edgeflow.runtime.telemetry_free import import_onnxruntime

MODEL = "model.onnx"
_ERRORS_ONLY = 3


def onnx_files(graph: Graph) -> dict[str, bytes]:
    """The graph as an ONNX model.

    Raises:
        ImportError: The package ``onnx`` is not installed.
    """
    return {MODEL: onnx_model(graph)}


class ONNXRuntime:
    """One session that several threads may run.

    Args:
        files: Files from :func:`onnx_files`.
        device: Device to run on. On CUDA, inputs and outputs pass through the host's memory.
        feedback: Output that the network is fed at the next click.
        threads: Threads of one step on the CPU.

    Raises:
        ImportError: ONNX Runtime is not installed.
        RuntimeUnavailableError: It cannot use the device, or does not load the model.
    """

    def __init__(
        self, files: Mapping[str, bytes], device: torch.device, *, feedback: Feedback, threads: int
    ) -> None:
        onnxruntime = import_onnxruntime()
        self.device = device
        self.feedback = feedback
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        # Threads that wait by spinning take the cores from other work.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        provider = _provider(device, onnxruntime.get_available_providers())
        try:
            self._session = onnxruntime.InferenceSession(
                files[MODEL], options, providers=[provider]
            )
        except Exception as error:  # its errors have no common base
            raise RuntimeUnavailableError(
                f"ONNX Runtime does not load the network: {error}",
                hint="choose the runtime torch, and report this",
            ) from error
        used = self._session.get_providers()
        if used[0] != provider[0]:
            raise RuntimeUnavailableError(
                f"ONNX Runtime runs on {used[0]} instead of {provider[0]}",
                hint="check its CUDA libraries, or choose the runtime torch",
            )
        self.name = f"onnxruntime {onnxruntime.__version__} {device} float32"

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        """One network step; see :meth:`.Runtime.run`."""
        check_sides(image, prompt)
        inputs = {
            name: x.detach().cpu().contiguous().numpy()
            for name, x in zip(INPUTS, (image, prompt), strict=True)
        }
        outputs = self._session.run(list(OUTPUTS), inputs)
        mask, feedback = (torch.from_numpy(values).to(self.device) for values in outputs)
        return StepOutput(mask, mask if self.feedback == "mask" else feedback)


def start(source: NetworkSource, _precision: Precision) -> tuple[Runtime, Probe]:
    """Start from a checkpoint; float32 is the only precision.

    Raises:
        CheckpointError: The weights cannot be used.
        ImportError: ONNX Runtime is not installed.
        RuntimeUnavailableError: It cannot use the device, or does not load the model.
    """
    feedback, threads = source.feedback, torch.get_num_threads()
    export = source.export("onnx", onnx_files)
    runtime = ONNXRuntime(export.files, source.device, feedback=feedback, threads=threads)
    return runtime, export.probe


def _provider(device: torch.device, available: list[str]) -> tuple[str, dict[str, str]]:
    if device.type == "cpu":
        return "CPUExecutionProvider", {}
    if "CUDAExecutionProvider" not in available:
        raise RuntimeUnavailableError(
            f"this ONNX Runtime has no CUDA (it has {', '.join(available)})",
            hint="install onnxruntime-gpu, or choose the runtime torch",
        )
    # TF32 would be a lower precision than the runtime's name says.
    return "CUDAExecutionProvider", {"device_id": str(device.index or 0), "use_tf32": "0"}
