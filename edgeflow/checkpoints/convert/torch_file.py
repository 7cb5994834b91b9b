"""Reading of PyTorch checkpoints and safetensors files, so that nothing in them can run.

A checkpoint is a zip of a pickle and of the tensors' bytes. The pickle names functions to call: the
few that tensors need are replaced by inert ones from this module, everything else by placeholders.
So Lightning's and other programs' objects beside the tensors do no harm, and are passed over.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors

from edgeflow.arrays import FloatArray
from edgeflow.checkpoints.convert.state_dict import unwrap, widen
from edgeflow.errors import ConversionError

FLOATS = (torch.float32, torch.float16, torch.bfloat16)

PICKLE = "data.pkl"
"""Name of the pickle in a checkpoint, in a folder of any name."""

HOSTILE_MODULES = (
    "os", "posix", "nt", "subprocess", "sys", "shutil", "socket", "runpy", "pty", "ctypes",
    "importlib", "webbrowser", "code",
)  # fmt: skip
HOSTILE_BUILTINS = ("eval", "exec", "execfile", "compile", "open", "__import__")
"""What no training program's object needs. It would not run either, but a file that asks for it is
an attack, and its tensors are not to be trusted."""

STORAGES = {
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
}


class _Placeholder:
    """Stands for a foreign object: takes everything, does nothing."""

    what = "an object"

    def __new__(cls, *_: object, **__: object) -> Any:  # noqa: ANN401 - as pickles call it
        return super().__new__(cls)

    def __init__(self, *_: object, **__: object) -> None:
        """Take anything."""

    def __setstate__(self, state: object) -> None:
        """Take anything."""

    def __setitem__(self, key: object, value: object) -> None:
        """Take anything."""

    def __call__(self, *_: object) -> Any:  # noqa: ANN401 - as pickles call it
        return self

    append = extend = add = __setstate__


class _Dict(dict[object, object]):
    """Stands for ``collections.OrderedDict``, whose attributes are dropped."""

    def __setstate__(self, state: object) -> None:
        """Take anything."""


def _tensor(values: object, offset: int, shape: tuple[int, ...], steps: tuple[int, ...],
            *_: object) -> object:  # fmt: skip
    if not isinstance(values, np.ndarray):
        return values
    if 0 in shape:
        return np.zeros(shape, np.float32)
    last = offset + sum((side - 1) * step for side, step in zip(shape, steps, strict=True))
    if min(offset, *shape, *steps, last) < 0 or last >= values.size:
        raise pickle.UnpicklingError("a tensor outside of its storage")
    strides = [step * values.itemsize for step in steps]
    return np.lib.stride_tricks.as_strided(values[offset:], shape, strides).copy()


def _parameter(tensor: object, *_: object) -> object:
    return tensor


def _with_attributes(rebuild: Any, _: object, arguments: Any, *__: object) -> object:  # noqa: ANN401
    return rebuild(*arguments)


_ADMITTED: dict[tuple[str, str], object] = {
    ("collections", "OrderedDict"): _Dict,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): _with_attributes,
}


class _InertUnpickler(pickle.Unpickler):
    """Of a checkpoint in a zip."""

    def __init__(self, archive: zipfile.ZipFile, folder: PurePosixPath) -> None:
        super().__init__(io.BytesIO(archive.read(str(folder / PICKLE))))
        order = str(folder / "byteorder")
        if order in archive.namelist() and archive.read(order) != b"little":
            raise ConversionError(
                "the checkpoint was written by a big-endian machine",
                hint="load and save it on another one",
            )
        self._archive, self._folder = archive, folder
        self._storages: dict[str, object] = {}

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - pickle's signature
        if module == "torch" and name.endswith("Storage"):
            return STORAGES.get(name, name)
        if (module, name) in _ADMITTED:
            return _ADMITTED[module, name]
        what = f"{module}.{name}"
        builtin = module in ("builtins", "__builtin__") and name in HOSTILE_BUILTINS
        if builtin or module.partition(".")[0] in HOSTILE_MODULES:
            raise ConversionError(
                f"the file wants to call {what[:80]}, which no weights need; nothing in it was run",
                hint="do not trust this file; download the weights again from their source",
            )
        return type("_Object", (_Placeholder,), {"what": what})

    def persistent_load(self, pid: Any) -> object:  # noqa: ANN401 - pickle's signature
        _, kind, key, *_ = pid
        if kind not in STORAGES.values():
            placeholder = _Placeholder()
            placeholder.what = f"a tensor in a {str(kind)[:40]}"
            return placeholder
        if key not in self._storages:
            raw = self._archive.read(str(self._folder / "data" / key))
            self._storages[key] = widen(raw, kind)
        return self._storages[key]


def read_zipped_checkpoint(archive: zipfile.ZipFile, member: str) -> dict[str, FloatArray]:
    """Read a checkpoint as PyTorch has written them since 1.6.

    Args:
        archive: The checkpoint.
        member: Name of its pickle in there.

    Returns:
        float32 arrays by PyTorch's names.

    Raises:
        ConversionError: It is damaged or hostile, or holds no state dict of floats.
    """
    folder = PurePosixPath(member).parent
    try:
        loaded = _InertUnpickler(archive, folder).load()
    except ConversionError:
        raise
    except Exception as error:  # a damaged pickle raises almost anything
        raise _damaged(error) from error
    tensors: dict[str, FloatArray] = {}
    for name, value in unwrap(loaded, np.ndarray).items():
        if not isinstance(value, np.ndarray):
            what = value.what if isinstance(value, _Placeholder) else type(value).__name__
            raise ConversionError(
                f"{name[:80]!r} is no float32 tensor, nor of half precision, but {what[:80]}; "
                "nothing in it was run",
                hint="save the state dict alone: torch.save(model.state_dict(), …)",
            )
        tensors[name] = value
    return tensors


def read_old_checkpoint(data: bytes) -> dict[str, FloatArray]:
    """Read a checkpoint of PyTorch before 1.6; see :func:`read_zipped_checkpoint`."""
    try:
        loaded = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ConversionError(
            "the checkpoint is damaged, or holds more than tensors and plain values; nothing in it "
            "was run",
            hint="save its state_dict alone: torch.save(model.state_dict(), …)",
        ) from error
    except Exception as error:  # a damaged file raises almost anything
        raise _damaged(error) from error
    return _to_arrays(unwrap(loaded, torch.Tensor))


def read_safetensors(data: bytes) -> dict[str, FloatArray]:
    """Read a state dict that was saved as safetensors; see :func:`read_zipped_checkpoint`."""
    try:
        tensors = parse_safetensors(data)
    except (SafetensorError, LookupError, ValueError, TypeError, RuntimeError) as error:
        raise ConversionError(
            f"the file is damaged: not valid safetensors ({str(error)[:200]})",
            hint="download it again",
        ) from error
    return _to_arrays(unwrap(tensors, torch.Tensor))


def _to_arrays(tensors: dict[str, object]) -> dict[str, FloatArray]:
    arrays: dict[str, FloatArray] = {}
    for name, tensor in tensors.items():
        if not isinstance(tensor, torch.Tensor) or tensor.dtype not in FLOATS:
            raise ConversionError(
                f"{name[:80]!r} is not a float32 tensor, nor of half precision",
                hint="only such weights are converted",
            )
        arrays[name] = tensor.detach().float().numpy()
    return arrays


def _damaged(error: Exception) -> ConversionError:
    return ConversionError(
        f"the checkpoint is damaged ({type(error).__name__})", hint="download it again"
    )
