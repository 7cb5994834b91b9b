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

PROGRAMS = (".pdmodel", ".json")
"""Endings of a static export's program; Paddle 3 writes the second."""

WRAPPERS = ("state_dict", "model_state_dict", "model", "params_ema", "params", "net", "network")
"""Keys under which training programs store a state dict."""

PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.")
"""What DataParallel, torch.compile and Lightning put before every name."""

FLOATS = (torch.float32, torch.float16, torch.bfloat16)

RITM_CONFIG = {
    "use_leaky_relu": True,
    "use_disks": True,
    "norm_radius": 5,
    "binary_prev_mask": False,
}
"""What RITM's checkpoints say of a network beside its tensors, and must say."""

REFUSED: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "a pointer of Git LFS, not the file", "run `git lfs pull`"),
    (b"<", "a web page, not weights", "download the file itself, perhaps after logging in"),
    (b"\x1f\x8b", "compressed by gzip", "unpack it first: gunzip or tar -xzf"),
    (b"BZh", "compressed by bzip2", "unpack it first"),
    (b"\xfd7zXZ", "compressed by xz", "unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"\x89HDF", "an HDF5 file, such as Keras writes", "click networks of EISeg and RITM are not"),
    (b"GGUF", "a GGUF language model", "give a click network of EISeg or RITM"),
)
"""Beginnings of files that people have under other names: what they are, and what to do."""

FORMATS = ".pdparams, .pdmodel or .json with its .pdiparams, a .zip or folder of those, or .pth"


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
    _refuse_by_content(path.name, data)
    digest = hashlib.sha256(data).hexdigest()
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return Source(_read_zip(data), path.name, digest)
    if suffix == ".pdparams":
        return Source(_rename(read_pdparams(data)), path.name, digest)
    if suffix in (".pth", ".pt"):
        return Source(_rename(_read_pth(data)), path.name, digest)
    if suffix in PROGRAMS:
        return _open_pair(path, _partner(path, ".pdiparams"))
    if suffix == ".pdiparams":
        beside = [_partner(path, each) for each in PROGRAMS]
        return _open_pair(next((each for each in beside if each.is_file()), beside[0]), path)
    raise ConversionError(f"{path.name} has an unknown format", hint=f"supported: {FORMATS}")


def _open_folder(folder: Path) -> Source:
    models = sorted(path for path in folder.glob("*.pdmodel") if not _is_litter(path.name))
    models = models or sorted(path for path in folder.glob("*.json") if _is_program(path))
    if len(models) != 1:
        raise ConversionError(
            f"{folder} holds {len(models)} .pdmodel files instead of one",
            hint="give the path of the .pdmodel itself",
        )
    return _open_pair(models[0], _partner(models[0], ".pdiparams"))


def _is_program(path: Path) -> bool:
    with path.open("rb") as file:
        return b'"base_code"' in file.read(4096)


def _partner(path: Path, suffix: str) -> Path:
    """The other file of an export: of the same name, or the only one in the folder."""
    same = path.with_suffix(suffix)
    others = [each for each in path.parent.glob(f"*{suffix}") if not _is_litter(each.name)]
    return others[0] if len(others) == 1 and not same.is_file() else same


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


def _refuse_by_content(name: str, data: bytes) -> None:
    """Refuse what is recognised as something else, whatever its name says."""
    if not data:
        raise ConversionError(f"{name} is empty: a damaged download", hint="download it again")
    start = data[:64].lstrip()
    for beginning, what, hint in REFUSED:
        if start.startswith(beginning):
            raise ConversionError(f"{name} is {what}", hint=hint)


def _is_litter(name: str) -> bool:
    """Whether a file is what macOS and Windows leave in folders and archives."""
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or (
        bool(parts)
        and (parts[-1].startswith("._") or parts[-1] in (".DS_Store", "Thumbs.db", "desktop.ini"))
    )


def _read_zip(data: bytes) -> dict[str, FloatArray]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_members(archive.infolist())
            members = [m for m in archive.infolist() if not _is_litter(m.filename)]
            dynamic = [m for m in members if m.filename.endswith(".pdparams")]
            if len(dynamic) == 1:
                return _rename(read_pdparams(archive.read(dynamic[0])))
            old = any(member.filename.endswith(PROGRAMS[0]) for member in members)
            model = _only(members, PROGRAMS[0] if old else PROGRAMS[1])
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
    _check_config(loaded)
    tensors = {}
    for name, value in _unwrap(loaded).items():
        if name.endswith(("num_batches_tracked", "n_averaged")):
            continue
        if not isinstance(value, torch.Tensor) or value.dtype not in FLOATS:
            raise ConversionError(
                f"{name[:80]!r} is not a float32 tensor, nor of half precision",
                hint="only such weights are converted",
            )
        tensors[name] = value.detach().float().numpy()
    return _without_prefixes(tensors)


def _check_config(loaded: object) -> None:
    """Refuse a RITM checkpoint whose own description tells of what its tensors do not show."""
    config = loaded.get("config") if isinstance(loaded, dict) else None
    params = config.get("params") if isinstance(config, dict) else None
    for name, expected in RITM_CONFIG.items():
        entry = params.get(name) if isinstance(params, dict) else None
        if isinstance(entry, dict) and entry.get("value", expected) != expected:
            raise ConversionError(
                f"the checkpoint's network has {name} {str(entry['value'])[:40]}, "
                f"only {expected} is supported",
                hint="it is another version of RITM; its masks would be wrong here",
            )


def _unwrap(loaded: object) -> dict[str, object]:
    """The state dict in a checkpoint, which may hold an optimiser and more beside it."""
    while isinstance(loaded, dict) and not any(
        isinstance(value, torch.Tensor) for value in loaded.values()
    ):
        found = [key for key in WRAPPERS if isinstance(loaded.get(key), dict)]
        if len(found) > 1:
            raise ConversionError(
                f"the checkpoint holds several state dicts: {', '.join(found)}",
                hint="save one of them alone: torch.save(checkpoint[KEY], …)",
            )
        if not found:
            break
        loaded = loaded[found[0]]
    if not isinstance(loaded, dict) or not loaded:
        raise ConversionError(
            "the .pth does not hold a state dict",
            hint="save it alone: torch.save(model.state_dict(), …)",
        )
    return {str(name): value for name, value in loaded.items()}


def _without_prefixes(tensors: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """Names without what wrappers of a network put before all of them."""
    while tensors:
        first = next(iter(tensors))
        prefix = next((each for each in PREFIXES if first.startswith(each)), None)
        if prefix is None or not all(name.startswith(prefix) for name in tensors):
            break
        tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
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
