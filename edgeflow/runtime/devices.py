"""The device a network runs on."""

from __future__ import annotations

import torch

from edgeflow.errors import EdgeFlowError


class DeviceError(EdgeFlowError):
    """A device that this machine does not have."""

    code = "device"


def pick_device(device: str) -> torch.device:
    """Turn ``auto``, ``cpu``, ``cuda`` or ``cuda:N`` into a device that exists.

    Raises:
        DeviceError: the name is unknown or CUDA is not available.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        picked = torch.device(device)
    except RuntimeError as error:
        raise DeviceError(
            f"unknown device {device!r}", hint="use auto, cpu, cuda or cuda:N"
        ) from error
    if picked.type not in ("cpu", "cuda"):
        raise DeviceError(f"unsupported device {device!r}", hint="use auto, cpu, cuda or cuda:N")
    if picked.type == "cuda" and (picked.index or 0) >= torch.cuda.device_count():
        raise DeviceError(
            f"device {device!r} is not available ({torch.cuda.device_count()} CUDA devices found)",
            hint="use cpu, or install a CUDA build of PyTorch and the NVIDIA driver",
        )
    return picked
