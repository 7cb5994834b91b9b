"""Recording of CUDA graphs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


class CudaRecorder:
    """Records CUDA graphs; see :class:`edgeflow.runtime.cuda_replay.Recorder`.

    The graphs share memory, so the results of one replay must be copied before the next one.

    Args:
        device: Device whose kernels are recorded.
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
            RuntimeError: Something in the call cannot be recorded.
        """
        with torch.cuda.device(self._device):
            self._stream.wait_stream(torch.cuda.current_stream(self._device))
            with torch.cuda.stream(self._stream):
                step()  # libraries allocate their workspaces for a stream at its first use
            graph = torch.cuda.CUDAGraph()
            # Other threads may copy images to the device meanwhile, outside of the graph.
            with torch.cuda.graph(
                graph,
                pool=self._pool,
                stream=self._stream,
                capture_error_mode="thread_local",
            ):
                outputs = step()
        return outputs, graph.replay
