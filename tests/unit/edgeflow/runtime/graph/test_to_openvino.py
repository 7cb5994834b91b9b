from __future__ import annotations

import torch

from edgeflow.nn.blocks.flow import warp
from edgeflow.runtime.graph.to_openvino import sampling_grid


def test_the_sampling_grid_runs_from_corner_to_corner() -> None:
    grid, unit = sampling_grid(32, 64)
    assert (grid.shape, unit.shape) == ((1, 2, 8, 16), (1, 2, 1, 1))
    assert grid[0, :, 0, 0].tolist() == [-1, -1]
    assert grid[0, :, 0, -1].tolist() == [1, -1]
    assert grid[0, :, -1, 0].tolist() == [-1, 1]
    assert unit.ravel().tolist() == [1 / 16, 1 / 8]
    flow = torch.randn(1, 2, 8, 16)
    where = torch.from_numpy(grid) + flow * torch.from_numpy(unit)
    x = torch.rand(1, 5, 8, 16)
    sampled = torch.nn.functional.grid_sample(x, where.permute(0, 2, 3, 1), align_corners=True)
    torch.testing.assert_close(sampled, warp(x, flow), atol=1e-5, rtol=0)
