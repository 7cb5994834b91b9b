"""The machine that figures were measured on."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path
from typing import Any

import torch


def describe_machine(runtime: str) -> dict[str, Any]:
    """Processor, cores, threads, precision and load, printed beside every figure."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "network threads": torch.get_num_threads(),
        "runtime and precision": runtime,
        "python": platform.python_version(),
        "load average": round(os.getloadavg()[0], 2),
    }


def processor() -> str:
    """The processor's name, as the system tells it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
