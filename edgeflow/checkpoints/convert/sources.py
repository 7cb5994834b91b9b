"""Opening of foreign weights: one file, a zip or a folder. Nothing is extracted to disk."""

from __future__ import annotations

import hashlib
import io
import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

import torch

from edgeflow.arrays import FloatArray
from edgeflow.checkpoints.convert.names import our_name
from edgeflow.checkpoints.convert.paddle_params import read_pdparams
from edgeflow.checkpoints.convert.paddle_static import read_static
from edgeflow.checkpoints.convert.recognise import rename_static
from edgeflow.errors import ConversionError

MAX_BYTES = 1 << 30
"""Size limit of a file; the published networks have 17 to 46 MB."""

FORMATS = ".pdparams, .pdmodel with its .pdiparams, a .zip or folder of those, or .pth"


@dataclass(frozen=True)
class Source:
    """Foreign weights under EdgeFlow's tensor names.

    Attributes:
        tensors: float32 arrays by name.
        name: Name of the file that they came from.
        sha256: Digest of the file that holds the parameters, or of the zip, in hex.
    """

    tensors: dict[str, FloatArray]
    name: str
    sha256: str


def open_source(path: Path) -> Source:
    """Read weights of any supported format.

    Raises:
        ConversionError: The format is unknown, or the file is damaged or hostile.
    """
    if path.is_dir():
        return _open_folder(path)
    if not path.is_file():
        raise ConversionError(f"there is no {path}", hint="check the path")
    data = _read(path)
    digest = hashlib.sha256(data).hexdigest()
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return Source(_read_zip(data), path.name, digest)
    if suffix == ".pdparams":
        return Source(_rename(read_pdparams(data)), path.name, digest)
    if suffix in (".pth", ".pt"):
        return Source(_rename(_read_pth(data)), path.name, digest)
    if suffix in (".pdmodel", ".pdiparams"):
        return _open_pair(path.with_suffix(".pdmodel"), path.with_suffix(".pdiparams"))
    raise ConversionError(f"{path.name} has an unknown format", hint=f"supported: {FORMATS}")


def _open_folder(folder: Path) -> Source:
    models = sorted(folder.glob("*.pdmodel"))
    if len(models) != 1:
        raise ConversionError(
            f"{folder} holds {len(models)} .pdmodel files instead of one",
            hint="give the path of the .pdmodel itself",
        )
    return _open_pair(models[0], models[0].with_suffix(".pdiparams"))


def _open_pair(model: Path, parameters: Path) -> Source:
    for path in (model, parameters):
        if not path.is_file():
            raise ConversionError(f"there is no {path}", hint="a static export is two files")
    data = _read(parameters)
    tensors = rename_static(read_static(_read(model), data))
    return Source(tensors, parameters.name, hashlib.sha256(data).hexdigest())


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConversionError(
                f"{path.name} is larger than {MAX_BYTES} bytes",
                hint="these are not a click network's weights",
            )
        return path.read_bytes()
    except OSError as error:
        raise ConversionError(
            f"cannot read {path}: {error.strerror}", hint="check the path and its permissions"
        ) from error


def _read_zip(data: bytes) -> dict[str, FloatArray]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _check_members(members)
            dynamic = [m for m in members if m.filename.endswith(".pdparams")]
            if len(dynamic) == 1:
                return _rename(read_pdparams(archive.read(dynamic[0])))
            model = _only(members, ".pdmodel")
            parameters = _only(members, ".pdiparams")
            return rename_static(read_static(archive.read(model), archive.read(parameters)))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise ConversionError(
            f"the zip is damaged or encrypted ({type(error).__name__})", hint="download it again"
        ) from error


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    for member in members:
        path = PurePosixPath(member.filename)
        if path.is_absolute() or ".." in path.parts or PureWindowsPath(member.filename).drive:
            raise ConversionError(
                f"the zip has a member that points outside of it: {member.filename[:80]!r}",
                hint="do not trust this file",
            )
    if sum(member.file_size for member in members) > MAX_BYTES:
        raise ConversionError(
            f"the zip would unpack to more than {MAX_BYTES} bytes", hint="do not trust this file"
        )


def _only(members: list[zipfile.ZipInfo], suffix: str) -> zipfile.ZipInfo:
    matches = [member for member in members if member.filename.endswith(suffix)]
    if len(matches) != 1:
        raise ConversionError(
            f"the zip holds {len(matches)} {suffix} files instead of one",
            hint=f"supported: {FORMATS}",
        )
    return matches[0]


def _read_pth(data: bytes) -> dict[str, FloatArray]:
    try:
        loaded = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ConversionError(
            "the .pth holds more than tensors and plain values; nothing in it was run",
            hint="save its state_dict alone: torch.save(model.state_dict(), …)",
        ) from error
    except Exception as error:  # a damaged archive raises almost anything
        raise ConversionError(
            f"the .pth is damaged ({type(error).__name__})", hint="download it again"
        ) from error
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else None
    if not isinstance(state, dict):
        raise ConversionError("the .pth does not hold a state dict", hint="expected RITM's format")
    tensors = {}
    for name, value in state.items():
        if str(name).endswith("num_batches_tracked"):
            continue
        if not isinstance(value, torch.Tensor) or value.dtype != torch.float32:
            raise ConversionError(
                f"{str(name)[:80]!r} is not a float32 tensor", hint="only float32 weights"
            )
        tensors[str(name)] = value.numpy()
    return tensors


def _rename(
    tensors: dict[str, FloatArray],
) -> dict[str, FloatArray]:
    renamed: dict[str, FloatArray] = {}
    for name, value in tensors.items():
        if (ours := our_name(name)) in renamed:
            raise ConversionError(
                f"two tensors of the file are named {ours} here; one of them is {name[:80]!r}",
                hint="the file was altered; download it again",
            )
        renamed[ours] = value
    return renamed
