from __future__ import annotations

import pytest
import torch
from torch import nn

from edgeflow.nn.encoders.efficientnet_lite import BN_EPS, STAGES, EfficientNetLite2, MBConv, Stem

STRIDES = (2, 4, 8, 16, 16, 32, 32)
WIDTHS = (16, 24, 48, 88, 120, 208, 352)


@pytest.fixture(scope="module")
def encoder() -> EfficientNetLite2:
    return EfficientNetLite2().eval()


@pytest.mark.parametrize("size", [(64, 96), (97, 131), (33, 32), (1, 1)])
def test_stages_have_the_published_strides_and_widths(
    encoder: EfficientNetLite2, size: tuple[int, int]
) -> None:
    x = encoder.stem(torch.rand(1, 3, *size))
    for index, (stride, width) in enumerate(zip(STRIDES, WIDTHS, strict=True)):
        x = encoder.stage(index, x)
        assert x.shape == (1, width, *(-(-side // stride) for side in size))


def test_there_are_21_blocks_of_the_published_kinds(encoder: EfficientNetLite2) -> None:
    assert [stage.repeats for stage in STAGES] == [1, 3, 3, 4, 4, 5, 1]
    kernels = [3] + [3] * 3 + [5] * 3 + [3] * 4 + [5] * 4 + [5] * 5 + [3]
    blocks = [block for block in encoder.blocks if isinstance(block, MBConv)]
    assert [block.depthwise_conv.kernel_size[0] for block in blocks] == kernels
    strided = [index for index, b in enumerate(blocks) if b.depthwise_conv.stride == (2, 2)]
    assert strided == [1, 4, 7, 15]


def test_only_the_first_block_does_not_expand(encoder: EfficientNetLite2) -> None:
    blocks = [block for block in encoder.blocks if isinstance(block, MBConv)]
    assert [block.expands for block in blocks] == [False] + [True] * 20
    for block in blocks[1:]:
        assert block.depthwise_conv.in_channels == 6 * block.expand_conv.in_channels


def test_blocks_that_keep_stride_and_width_have_a_shortcut(encoder: EfficientNetLite2) -> None:
    blocks = [block for block in encoder.blocks if isinstance(block, MBConv)]
    first_of_stage = [0, 1, 4, 7, 11, 15, 20]
    assert [i for i, block in enumerate(blocks) if not block.residual] == first_of_stage


def test_a_block_that_computes_nothing_passes_its_input_on() -> None:
    block = MBConv(8, 8, kernel_size=3, stride=1, expansion=6).eval()
    nn.init.zeros_(block.project_bn.weight)
    x = torch.randn(1, 8, 5, 7)
    assert torch.equal(block(x), x)


def test_activations_are_cut_at_six() -> None:
    out = Stem()(torch.randn(4, 3, 16, 16) * 1000)
    assert out.min() == 0
    assert out.max() <= 6
    block = MBConv(8, 8, kernel_size=3, stride=2, expansion=1).eval()
    nn.init.ones_(block.project_conv.weight)
    assert block(torch.full((1, 8, 8, 8), 1e6)).max() <= 6 * 8 + 1


def test_the_projection_has_no_activation() -> None:
    assert MBConv(8, 8, kernel_size=3, stride=2, expansion=6)(torch.randn(2, 8, 8, 8)).min() < 0


def test_batch_norm_uses_tensorflows_epsilon(encoder: EfficientNetLite2) -> None:
    norms = [module for module in encoder.modules() if isinstance(module, nn.BatchNorm2d)]
    assert len(norms) == 1 + 3 * 21 - 1
    assert {norm.eps for norm in norms} == {BN_EPS} == {1e-3}
