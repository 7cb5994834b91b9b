"""Which precision a device trains faster in."""

from __future__ import annotations

import time

import torch
import torch.nn.functional as F
from torch import Tensor

from edgeflow.runtime.devices import computes_bfloat16

SHAPE = (1, 96, 64, 64)
TRIALS = 3
GAIN = 0.9
"""Time in bfloat16 over that in float32 up to which it is used."""


def faster_precision(device: torch.device) -> str:
    """``bf16`` where the device has instructions for it that pay, else ``float32``.

    On a CPU it is tried: processors without such instructions convert every number back and forth,
    and take longer than in float32.
    """
    if device.type == "cuda":
        return "bf16" if computes_bfloat16(device) else "float32"
    return "bf16" if _seconds(torch.bfloat16) < GAIN * _seconds(torch.float32) else "float32"


def _seconds(kind: torch.dtype) -> float:
    """The shortest time of a layer of the kind that most of the network's work is."""
    image = torch.ones(SHAPE, dtype=kind).contiguous(memory_format=torch.channels_last)
    weight: Tensor = torch.ones((SHAPE[1], SHAPE[1], 1, 1), dtype=kind)
    took = []
    with torch.no_grad():
        for _ in range(TRIALS + 1):
            began = time.perf_counter()
            F.conv2d(image, weight)
            took.append(time.perf_counter() - began)
    return min(took[1:])
