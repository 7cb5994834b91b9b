"""PyTorch on the folded network: float32 or bfloat16, channels-last, any sides."""

from __future__ import annotations

import torch
from torch import Tensor

from edgeflow.nn.interface import ClickNetwork
from edgeflow.runtime.agreement import Probe
from edgeflow.runtime.base import Precision, Runtime, StepOutput
from edgeflow.runtime.cuda import CudaRecorder
from edgeflow.runtime.cuda_replay import Recorder, Replayed, Step
from edgeflow.runtime.devices import exact_float32
from edgeflow.runtime.folding.bfloat16 import convolve_in_bfloat16
from edgeflow.runtime.folding.inference_network import InferenceNetwork
from edgeflow.runtime.source import NetworkSource, probe_of


class FoldedTorchRuntime:
    """Does what :class:`.TorchRuntime` does with less work.

    Args:
        network: Network in evaluation mode. It is copied.
        device: Device to run on.
        precision: Precision of the convolutions; see :mod:`edgeflow.runtime.folding.bfloat16`.
        recorder: Recorder of the device, if steps are to be recorded and replayed.
    """

    def __init__(
        self,
        network: ClickNetwork,
        device: torch.device,
        *,
        precision: Precision = "float32",
        recorder: Recorder | None = None,
    ) -> None:
        self.name = f"torch {torch.__version__} {device} {precision} folded"
        self.device = device
        self.feedback = network.feedback
        inference = InferenceNetwork(network)
        if precision == "bfloat16":
            convolve_in_bfloat16(inference)
        self._network = inference.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._step: Step = Replayed(self._run, recorder) if recorder else self._run

    @torch.inference_mode()
    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        """One network step; see :meth:`.Runtime.run`.

        Raises:
            ValueError: The network has no edges to feed back.
        """
        with exact_float32(self.device):
            return StepOutput(*self._step(image, prompt))

    def _run(self, image: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor]:
        mask, feedback = self._network(
            image.contiguous(memory_format=torch.channels_last),
            prompt.contiguous(memory_format=torch.channels_last),
        )
        return mask, feedback


def start(source: NetworkSource, precision: Precision) -> tuple[Runtime, Probe | None]:
    """Start from a checkpoint, with CUDA graphs where the device has them.

    Float32 on the CPU has no probe: the other runtimes are compared with it.

    Raises:
        CheckpointError: The weights cannot be used.
    """
    device, network = source.device, source.checkpoint.load()
    recorder = CudaRecorder(device) if device.type == "cuda" else None
    runtime = FoldedTorchRuntime(network, device, precision=precision, recorder=recorder)
    if (precision, device.type) == ("float32", "cpu"):
        return runtime, None
    return runtime, probe_of(network)
