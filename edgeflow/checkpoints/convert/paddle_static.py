"""Reading of Paddle's static exports: ``.pdmodel`` (a ProgramDesc protobuf) and ``.pdiparams``."""

from __future__ import annotations

import json
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edgeflow.arrays import FloatArray
from edgeflow.checkpoints.convert.state_dict import widen
from edgeflow.errors import ConversionError

ELEMENTS = {5: "float32", 4: "float16", 22: "bfloat16"}
"""Element types that are read, by number in Paddle's VarType."""

_RENAMED = {"grid_sample": "grid_sampler"}
"""Operators that have another name in Paddle 3."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class StaticModel:
    """A static export.

    Attributes:
        tensors: float32 arrays by static variable name, such as ``conv2d_12.w_0``.
        operators: Number of times that each operator occurs in the graph.
    """

    tensors: dict[str, FloatArray]
    operators: Counter[str]


def read_static(model: bytes, parameters: bytes) -> StaticModel:
    """Read a static export.

    Args:
        model: Content of the ``.pdmodel``, or of the ``.json`` that Paddle 3 writes in its place.
        parameters: Content of the ``.pdiparams``.

    Raises:
        ConversionError: Either file is damaged, or they do not belong together.
    """
    try:
        read = _read_json if model.lstrip().startswith(b"{") else _read_program
        names, operators = read(model)
    except (LookupError, TypeError, RecursionError, struct.error, ValueError) as error:
        raise ConversionError(
            "the export's program (.pdmodel or .json) is damaged, or not Paddle's",
            hint="download the export again",
        ) from error
    tensors = {}
    offset = 0
    for name in sorted(names):
        tensors[name], offset = _read_tensor(parameters, offset, name)
    if offset != len(parameters):
        raise ConversionError(
            f"the .pdiparams has {len(parameters) - offset} bytes more than its .pdmodel names",
            hint="the two files belong to different exports",
        )
    return StaticModel(tensors, operators)


def _read_json(data: bytes) -> tuple[list[str], Counter[str]]:
    """A program of Paddle 3, format: paddle/fluid/pir/serialize_deserialize of its repository.

    Parameters are the operations ``p``, whose fourth attribute is the name. Other operations are
    numbered by dialect, as in ``1.conv2d``; a trailing underscore marks those that work in place.
    """
    program = json.loads(data)
    if program["base_code"]["magic"] != "pir":
        raise ValueError("not a program")
    names: list[str] = []
    operators: Counter[str] = Counter()
    for region in program["program"]["regions"]:
        for operation in (each for block in region["blocks"] for each in block["ops"]):
            if operation["#"] == "p":
                names.append(str(operation["A"][3]))
            else:
                kind = str(operation["#"]).partition(".")[2].rstrip("_")
                operators[_RENAMED.get(kind, kind)] += 1
    if not names or len(set(names)) != len(names):
        raise ValueError("no parameters, or a name twice")
    return names, operators


def _read_program(data: bytes) -> tuple[list[str], Counter[str]]:
    names: list[str] = []
    operators: Counter[str] = Counter()
    blocks = [value for field, value in _fields(data) if field == 1]
    for block in blocks:
        for field, value in _fields(_bytes(block)):
            if field == 3:
                variable = dict(_fields(_bytes(value)))
                name = _bytes(variable[1]).decode()
                if variable.get(3) == 1 and name not in ("feed", "fetch"):
                    names.append(name)
            elif field == 4:
                kinds = [_bytes(v).decode() for f, v in _fields(_bytes(value)) if f == 3]
                operators.update(kinds)
    if not names or len(set(names)) != len(names):
        raise ValueError("no parameters, or a name twice")
    return names, operators


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where a message belongs")  # noqa: TRY004 - damaged data
    return value


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Fields of one protobuf message: (number, varint or bytes)."""
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        kind = key & 7
        if kind == _VARINT:
            value, position = _varint(data, position)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            length, position = _varint(data, position)
        elif kind in (_FIXED32, _FIXED64):
            length = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"unknown wire type {kind}")
        if length > len(data) - position:
            raise ValueError("a field is longer than its message")
        yield key >> 3, data[position : position + length]
        position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number without an end")


def _read_tensor(data: bytes, offset: int, name: str) -> tuple[FloatArray, int]:
    """One tensor: u32 0, u64 lod levels 0, u32 0, i32 length, TensorDesc, raw data."""
    try:
        version, levels, tensor_version, length = struct.unpack_from("<IQIi", data, offset)
        start = offset + 20
        if (version, levels, tensor_version) != (0, 0, 0) or not 0 < length < 256:
            raise ValueError("unknown header")  # noqa: TRY301 - one error for all damage
        description = list(_fields(data[start : start + length]))
    except (IndexError, struct.error, ValueError) as error:
        raise ConversionError(
            f"the .pdiparams is damaged at {name!r}", hint="download the export again"
        ) from error
    dtype = next((value for field, value in description if field == 1), None)
    if not isinstance(dtype, int) or dtype not in ELEMENTS:
        raise ConversionError(
            f"{name!r} is not float32 (Paddle type {dtype!r}), nor of half precision",
            hint="only such weights are supported",
        )
    shape = tuple(value for field, value in description if field == 2 and isinstance(value, int))
    start += length
    size = (4 if dtype == 5 else 2) * int(np.prod(shape, dtype=object))
    if not 0 <= size <= len(data) - start:
        raise ConversionError(
            f"the .pdiparams ends before {name!r} of shape {shape} does",
            hint="download the export again",
        )
    values = widen(data[start : start + size], ELEMENTS[dtype])
    return values.reshape(shape), start + size
