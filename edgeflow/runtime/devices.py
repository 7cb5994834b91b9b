"""The device that a network runs on, and its arithmetic."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager

import torch

from edgeflow.errors import EdgeFlowError


class DeviceError(EdgeFlowError):
    """A device that this machine does not have."""

    code = "device"


def pick_device(device: str) -> torch.device:
    """Turn ``auto``, ``cpu``, ``cuda`` or ``cuda:N`` into a device that exists.

    Raises:
        DeviceError: The name is unknown or CUDA is not available.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        result = torch.device(device)
    except RuntimeError as error:
        raise DeviceError(
            f"unknown device {device!r}", hint="use auto, cpu, cuda or cuda:N"
        ) from error
    if result.type not in ("cpu", "cuda"):
        raise DeviceError(f"unsupported device {device!r}", hint="use auto, cpu, cuda or cuda:N")
    if result.type == "cuda" and (result.index or 0) >= torch.cuda.device_count():
        raise DeviceError(
            f"device {device!r} is not available ({torch.cuda.device_count()} CUDA devices found)",
            hint="use cpu, or install a CUDA build of PyTorch and the NVIDIA driver",
        )
    return result


def exact_float32(device: torch.device) -> AbstractContextManager[None]:
    """Keep cuDNN from TF32, its default for float32 convolutions."""
    if device.type != "cuda":
        return contextlib.nullcontext()
    return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)


def computes_bfloat16(device: torch.device) -> bool:
    """Whether a CUDA device has bfloat16 arithmetic: compute capability 8 or higher."""
    return torch.cuda.get_device_capability(device) >= (8, 0)
