"""Reading of ``.pdparams``: a pickle of {name: array}, opened so that nothing in it can run.

A pickle names functions to call. The names in ``_ADMITTED`` are replaced by inert stand-ins from
this module and all others are refused, so no foreign code is reached, not even numpy's.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np

from edgeflow.arrays import FloatArray
from edgeflow.checkpoints.convert.state_dict import unwrap, widen
from edgeflow.errors import ConversionError

DROPPED = "StructuredToParameterName@@"
ELEMENTS = {"f4": "float32", "f2": "float16", "u2": "bfloat16"}
"""Element types that are read, by NumPy's code; it has none for bfloat16, so Paddle uses uint16."""


class _DType:
    """Stands for ``numpy.dtype``."""

    def __init__(self, code: object, *_: object) -> None:
        self.code = code if isinstance(code, str) else ""
        self.order: object = "|"

    def __setstate__(self, state: object) -> None:
        if isinstance(state, tuple) and len(state) > 1:
            self.order = state[1]


class _Dict(dict[object, object]):
    """Stands for ``collections.OrderedDict``."""


class _Array:
    """Stands for an array (or NumPy's scalar) under reconstruction."""

    def __init__(self) -> None:
        self.state: object = None

    def __setstate__(self, state: object) -> None:
        self.state = state


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _encode(text: object, encoding: object = "latin1") -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError("bytes in an unknown encoding")
    return text.encode("latin1")


_ADMITTED = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _DType,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy.core.multiarray", "scalar"): _reconstruct,
    ("numpy._core.multiarray", "scalar"): _reconstruct,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): _Dict,
    ("builtins", "tuple"): tuple,
    ("__builtin__", "tuple"): tuple,
}


class _InertUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - pickle's signature
        try:
            return _ADMITTED[module, name]
        except KeyError:
            raise ConversionError(
                f"the file wants to call {module}.{name}, which no weights need; it was not run",
                hint="do not trust this file; download the weights again from their source",
            ) from None

    def persistent_load(self, pid: object) -> Any:  # noqa: ANN401, ARG002 - pickle's signature
        raise pickle.UnpicklingError("external references")


def read_pdparams(data: bytes) -> dict[str, FloatArray]:
    """Read a dynamic state dict.

    Args:
        data: Content of the file.

    Returns:
        float32 arrays by Paddle's names.

    Raises:
        ConversionError: The file is not such a pickle, is damaged, or calls other functions.
    """
    try:
        loaded = _InertUnpickler(io.BytesIO(data)).load()
    except ConversionError:
        raise
    except Exception as error:  # a damaged pickle raises almost anything
        raise ConversionError(
            f"the file is damaged: not a readable .pdparams ({type(error).__name__})",
            hint="download it again; only Paddle's dynamic state dicts are supported",
        ) from error
    state = unwrap(loaded, (_Array, tuple))
    return {name: _to_array(name, value) for name, value in state.items() if name != DROPPED}


def _to_array(name: str, value: object) -> FloatArray:
    if isinstance(value, tuple) and len(value) == 2:  # as Paddle saves a tensor in a wrapper
        value = value[1]
    state = value.state if isinstance(value, _Array) else None
    if not (isinstance(state, tuple) and len(state) == 5):
        raise ConversionError(f"{name!r} is not an array", hint="download the file again")
    _, shape, dtype, fortran, raw = state
    if not (
        isinstance(dtype, _DType)
        and dtype.code in ELEMENTS
        and dtype.order == "<"
        and fortran is False
    ):
        raise ConversionError(
            f"{name!r} is not a little-endian float32, float16 or bfloat16 array in C order",
            hint="only such weights are supported",
        )
    if not (
        isinstance(shape, tuple)
        and all(type(side) is int and side >= 0 for side in shape)
        and isinstance(raw, bytes)
        and len(raw) == int(dtype.code[1]) * np.prod(shape, dtype=object)
    ):
        raise ConversionError(
            f"{name!r} has a shape that does not fit its data", hint="download the file again"
        )
    return widen(raw, ELEMENTS[dtype.code]).reshape(shape)
