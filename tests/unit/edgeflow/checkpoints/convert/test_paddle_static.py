from __future__ import annotations

import json
import struct

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgeflow.checkpoints.convert.paddle_params import read_pdparams
from edgeflow.checkpoints.convert.paddle_static import read_static
from edgeflow.errors import ConversionError
from tests.unit.edgeflow.checkpoints.convert.foreign import (
    GOLDEN,
    TINY,
    pdparams,
    static,
    tensor_bytes,
)


@pytest.mark.parametrize("name", TINY)
def test_an_exports_tensors_and_operators_are_read(name: str) -> None:
    model = read_static(*static(name))
    folder = GOLDEN / "static"
    names = json.loads((folder / f"static_{name}.name_map.json").read_text())
    operators = json.loads((folder / f"static_{name}.op_histogram.json").read_text())
    assert model.tensors.keys() == names.keys()
    assert dict(model.operators) == operators


def test_the_tensors_equal_those_of_the_dynamic_file() -> None:
    names = json.loads((GOLDEN / "static" / f"static_{TINY[0]}.name_map.json").read_text())
    dynamic = read_pdparams(pdparams(TINY[0]).read_bytes())
    for name, tensor in read_static(*static(TINY[0])).tensors.items():
        np.testing.assert_array_equal(tensor, dynamic[names[name]])


def test_parameters_of_another_export_are_refused() -> None:
    with pytest.raises(ConversionError):
        read_static(static(TINY[0])[0], static(TINY[1])[1])
    with pytest.raises(ConversionError):
        read_static(static(TINY[1])[0], static(TINY[0])[1])


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.999])
def test_truncated_parameters_are_refused(share: float) -> None:
    model, parameters = static()
    with pytest.raises(ConversionError, match=r"damaged at|ends before"):
        read_static(model, parameters[: int(len(parameters) * share)])


def test_surplus_parameters_are_refused() -> None:
    model, parameters = static()
    with pytest.raises(ConversionError, match="8 bytes more"):
        read_static(model, parameters + bytes(8))


@pytest.mark.parametrize("share", [0, 0.3, 0.7, 0.999])
def test_a_truncated_program_is_refused(share: float) -> None:
    model, parameters = static()
    with pytest.raises(ConversionError):
        read_static(model[: int(len(model) * share)], parameters)


def one_tensor_program(name: str = "conv2d_0.w_0") -> bytes:
    """A ProgramDesc with one persistable variable."""

    def field(number: int, data: bytes) -> bytes:
        return bytes([number << 3 | 2, len(data)]) + data

    variable = field(1, name.encode()) + bytes([3 << 3, 1])
    return field(1, field(3, variable))


def test_a_tensor_of_another_type_is_refused_by_name() -> None:
    array = np.ones((2, 3), np.float32)
    model = one_tensor_program()
    np.testing.assert_array_equal(
        read_static(model, tensor_bytes(array)).tensors["conv2d_0.w_0"], array
    )
    with pytest.raises(ConversionError, match=r"'conv2d_0.w_0' is not float32 \(Paddle type 6\)"):
        read_static(model, tensor_bytes(array, dtype=6))


@pytest.mark.parametrize(("number", "kind"), [(4, torch.float16), (22, torch.bfloat16)])
def test_half_precision_is_widened_exactly(number: int, kind: torch.dtype) -> None:
    half = torch.tensor([[0.1, -3.5], [65280.0, 6e-8]]).to(kind)
    raw = half.view(torch.int16).numpy().tobytes()
    data = tensor_bytes(np.ones((2, 2), np.float32), dtype=number)[:-16] + raw
    found = read_static(one_tensor_program(), data).tensors["conv2d_0.w_0"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, half.float().numpy())


def test_a_header_that_claims_ten_gigabytes_is_refused_without_allocating_them() -> None:
    description = b"\x08\x05\x10\x80\x80\x80\x80\x28"  # float32, one side of 10 × 2³⁰
    header = struct.pack("<IQIi", 0, 0, 0, len(description)) + description
    with pytest.raises(ConversionError, match="ends before"):
        read_static(one_tensor_program(), header + bytes(64))
    with pytest.raises(ConversionError, match="damaged"):
        read_static(one_tensor_program(), struct.pack("<IQIi", 0, 0, 0, 2**31 - 1) + bytes(64))


def test_a_file_of_the_other_byte_order_is_refused() -> None:
    header = struct.pack(">IQIi", 0, 0, 0, 6) + b"\x08\x05\x10\x02\x10\x03" + bytes(24)
    with pytest.raises(ConversionError, match="damaged"):
        read_static(one_tensor_program(), header)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_random_bytes_are_refused_with_one_kind_of_error(model: bytes, parameters: bytes) -> None:
    with pytest.raises(ConversionError):
        read_static(model, parameters)
    with pytest.raises(ConversionError):
        read_static(one_tensor_program(), parameters)
