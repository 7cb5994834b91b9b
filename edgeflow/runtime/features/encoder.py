"""A network's encoder alone, loaded when it is first asked for."""

from __future__ import annotations

import threading

import torch
from torch import Tensor

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.nn.interface import ClickNetwork
from edgeflow.runtime.devices import exact_float32
from edgeflow.runtime.folding.fold import fold


class Encoder:
    """Features of an image without any prompt, by PyTorch in float32.

    Runtimes execute whole steps, so this loads the weights a second time, at its first use: until
    then it holds no memory. Threads may share it.

    Args:
        checkpoint: Checkpoint of the network.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._networks: dict[torch.device, ClickNetwork] = {}
        self._lock = threading.Lock()

    @torch.inference_mode()
    def __call__(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Encode.

        Args:
            image: N×3×h×w float32 RGB in [0, 1], on any device; sides that are multiples of 32.

        Returns:
            Maps at strides 8 and 16, on the image's device.

        Raises:
            CheckpointError: The weights cannot be used.
            NoFeaturesError: The network does not offer features.
        """
        network = self._network(image.device)
        with exact_float32(image.device):
            image = image.contiguous(memory_format=torch.channels_last)
            return network.features(image, torch.zeros_like(image))

    def _network(self, device: torch.device) -> ClickNetwork:
        with self._lock:
            if device not in self._networks:
                network = fold(self._checkpoint.load())
                self._networks[device] = network.to(
                    device=device,
                    memory_format=torch.channels_last,  # type: ignore[call-overload]
                )
            return self._networks[device]
