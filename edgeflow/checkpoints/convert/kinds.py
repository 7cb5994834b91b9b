"""What a file is, told by its content: which reader it needs, or why it is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum, auto
from pathlib import PurePath
from typing import NamedTuple

from edgeflow.errors import ConversionError


class Kind(Enum):
    """What can be read."""

    ZIP = auto()
    """An archive of weights, or a PyTorch checkpoint, which is a zip as well."""
    TORCH = auto()
    """A checkpoint of PyTorch before 1.6."""
    PICKLE = auto()
    """Paddle's dynamic state dict."""
    SAFETENSORS = auto()
    PROGRAM = auto()
    """A static export's program."""
    PARAMETERS = auto()
    """A static export's parameters."""


ENDINGS = {
    ".zip": Kind.ZIP,
    ".pth": Kind.TORCH,
    ".pt": Kind.TORCH,
    ".ckpt": Kind.TORCH,
    ".pdparams": Kind.PICKLE,
    ".safetensors": Kind.SAFETENSORS,
    ".pdmodel": Kind.PROGRAM,
    ".json": Kind.PROGRAM,
    "__model__": Kind.PROGRAM,
    ".pdiparams": Kind.PARAMETERS,
    "__params__": Kind.PARAMETERS,
}
"""What endings (or whole names) promise, where the content does not tell."""

FORMATS = (
    ".pdparams, .pth, .pt, .ckpt, .safetensors, .pdmodel or .json with its .pdiparams, "
    "or a .zip or folder of one of those"
)


class Refusal(NamedTuple):
    """A row of the tables below.

    Attributes:
        pattern: Matches the beginning of a file, or a name in an archive or folder.
        what: What such a file is.
        hint: The way out.
    """

    pattern: str
    what: str
    hint: str


OURS = "only click networks of EISeg and RITM are converted"
UNPACK = "unpack it first, and give the file or folder in it"

REFUSED_CONTENT = (
    Refusal(r"version https://git-lfs", "a pointer of Git LFS, not the file", "run `git lfs pull`"),
    Refusal(r"<\?xml.{0,200}<net ", "an OpenVINO model", f"convert what it was made from; {OURS}"),
    Refusal(r"\s*<", "a web page, not weights", "download the file itself, perhaps logged in"),
    Refusal(r"\x1f\x8b", "compressed by gzip, perhaps a .tar.gz", f"{UNPACK}: tar -xzf or gunzip"),
    Refusal(r"BZh\d", "compressed by bzip2", UNPACK),
    Refusal(r"\xfd7zXZ", "compressed by xz", UNPACK),
    Refusal(r"\x28\xb5\x2f\xfd", "compressed by zstd", UNPACK),
    Refusal(r"7z\xbc\xaf", "a 7z archive", UNPACK),
    Refusal(r"Rar!", "a RAR archive", UNPACK),
    Refusal(r".{257}ustar", "a tar archive", f"{UNPACK}: tar -xf"),
    Refusal(r"\x89HDF", "an HDF5 file, such as Keras writes", OURS),
    Refusal(
        r"\x08[\x01-\x20][\x12\x1a\x22\x28\x32\x3a\x42]",
        "an ONNX model, whose tensors have lost their names",
        "convert the .pdparams or .pth that it was exported from",
    ),
    Refusal(r".{4}(TFL3|ORTM)", "a TensorFlow Lite or ONNX Runtime model", OURS),
    Refusal(r"ftrt", "a TensorRT engine, built for one GPU", "convert what it was built from"),
    Refusal(r"GGU?F|GGML|lmgg|tjgg", "a GGUF or GGML language model", OURS),
    Refusal(
        r"\x93NUMPY", "one NumPy array, not a state dict", "save the whole dictionary as .pdparams"
    ),
    Refusal(r"\x89PNG|\xff\xd8\xff|GIF8|%PDF|II\*\0|MM\0\*", "a picture or document", OURS),
    Refusal(
        r'\s*\{(?!.*"base_code")',
        "a JSON text, neither weights nor Paddle's program",
        "give the weights file that it describes, or download it again",
    ),
)
"""By how files begin, first match counts."""

