from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from edgeflow.nn.blocks.flow import FlowAlign, warp


def constant_flow(height: int, width: int, right: float, down: float) -> Tensor:
    """Moves the sampling points by whole pixels.

    The grid runs from -1 to 1 over ``side - 1`` pixels and an offset is divided by ``side``, so one
    pixel is an offset of ``2 * side / (side - 1)``.
    """
    flow = torch.empty(1, 2, height, width)
    flow[:, 0] = right * 2 * width / (width - 1)
    flow[:, 1] = down * 2 * height / (height - 1)
    return flow


def shifted(x: Tensor, right: int, down: int) -> Tensor:
    """What lies ``right`` and ``down`` of each pixel; 0 beyond the border."""
    height, width = x.shape[-2:]
    margin = max(abs(right), abs(down))
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (margin, margin), (margin, margin)))
    top, left = margin + down, margin + right
    return torch.from_numpy(padded[:, :, top : top + height, left : left + width].copy())


@pytest.mark.parametrize("size", [(5, 7), (8, 8), (1, 6), (13, 2)])
def test_no_flow_changes_nothing(size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size)
    torch.testing.assert_close(warp(x, torch.zeros(2, 2, *size)), x, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("right", "down"), [(1, 0), (0, 1), (-1, 0), (0, -1), (2, -3), (-4, 1), (8, 0), (0, -6), (9, 9)]
)
def test_a_flow_of_whole_pixels_moves_the_map_exactly(right: int, down: int) -> None:
    x = torch.randn(1, 3, 7, 9)
    moved = warp(x, constant_flow(7, 9, right, down))
    torch.testing.assert_close(moved, shifted(x, right, down), atol=1e-4, rtol=0)


def test_a_flow_of_half_a_pixel_mixes_two_neighbours() -> None:
    x = torch.randn(1, 1, 6, 9)
    moved = warp(x, constant_flow(6, 9, 0.5, 0))
    expected = (x[..., :-1] + x[..., 1:]) / 2
    torch.testing.assert_close(moved[..., :-1], expected, atol=1e-5, rtol=0)


def test_each_pixel_follows_its_own_flow() -> None:
    x = torch.randn(1, 1, 6, 9)
    flow = torch.where(torch.arange(9) < 4, constant_flow(6, 9, 0, 0), constant_flow(6, 9, -1, 1))
    moved = warp(x, flow)
    torch.testing.assert_close(moved[..., :4], x[..., :4], atol=1e-5, rtol=0)
    torch.testing.assert_close(moved[..., 4:], shifted(x, -1, 1)[..., 4:], atol=1e-5, rtol=0)


def test_all_channels_move_together_and_each_image_by_its_own_flow() -> None:
    x = torch.randn(2, 3, 6, 9)
    flow = torch.cat((constant_flow(6, 9, 1, 0), constant_flow(6, 9, 0, 2)))
    moved = warp(x, flow)
    torch.testing.assert_close(moved[:1], shifted(x[:1], 1, 0), atol=1e-4, rtol=0)
    torch.testing.assert_close(moved[1:], shifted(x[1:], 0, 2), atol=1e-4, rtol=0)


def test_the_result_has_the_flows_size() -> None:
    x = torch.randn(1, 3, 5, 7)
    out = warp(x, torch.zeros(1, 2, 9, 13))
    assert out.shape == (1, 3, 9, 13)
    torch.testing.assert_close(out[:, :, ::2, ::2], x, atol=1e-5, rtol=0)


def test_gradients_reach_map_and_flow() -> None:
    x = torch.randn(1, 2, 6, 6, requires_grad=True)
    flow = torch.full((1, 2, 6, 6), 0.3, requires_grad=True)
    for gradient in torch.autograd.grad(warp(x, flow).square().sum(), (x, flow)):
        assert gradient.abs().sum() > 0


@pytest.mark.parametrize("high_size", [(10, 12), (5, 6), (20, 24)])
def test_aligning_gives_the_high_features_at_the_low_ones_size(high_size: tuple[int, int]) -> None:
    align = FlowAlign(8, 4)
    out = align(low=torch.randn(2, 8, 10, 12), high=torch.randn(2, 8, *high_size))
    assert out.shape == (2, 8, 10, 12)


def test_without_a_learned_flow_aligning_returns_the_high_features() -> None:
    align = FlowAlign(8, 4)
    torch.nn.init.zeros_(align.flow.weight)
    high = torch.randn(1, 8, 10, 12)
    out = align(low=torch.randn(1, 8, 10, 12), high=high)
    torch.testing.assert_close(out, high, atol=1e-5, rtol=0)


def test_the_low_features_only_steer() -> None:
    align = FlowAlign(8, 4)
    low, high = torch.randn(1, 8, 10, 12), torch.randn(1, 8, 10, 12)
    out = align(low=low, high=high)
    assert not torch.equal(out, align(low=2 * low, high=high))
    assert not align(low=low, high=torch.zeros_like(high)).any()


def test_the_flow_sees_the_high_projection_first() -> None:
    align = FlowAlign(2, 2)
    low, high = torch.randn(1, 2, 6, 6), torch.randn(1, 2, 6, 6)
    joined = torch.cat((align.project_high(high), align.project_low(low)), dim=1)
    assert torch.equal(align(low=low, high=high), warp(high, align.flow(joined)))
