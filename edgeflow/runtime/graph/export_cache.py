"""Cache of exports: a network's graph in a runtime's own form, stored with its probe.

An export is a single safetensors file of bytes and numbers, so it is complete or missing, and
nothing in it can be executed. It contains its own digest, which reveals damage.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import stat
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from edgeflow.errors import FileWriteError
from edgeflow.files import write_atomically
from edgeflow.runtime.agreement import Probe

SUFFIX = ".safetensors"
_FILE, _PROBE, _DIGEST = "file.", "probe.", "sha256"
_PRIVATE = 0o700
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH

_log = logging.getLogger(__name__)


def code_digest() -> str:
    """Digest of the source files of networks and runtimes."""
    package = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for path in sorted([*package.glob("nn/**/*.py"), *package.glob("runtime/**/*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class ExportKey:
    """Everything that an export depends on.

    Attributes:
        weights: sha256 of the weights file.
        architecture: Key of :data:`edgeflow.nn.registry.ARCHITECTURES`.
        options: Options of the architecture, as JSON.
        runtime: Runtime and its version.
        precision: Precision of the graph's numbers.
        sides: Sides of the inputs that the graph takes.
        code: Digest of the modules that make it, so that exports of older code are not used.
    """

    weights: str
    architecture: str
    options: str
    runtime: str
    precision: str = "float32"
    sides: str = "multiples of 32"
    code: str = field(default_factory=code_digest)

    @property
    def filename(self) -> str:
        """For example ``edgeflow_lite-6ad9b81c-openvino-2026.4.1-b53e1f0a9d3c7e42.safetensors``."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
        runtime = "".join(c if c.isalnum() or c in ".-" else "-" for c in self.runtime)
        name = f"{self.architecture}-{self.weights[:8]}-{runtime[:40]}-{digest[:16]}"
        return f"{name}{SUFFIX}"


@dataclass(frozen=True)
class Export:
    """A graph in a runtime's form.

    Attributes:
        files: Contents by name.
        probe: PyTorch's output for the probe input when the export was made.
    """

    files: Mapping[str, bytes]
    probe: Probe


class DamagedExportError(Exception):
    """A cached export that is truncated, altered, or not an export."""


def exports_folder() -> Path:
    """The default folder of exports.

    It is in the temporary folder for users without a home, as containers may have.
    """
    try:
        return Path.home() / ".cache" / "edgeflow" / "exports"
    except RuntimeError:
        return Path(tempfile.gettempdir()) / f"edgeflow-exports-{os.getuid()}"


def cached_export(folder: Path, key: ExportKey, make: Callable[[], Export]) -> Export:
    """The export of a key, made and stored if it is missing or damaged.

    If the folder cannot be used, the export is made each time, with a warning.

    Args:
        folder: Folder of exports; created if it is missing, for its owner only.
        key: Everything that the export depends on.
        make: Makes the export.
    """
    path = folder / key.filename
    try:
        _open_folder(folder)
        return read_export(path)
    except FileNotFoundError:
        pass
    except DamagedExportError as error:
        _log.warning("%s is damaged (%s) and is made again", path, error)
    except OSError as error:
        _log.warning(
            "exports cannot be stored in %s (%s): they are made at each start", folder, error
        )
        return make()
    export = make()
    try:
        write_export(path, export)
    except FileWriteError as error:
        _log.warning("the export is not stored: %s", error)
    return export


def write_export(path: Path, export: Export) -> None:
    """Write an export; readers see all of it or nothing.

    Raises:
        FileWriteError: The file cannot be written.
    """
    tensors = {
        f"{_FILE}{name}": torch.frombuffer(bytearray(content), dtype=torch.uint8)
        for name, content in export.files.items()
    }
    for name, values in vars(export.probe).items():
        tensors[f"{_PROBE}{name}"] = values.clone(memory_format=torch.contiguous_format)
    write_atomically(path, save(tensors, {_DIGEST: _digest(tensors)}))


def read_export(path: Path) -> Export:
    """Read an export.

    Raises:
        FileNotFoundError: There is no such file.
        OSError: The file cannot be read.
        DamagedExportError: The file is not what was written.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            digest = (file.metadata() or {}).get(_DIGEST)
    except (SafetensorError, ValueError, TypeError, RuntimeError) as error:
        raise DamagedExportError(type(error).__name__) from error
    if digest != _digest(tensors):
        raise DamagedExportError("its digest differs")
    files = {
        name.removeprefix(_FILE): values.numpy().tobytes()
        for name, values in tensors.items()
        if name.startswith(_FILE)
    }
    try:
        probe = Probe(
            **{
                name.removeprefix(_PROBE): values.clone()
                for name, values in tensors.items()
                if name.startswith(_PROBE)
            }
        )
    except TypeError as error:
        raise DamagedExportError("its probe is not complete") from error
    return Export(files, probe)


def _open_folder(folder: Path) -> None:
    folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
    status = folder.stat()
    if hasattr(os, "getuid") and status.st_uid not in (0, os.getuid()):
        raise PermissionError(f"it belongs to user {status.st_uid}")
    if status.st_mode & _OTHERS_WRITE:  # their files would be executed as graphs
        raise PermissionError("others may write to it")


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        values = tensors[name]
        digest.update(f"{name}|{values.dtype}|{tuple(values.shape)}|".encode())
        digest.update(values.contiguous().numpy().data)
    return digest.hexdigest()
