"""ONNX Runtime on the CPU or a CUDA device, float32."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from edgeflow.nn.interface import Feedback
from edgeflow.runtime.base import RuntimeUnavailableError, StepOutput
from edgeflow.runtime.graph.to_onnx import onnx_model
from edgeflow.runtime.graph.trace import INPUTS, OUTPUTS, Graph, check_sides
from edgeflow.runtime.telemetry_free import import_onnxruntime

MODEL = "model.onnx"
_ERRORS_ONLY = 3


def onnx_files(graph: Graph) -> dict[str, bytes]:
    """The graph as an ONNX model.

    Raises:
        ImportError: the package ``onnx`` is not installed.
    """
    return {MODEL: onnx_model(graph)}


class ONNXRuntime:
    """One session, which several threads may run.

    Args:
        files: from :func:`onnx_files`.
        device: where it runs. On CUDA, inputs and outputs pass through the host's memory.
        feedback: which of its outputs the network is fed at the next click.
        threads: of one step on the CPU.

    Raises:
        ImportError: ONNX Runtime is not installed.
        RuntimeUnavailableError: it cannot use the device, or does not load the model.
    """

    def __init__(
        self, files: Mapping[str, bytes], device: torch.device, *, feedback: Feedback, threads: int
    ) -> None:
        onnxruntime = import_onnxruntime()
        self._device = device
        self._feedback = feedback
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        # Threads that wait by spinning take the cores from whoever else is at work on them.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        provider = _provider(device, onnxruntime.get_available_providers())
        try:
            self._session = onnxruntime.InferenceSession(
                files[MODEL], options, providers=[provider]
            )
        except Exception as error:  # its own errors have no common base
            raise RuntimeUnavailableError(
                f"ONNX Runtime does not load the network: {error}",
                hint="take the runtime torch, and report this",
            ) from error
        used = self._session.get_providers()
        if used[0] != provider[0]:
            raise RuntimeUnavailableError(
                f"ONNX Runtime runs on {used[0]} instead of {provider[0]}",
                hint="check its CUDA libraries, or take the runtime torch",
            )
        self._name = f"onnxruntime {onnxruntime.__version__} {device} float32"

    @property
    def name(self) -> str:
        """For example ``onnxruntime 1.32.0 cpu float32``."""
        return self._name

    @property
    def device(self) -> torch.device:
        """Where inputs are expected and outputs lie."""
        return self._device

    @property
    def feedback(self) -> Feedback:
        """Which of its outputs the network is fed at the next click."""
        return self._feedback

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        """One network step; see :class:`edgeflow.runtime.base.Runtime`."""
        check_sides(image, prompt)
        inputs = {
            name: x.detach().cpu().contiguous().numpy()
            for name, x in zip(INPUTS, (image, prompt), strict=True)
        }
        outputs = self._session.run(list(OUTPUTS), inputs)
        mask, feedback = (torch.from_numpy(values).to(self._device) for values in outputs)
        return StepOutput(mask, mask if self._feedback == "mask" else feedback)


def _provider(device: torch.device, available: list[str]) -> tuple[str, dict[str, str]]:
    if device.type == "cpu":
        return "CPUExecutionProvider", {}
    if "CUDAExecutionProvider" not in available:
        raise RuntimeUnavailableError(
            f"this ONNX Runtime has no CUDA (it has {', '.join(available)})",
            hint="install onnxruntime-gpu, or take the runtime torch",
        )
    # TF32 would be a lower precision than the name says.
    return "CUDAExecutionProvider", {"device_id": str(device.index or 0), "use_tf32": "0"}
