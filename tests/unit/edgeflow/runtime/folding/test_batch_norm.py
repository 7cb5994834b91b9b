from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from edgeflow.runtime.folding.batch_norm import affine, fold_after, fold_before


def norm(channels: int, **values: list[float]) -> nn.BatchNorm2d:
    """A batch norm in evaluation mode with an eps of 0."""
    bn = nn.BatchNorm2d(channels, eps=0.0).eval()
    tensors: dict[str, Tensor] = {**dict(bn.named_parameters()), **dict(bn.named_buffers())}
    with torch.no_grad():
        for name, entries in values.items():
            tensors[name].copy_(torch.tensor(entries))
    return bn


def conv(weight: list[float], bias: list[float] | None = None) -> nn.Conv2d:
    """A 1×1 convolution of one input channel to ``len(weight)``."""
    result = nn.Conv2d(1, len(weight), 1, bias=bias is not None)
    with torch.no_grad():
        result.weight.copy_(torch.tensor(weight).view(-1, 1, 1, 1))
        if bias is not None and result.bias is not None:
            result.bias.copy_(torch.tensor(bias))
    return result


def test_a_batch_norm_is_a_scale_and_a_shift() -> None:
    # (x - 3) / sqrt(4) * 10 + 1 = 5 x - 14
    bn = norm(1, running_mean=[3.0], running_var=[4.0], weight=[10.0], bias=[1.0])
    scale, shift = affine(bn)
    assert (scale.item(), shift.item()) == (5.0, -14.0)
    assert scale.dtype == torch.float64


def test_a_batch_norm_goes_into_the_convolution_before_it() -> None:
    # 2 x + 7, then 5 y - 14: 10 x + 21
    bn = norm(1, running_mean=[3.0], running_var=[4.0], weight=[10.0], bias=[1.0])
    folded = fold_after(conv([2.0], [7.0]), bn)
    assert folded.weight.item() == 10.0
    assert folded.bias is not None
    assert folded.bias.item() == 21.0
    without = fold_after(conv([2.0]), bn).bias
    assert without is not None
    assert without.item() == -14.0


def test_a_batch_norm_goes_into_the_1x1_convolution_behind_it() -> None:
    # 5 x - 14, then 2 y + 7: 10 x - 21; and then -y: -5 x + 14
    bn = norm(1, running_mean=[3.0], running_var=[4.0], weight=[10.0], bias=[1.0])
    folded = fold_before(*affine(bn), conv([2.0, -1.0], [7.0, 0.0]))
    assert folded.weight.flatten().tolist() == [10.0, -5.0]
    assert folded.bias is not None
    assert folded.bias.tolist() == [-21.0, 14.0]


@pytest.mark.parametrize(
    "other", [nn.Conv2d(2, 2, 3), nn.Conv2d(2, 2, 1, padding=1), nn.Conv2d(2, 2, 1, groups=2)]
)
def test_only_a_1x1_convolution_takes_its_inputs_shift(other: nn.Conv2d) -> None:
    # Padding is 0 after the batch norm, where the shift would have to be 0 too.
    with pytest.raises(ValueError, match="1×1"):
        fold_before(torch.ones(2).double(), torch.zeros(2).double(), other)


def test_folding_keeps_what_float32_would_lose() -> None:
    # Mean and bias nearly cancel, and the scale is large: float32 would lose five digits.
    bn = norm(1, running_mean=[1234.567], running_var=[1e-6], weight=[0.3], bias=[0.1])
    folded = fold_after(conv([0.7123], [1234.5]), bn)
    mean, variance, weight, bias, shift = (
        float(np.float32(value)) for value in (1234.567, 1e-6, 0.3, 0.1, 1234.5)
    )
    assert folded.bias is not None
    assert folded.bias.item() == pytest.approx(
        (shift - mean) * weight / variance**0.5 + bias, rel=1e-6
    )
