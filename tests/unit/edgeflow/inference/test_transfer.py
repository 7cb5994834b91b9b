from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeflow.inference.transfer import above, pack_bits, unpack_bits, upload

CPU = torch.device("cpu")
SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=20)


@given(hnp.arrays(np.bool_, SHAPES))
def test_bits_come_back_as_they_were(mask: np.ndarray) -> None:
    packed = pack_bits(torch.from_numpy(mask)).numpy()
    np.testing.assert_array_equal(packed, np.packbits(mask))
    np.testing.assert_array_equal(unpack_bits(packed, mask.shape), mask)


def test_a_view_is_packed_as_it_looks() -> None:
    mask = torch.rand(9, 13) > 0.5
    expected = np.packbits(mask.numpy().T[1:])
    np.testing.assert_array_equal(pack_bits(mask.T[1:]).numpy(), expected)


@given(hnp.arrays(np.float32, (5, 7), elements=st.floats(0, 1, width=32)))
def test_above_is_strict(values: np.ndarray) -> None:
    np.testing.assert_array_equal(above(torch.from_numpy(values), 0.5), values > 0.5)
    assert not above(torch.full((2, 2), 0.5), 0.5).any()


def test_an_array_is_shared_with_the_cpu_whatever_its_type() -> None:
    for kind in (np.uint8, np.int64, np.bool_, np.float32):
        values = np.ones((2, 3), kind)
        tensor = upload(values, CPU)
        values[0, 0] = 0
        assert tensor.numpy().dtype == kind
        assert not tensor[0, 0]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_a_device_gives_the_same() -> None:
    values = np.random.default_rng(0).random((301, 203), dtype=np.float32)
    there = upload(values, torch.device("cuda"))
    np.testing.assert_array_equal(there.cpu().numpy(), values)
    np.testing.assert_array_equal(above(there, 0.5), values > 0.5)