REFUSED_NAMES = (
    Refusal(
        r"(.*/)?constants\.pkl",
        "a TorchScript program",
        "on a machine that trusts it: torch.save(torch.jit.load(FILE).state_dict(), 'w.pth')",
    ),
    Refusal(
        r"(.*/)?(archive_format|models/model\.json|serialized_exported_program\.json)",
        "a program of torch.export",
        "save the state dict that it was exported from",
    ),
    Refusal(
        r"(.*/)?data\.pkl", "an unpacked PyTorch checkpoint", "zip the folder, and give the .zip"
    ),
    Refusal(r"(.*/)?model_index\.json", "a diffusers pipeline", OURS),
    Refusal(r"(.*/)?(saved_model\.pb|keras_metadata\.pb)", "a TensorFlow model", OURS),
    Refusal(r"(.*/)?model\.weights\.h5|.*\.(h5|hdf5|keras)", "a Keras model", OURS),
    Refusal(r".*ckpt.*\.index", "a TensorFlow checkpoint", OURS),
    Refusal(r".*\.(mlmodel|mlmodelc|mlpackage)(/.*)?", "a Core ML model", OURS),
    Refusal(
        r".*\.npy",
        "NumPy arrays (.npz)",
        "save them as a PyTorch state dict: torch.save({name: torch.from_numpy(array)}, 'w.pth')",
    ),
    Refusal(
        r"(.*/)?(adapter_config|config|preprocessor_config)\.json",
        "a Hugging Face model",
        f"{OURS}; if it is one, give its .safetensors itself",
    ),
)
"""By names of what lies in an archive or folder, first row that matches any name counts."""

_CONTENT = tuple(
    (re.compile(row.pattern.encode("latin1"), re.DOTALL), row) for row in REFUSED_CONTENT
)
_TORCH = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""How PyTorch before 1.6 begins a file: a pickle of its magic number."""

_HEAD = 4096


def kind_of(name: str, data: bytes) -> Kind:
    """What a file is: by its content, and by its ending where that does not tell.

    Raises:
        ConversionError: It is something else, which is named; or it is unknown or empty.
    """
    if not data:
        raise ConversionError(f"{name} is empty: a damaged download", hint="download it again")
    head = data[:_HEAD]
    promised = promised_by(name)
    if head[8:9] == b"{" and (promised is Kind.SAFETENSORS or b'"data_offsets"' in head):
        return Kind.SAFETENSORS
    for pattern, row in _CONTENT:
        if pattern.match(head):
            raise ConversionError(f"{name} is {row.what}", hint=row.hint)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Kind.ZIP
    if head.startswith(_TORCH):
        return Kind.TORCH
    if head[0] == 0x80 and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return Kind.PICKLE
    if head.startswith(bytes(16)) and promised is not Kind.PARAMETERS:
        raise ConversionError(
            f"{name} is the parameters of Paddle's static export",
            hint="name it NAME.pdiparams, beside its NAME.pdmodel",
        )
    if promised is None:
        raise ConversionError(f"{name} has an unknown format", hint=f"supported: {FORMATS}")
    return promised


def promised_by(name: str) -> Kind | None:
    """What a name promises to be; None for what holds no weights."""
    path = PurePath(name)
    return ENDINGS.get(path.suffix.lower() or path.name)


def refuse_by_names(where: str, names: Iterable[str]) -> None:
    """Refuse an archive or folder whose names tell that it is something else.

    Raises:
        ConversionError: It is; what it is and the way out are named.
    """
    present = list(names)
    for row in REFUSED_NAMES:
        if any(re.fullmatch(row.pattern, name) for name in present):
            raise ConversionError(f"{where} is {row.what}", hint=row.hint)
