"""How a training shares a GPU with the clicks of annotators."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch


def rest(device: torch.device, began: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Leave a GPU alone for as long as a step took.

    Processes take turns on a GPU whatever their priorities are. On a CPU the lowest priority is
    enough.

    Args:
        device: What computes.
        began: When the step began, by :func:`time.perf_counter`.
        sleep: Waits for so many seconds.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        sleep(time.perf_counter() - began)
