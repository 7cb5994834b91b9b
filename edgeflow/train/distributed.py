"""Several processes, one for each device, as ``torchrun`` starts them; with one, nothing to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class Processes:
    """This process among all.

    Attributes:
        rank: Number of this process from 0; the first one saves, logs and validates.
        count: Number of processes.
        device: Device of this process.
    """

    rank: int
    count: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this is the one that saves, logs and validates."""
        return self.rank == 0

    def share(self, network: nn.Module) -> None:
        """Give every process the first one's parameters and statistics."""
        if self.count > 1:
            for tensor in network.state_dict().values():
                dist.broadcast(tensor, src=0)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace gradients by their mean over processes, in one message."""
        if self.count == 1:
            return
        gradients = [each.grad for each in parameters if each.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.count
        parts = torch.split(flat, [gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def agree(self, stop: bool) -> bool:
        """Whether the first process says so: clocks differ, and all must stop at the same step."""
        if self.count == 1:
            return stop
        flag = torch.tensor(stop, device=self.device)
        dist.broadcast(flag, src=0)
        return bool(flag)

    def mean(self, figures: Tensor) -> Tensor:
        """The mean of a tensor over processes."""
        if self.count > 1:
            dist.all_reduce(figures)
            figures = figures / self.count
        return figures

    def close(self) -> None:
        """Leave the group."""
        if self.count > 1:
            dist.destroy_process_group()


def join_processes(device: torch.device) -> Processes:
    """Join the processes that ``torchrun`` started, or be the only one.

    Args:
        device: Device to use; with several CUDA processes each takes its own.
    """
    if not dist.is_torchelastic_launched():
        return Processes(0, 1, device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    rank = dist.get_rank()
    if device.type == "cuda":
        device = torch.device("cuda", dist.get_node_local_rank())
        torch.cuda.set_device(device)
    return Processes(rank, dist.get_world_size(), device)
