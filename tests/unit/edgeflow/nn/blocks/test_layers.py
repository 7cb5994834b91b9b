from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from edgeflow.nn.blocks.layers import (
    ConvBN,
    ConvBNReLU,
    DepthwiseSeparable,
    SameConv2d,
    SameConvBN,
    pad_same,
    resize,
)


def test_a_map_that_has_the_size_already_is_not_touched() -> None:
    x = torch.rand(1, 2, 5, 7)
    assert resize(x, (5, 7)) is x


def test_resizing_keeps_the_corners_in_place() -> None:
    x = torch.rand(1, 2, 5, 7)
    out = resize(x, (9, 13))
    torch.testing.assert_close(out[:, :, ::2, ::2], x)


def test_resizing_can_keep_pixel_centres_instead() -> None:
    x = torch.tensor([[[[0.0, 1.0]]]])
    out = resize(x, (1, 4), align_corners=False)
    torch.testing.assert_close(out, torch.tensor([[[[0.0, 0.25, 0.75, 1.0]]]]))


# Side, kernel, stride: padding before and after by TensorFlow's definition of SAME.
@pytest.mark.parametrize(
    ("side", "kernel_size", "stride", "before", "after"),
    [
        (4, 3, 2, 0, 1),
        (5, 3, 2, 1, 1),
        (6, 3, 2, 0, 1),
        (224, 3, 2, 0, 1),
        (1, 3, 2, 1, 1),
        (2, 3, 2, 0, 1),
        (6, 5, 2, 1, 2),
        (7, 5, 2, 2, 2),
        (8, 5, 2, 1, 2),
        (1, 5, 2, 2, 2),
        (2, 5, 2, 1, 2),
        (5, 5, 1, 2, 2),
        (6, 5, 1, 2, 2),
        (6, 3, 1, 1, 1),
        (7, 3, 1, 1, 1),
        (6, 2, 1, 0, 1),
        (4, 1, 1, 0, 0),
        (4, 1, 2, 0, 0),
        (5, 1, 2, 0, 0),
        (9, 3, 3, 0, 0),
        (10, 3, 3, 1, 1),
        (10, 7, 4, 2, 3),
    ],
)
def test_same_padding_is_tensorflows(
    side: int, kernel_size: int, stride: int, before: int, after: int
) -> None:
    x = torch.arange(1.0, side + 1)
    padded = F.pad(x, (before, after))
    square = x.view(1, 1, 1, -1).expand(1, 1, side, -1)
    out = pad_same(square, kernel_size, stride)
    assert out.shape == (1, 1, len(padded), len(padded))
    assert torch.equal(out[0, 0, before], padded)
    assert torch.equal(pad_same(square.mT, kernel_size, stride), out.mT)


def test_rows_and_columns_are_padded_each_for_themselves() -> None:
    assert pad_same(torch.zeros(1, 1, 6, 7), 5, 2).shape == (1, 1, 9, 11)
    assert pad_same(torch.zeros(1, 1, 4, 7), 3, 2).shape == (1, 1, 5, 9)


@given(
    st.tuples(st.integers(1, 20), st.integers(1, 20)), st.sampled_from([1, 3, 5]), st.integers(1, 3)
)
def test_a_same_convolution_gives_the_side_over_the_stride_rounded_up(
    size: tuple[int, int], kernel_size: int, stride: int
) -> None:
    conv = SameConv2d(2, 3, kernel_size, stride=stride)
    expected = tuple(-(-side // stride) for side in size)
    assert conv(torch.zeros(1, 2, *size)).shape[-2:] == expected


def test_a_same_convolution_at_stride_two_looks_right_and_down() -> None:
    conv = SameConv2d(1, 1, 3, stride=2, bias=False)
    with torch.no_grad():
        conv.weight.zero_()
        conv.weight[0, 0, 0, 0] = 1  # the window's first pixel, hence that of the map
    x = torch.rand(1, 1, 6, 8)
    assert torch.equal(conv(x), x[:, :, ::2, ::2])


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_a_convolution_keeps_the_size_at_every_dilation(kernel_size: int, dilation: int) -> None:
    layer = ConvBN(2, 3, kernel_size, dilation=dilation)
    assert layer(torch.rand(2, 2, 9, 11)).shape == (2, 3, 9, 11)


def test_a_strided_convolution_rounds_up() -> None:
    assert ConvBN(2, 2, 3, stride=2, groups=2)(torch.rand(2, 2, 9, 12)).shape == (2, 2, 5, 6)


def test_a_convolution_before_batch_norm_has_a_bias_on_request_only() -> None:
    assert ConvBN(2, 3, 1).conv.bias is None
    assert ConvBN(2, 3, 1, bias=True).conv.bias is not None


def test_the_activation_is_what_tells_the_two_apart() -> None:
    plain, activated = ConvBN(2, 3, 3), ConvBNReLU(2, 3, 3)
    activated.load_state_dict(plain.state_dict())
    x = torch.randn(2, 2, 6, 6)
    out = plain(x)
    assert out.min() < 0
    torch.testing.assert_close(activated(x), out.clamp(min=0))


def test_depthwise_filters_channels_each_for_itself_before_it_mixes_them() -> None:
    layer = DepthwiseSeparable(4, 6).eval()
    assert layer.depthwise.weight.shape == (4, 1, 3, 3)
    assert layer.pointwise.weight.shape == (6, 4, 1, 1)
    out = layer(torch.randn(1, 4, 7, 5))
    assert out.shape == (1, 6, 7, 5)
    assert out.min() >= 0


@pytest.mark.parametrize(("side", "expected"), [(8, 4), (7, 4), (1, 1)])
def test_the_edge_heads_squeeze_rounds_up_and_has_a_bias(side: int, expected: int) -> None:
    layer = SameConvBN(4, stride=2).eval()
    assert layer.conv.bias is not None
    assert layer(torch.rand(1, 4, side, side)).shape == (1, 4, expected, expected)
