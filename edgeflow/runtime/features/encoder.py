"""A network's encoder alone, started when it is first asked for."""

from __future__ import annotations

import logging
import threading

import torch
from torch import Tensor, nn

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.nn.interface import ClickNetwork
from edgeflow.runtime.base import Runtime, RuntimeUnavailableError, StepOutput
from edgeflow.runtime.devices import exact_float32
from edgeflow.runtime.folding.fold import fold
from edgeflow.runtime.graph.trace import UnknownOperationError, trace
from edgeflow.runtime.openvino import OpenVINORuntime, openvino_files

_log = logging.getLogger(__name__)


class FeatureNetwork(nn.Module):
    """A folded network that gives features in place of masks.

    Args:
        network: Network with its weights, in evaluation mode. It is copied.
    """

    def __init__(self, network: ClickNetwork) -> None:
        super().__init__()
        self.network = fold(network)

    def forward(self, image: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor]:
        """See :meth:`.ClickNetwork.features`."""
        return self.network.features(image, prompt)


class Encoder:
    """Features of an image without any prompt. Threads may share it.

    Runtimes execute whole steps, so this loads the weights once more, at its first use: until then
    it holds no memory. Where the steps run on OpenVINO, so do the features, in the same precision;
    elsewhere on PyTorch in float32.

    Args:
        checkpoint: Checkpoint of the network.
        runtime: What runs the network's steps.
    """

    def __init__(self, checkpoint: Checkpoint, runtime: Runtime) -> None:
        self._checkpoint = checkpoint
        self._runtime = runtime
        self._started: OpenVINORuntime | _TorchFeatures | None = None
        self._lock = threading.Lock()

    def __call__(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Encode.

        Args:
            image: N×3×h×w float32 RGB in [0, 1], on the runtime's device; sides that are multiples
                of 32.

        Returns:
            Maps at strides 8 and 16, float32 on the same device.

        Raises:
            CheckpointError: The weights cannot be used.
            NoFeaturesError: The network does not offer features.
        """
        with self._lock:
            started = self._started = self._started or self._start()
        fine, coarse = started.run(image, torch.zeros_like(image))
        return fine, coarse

    def _start(self) -> OpenVINORuntime | _TorchFeatures:
        network = FeatureNetwork(self._checkpoint.load())
        if isinstance(self._runtime, OpenVINORuntime):
            try:
                return OpenVINORuntime(
                    openvino_files(trace(network)),
                    self._runtime.precision,
                    feedback="edge",  # both outputs as they are
                    threads=torch.get_num_threads(),
                )
            except (RuntimeUnavailableError, UnknownOperationError) as error:
                _log.warning("features are computed by PyTorch: %s", error)
        return _TorchFeatures(network, self._runtime.device)


class _TorchFeatures:
    def __init__(self, network: FeatureNetwork, device: torch.device) -> None:
        self._network = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._device = device

    @torch.inference_mode()
    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        with exact_float32(self._device):
            image = image.contiguous(memory_format=torch.channels_last)
            return StepOutput(*self._network(image, prompt))
