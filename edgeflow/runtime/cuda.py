"""What only CUDA has: recording kernels, and float32 that is none."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import Tensor


class CudaRecorder:
    """Records CUDA graphs; see :class:`edgeflow.runtime.cuda_replay.Recorder`.

    The graphs share memory, so one must have been replayed, and its results copied, before the
    next is.

    Args:
        device: whose kernels are recorded.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._pool = torch.cuda.graph_pool_handle()

    def record(
        self, step: Callable[[], tuple[Tensor, Tensor]]
    ) -> tuple[tuple[Tensor, Tensor], Callable[[], object]]:
        """Record one call.

        Raises:
            RuntimeError: something in it cannot be recorded.
        """
        with torch.cuda.device(self._device):
            self._stream.wait_stream(torch.cuda.current_stream(self._device))
            with torch.cuda.stream(self._stream):
                step()  # libraries make their workspaces of this stream at its first use
            graph = torch.cuda.CUDAGraph()
            # Other threads bring images to the device meanwhile; that is none of this graph's.
            with torch.cuda.graph(
                graph,
                pool=self._pool,
                stream=self._stream,
                capture_error_mode="thread_local",
            ):
                outputs = step()
        return outputs, graph.replay


def exact_float32(device: torch.device) -> AbstractContextManager[None]:
    """Keep cuDNN from TF32, in which it computes float32 convolutions unless told otherwise."""
    if device.type != "cuda":
        return contextlib.nullcontext()
    return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)


def computes_bfloat16(device: torch.device) -> bool:
    """Whether a CUDA device has bfloat16 arithmetic of its own: compute capability 8 and more."""
    return torch.cuda.get_device_capability(device) >= (8, 0)
