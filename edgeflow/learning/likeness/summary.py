"""What kind of image it is, to the encoder of the base weights."""

from __future__ import annotations

import threading

import torch
import torch.nn.functional as F
from torch import Tensor

from edgeflow.arrays import FloatArray
from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.nn.interface import ClickNetwork

SIDE = 256
"""Network pixels of the longer side: the kind of an image shows at any scale."""

MULTIPLE = 32


class Summariser:
    """Sums images up. Threads may share it.

    The weights are loaded at the first use, on the CPU in float32: what one process stores, every
    other one understands, whatever runs its steps.

    Args:
        base: The base weights.
    """

    def __init__(self, base: Checkpoint) -> None:
        self._base = base
        self._network: ClickNetwork | None = None
        self._lock = threading.Lock()

    def __call__(self, overview: Tensor) -> FloatArray:
        """Sum an image up.

        Args:
            overview: 1×3×h×w float32 in [0, 1]; see :attr:`.EncodedImage.overview`.

        Returns:
            C float32.

        Raises:
            CheckpointError: The weights cannot be used.
            NoFeaturesError: Their network does not offer features.
        """
        height, width = overview.shape[-2:]
        scale = SIDE / max(height, width)
        size = [
            max(MULTIPLE, round(side * scale / MULTIPLE) * MULTIPLE) for side in (height, width)
        ]
        view = F.interpolate(overview.float().cpu(), size, mode="area")
        with self._lock:
            if self._network is None:
                self._network = self._base.load()
            network = self._network
        with torch.inference_mode():
            found: FloatArray = network.summary(view)[0].numpy()
        return found
