from __future__ import annotations

import pytest
import torch
from torch import nn

from edgeflow.train.objective import autocast

CPU = torch.device("cpu")


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_depthwise_convolutions_stay_in_full_precision(precision: str) -> None:
    image = torch.rand(1, 4, 8, 8)
    depthwise, dense = nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 4, 3)
    with autocast(CPU, precision):
        assert depthwise(image).dtype == torch.float32
        expected = torch.bfloat16 if precision == "bf16" else torch.float32
        assert dense(image).dtype == expected
        torch.testing.assert_close(
            depthwise(dense(image)),
            depthwise(dense(image).float()),
        )
    assert dense(image).dtype == torch.float32
