"""Exports: a network's graph in a runtime's own form, made once and kept beside its probe.

An export is one safetensors file that holds bytes and numbers, so that it is there whole or not at
all, and so that nothing in it can be executed. Its own digest tells a damaged one.
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

from edgeflow.errors import CheckpointError
from edgeflow.files import write_atomically
from edgeflow.runtime.agreement import Probe

SUFFIX = ".safetensors"
_FILE, _PROBE, _DIGEST = "file.", "probe.", "sha256"
_PRIVATE = 0o700
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH

_log = logging.getLogger(__name__)


def code_digest() -> str:
    """Of the networks' and the runtimes' source files."""
    package = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for path in sorted([*package.glob("nn/**/*.py"), *package.glob("runtime/**/*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class ExportKey:
    """All that an export depends on.

    Attributes:
        weights: sha256 of the weights file.
        architecture: name in :data:`edgeflow.nn.registry.ARCHITECTURES`.
        options: of the architecture, as JSON.
        runtime: the runtime and its version.
        precision: of the graph's numbers.
        sides: which inputs the graph takes.
        code: digest of the modules that make it, so that no change of theirs meets an old export.
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
        files: contents by name.
        probe: what PyTorch made of the probe input when the export was made.
    """

    files: Mapping[str, bytes]
    probe: Probe


class DamagedExportError(Exception):
    """A cached export that is cut short, altered, or something else."""


def exports_folder() -> Path:
    """Where exports are kept unless the user says otherwise.

    A user without a home, as containers may have, keeps them in the temporary folder.
    """
    try:
        return Path.home() / ".cache" / "edgeflow" / "exports"
    except RuntimeError:
        return Path(tempfile.gettempdir()) / f"edgeflow-exports-{os.getuid()}"


def cached_export(folder: Path, key: ExportKey, make: Callable[[], Export]) -> Export:
    """The export under ``key``, made and kept if it is not there or is damaged.

    Where the folder cannot be used, the export is made each time, with a warning.

    Args:
        folder: made if missing, for its owner only.
        key: what it depends on.
        make: makes it.
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
        _log.warning("exports cannot be kept in %s (%s): made anew at each start", folder, error)
        return make()
    export = make()
    try:
        write_export(path, export)
    except CheckpointError as error:
        _log.warning("the export is not kept: %s", error)
    return export


def write_export(path: Path, export: Export) -> None:
    """Write an export; readers see all of it or nothing.

    Raises:
        CheckpointError: it cannot be written.
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
        FileNotFoundError: there is none.
        OSError: it cannot be read.
        DamagedExportError: it is not what was written.
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
    found = folder.stat()
    if hasattr(os, "getuid") and found.st_uid not in (0, os.getuid()):
        raise PermissionError(f"it belongs to user {found.st_uid}")
    if found.st_mode & _OTHERS_WRITE:  # what they leave there would be run
        raise PermissionError("others may write to it")


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        values = tensors[name]
        digest.update(f"{name}|{values.dtype}|{tuple(values.shape)}|".encode())
        digest.update(values.contiguous().numpy().data)
    return digest.hexdigest()
