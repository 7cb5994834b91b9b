"""Weights on disk: safetensors files that a manifest describes and a sha256 pins.

Loading never executes code: only safetensors is read, and only if its digest matches.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from torch import Tensor, nn

from edgeflow.checkpoints.manifest import MANIFEST, ModelEntry, read_manifest
from edgeflow.errors import CheckpointError, brief
from edgeflow.nn.interface import ClickNetwork
from edgeflow.nn.registry import ARCHITECTURES

DEFAULT_MODEL = "edgeflow_lite"
"""The shipped model that is used unless another is named."""

SUFFIX = ".safetensors"
PROBLEMS_SHOWN = 20

MAX_BYTES = 4 << 30
"""Size limit of a file, far above any network's here: it is read whole into memory."""

MAX_STATISTICS_BYTES = 1 << 20
"""The same of statistics of images: two numbers a channel."""


@dataclass(frozen=True)
class Checkpoint:
    """A weights file with its manifest entry; the file is only read by :meth:`load`."""

    name: str
    entry: ModelEntry
    path: Path

    @property
    def version(self) -> str:
        """Name and digest, which changes whenever the weights do."""
        return f"{self.name}-{self.entry.sha256[:8]}"

    def network_class(self) -> type[ClickNetwork]:
        """The class of the manifest's architecture.

        Raises:
            CheckpointError: The architecture is unknown, or feeds back something else than the
                manifest says.
        """
        entry = self.entry
        if entry.architecture not in ARCHITECTURES:
            raise CheckpointError(
                f"{self.path.name}: unknown architecture {entry.architecture!r}",
                hint=f"known architectures: {', '.join(sorted(ARCHITECTURES))}",
            )
        network = ARCHITECTURES[entry.architecture]
        if entry.feedback != network.feedback:
            raise CheckpointError(
                f"{self.name}: its manifest says that it feeds back its {entry.feedback}, "
                f"{entry.architecture} feeds back its {network.feedback}",
                hint="correct the manifest, or convert the weights again",
            )
        return network

    def load(self) -> ClickNetwork:
        """Build the network in evaluation mode, float32, on the CPU.

        Raises:
            CheckpointError: The file is missing, is not safetensors, differs from the manifest, or
                does not fit the architecture tensor by tensor.
        """
        tensors = self._read()
        network = self._build()
        load_tensors(network, tensors, source=self.path.name)
        return network.eval()

    def statistics(self) -> bytes | None:
        """The content of the file with statistics of images; None if the manifest names none.

        Raises:
            CheckpointError: The file is missing or differs from the manifest.
        """
        file = self.entry.statistics
        if file is None:
            return None
        return read_pinned(self.path.with_name(file.file), file.sha256, MAX_STATISTICS_BYTES)

    def _build(self) -> ClickNetwork:
        network = self.network_class()
        try:
            return network(**self.entry.options)
        except (TypeError, RuntimeError, ValueError) as error:
            lacks = "lacks" if isinstance(error, TypeError) else "cannot have"
            raise CheckpointError(
                f"{self.name}: its manifest has options that {self.entry.architecture} {lacks}",
                hint=f"convert the weights again ({error})",
            ) from error

    def _read(self) -> dict[str, Tensor]:
        if self.path.suffix.lower() != SUFFIX:
            raise CheckpointError(
                f"{self.path.name} is not a {SUFFIX} file",
                hint="only safetensors weights are loaded; convert others with `edgeflow convert`",
            )
        data = read_pinned(self.path, self.entry.sha256, MAX_BYTES)
        try:
            return parse_safetensors(data)
        except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
            # The library does not wrap the errors of an unknown dtype or shape in its own.
            raise CheckpointError(
                f"{self.path.name} is not a valid safetensors file ({brief(error)})",
                hint="only safetensors weights are loaded; convert others with `edgeflow convert`",
            ) from error


def read_pinned(path: Path, sha256: str, most: int) -> bytes:
    """The content of a file whose digest a manifest states.

    Args:
        path: The file.
        sha256: Its digest, in hex.
        most: Bytes at most.

    Raises:
        CheckpointError: It is missing, larger, or another one.
    """
    try:
        if path.stat().st_size > most:
            raise CheckpointError(
                f"{path.name} is larger than {most} bytes",
                hint="it cannot be what its manifest names: restore it",
            )
        data = path.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"cannot read {path}: {error.strerror}",
            hint="reinstall the package or check the path and its permissions",
        ) from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != sha256:
        raise CheckpointError(
            f"{path.name} has sha256 {digest}, its manifest says {sha256}",
            hint="the file is damaged or was replaced: restore it, or update its manifest",
        )
    return data


def load_tensors(network: nn.Module, tensors: Mapping[str, Tensor], *, source: str) -> None:
    """Fill a network from tensors by name; half-precision tensors become float32.

    Args:
        network: Network to fill; unchanged if anything does not fit.
        tensors: Tensors by parameter name.
        source: Name of their file, for the message.

    Raises:
        CheckpointError: A tensor is missing, superfluous or of another shape.
    """
    own = {
        name: tensor
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    problems = [f"missing {name}" for name in sorted(own.keys() - tensors.keys())]
    problems += [f"superfluous {name}" for name in sorted(tensors.keys() - own.keys())]
    problems += [
        f"{name} has shape {tuple(tensors[name].shape)}, expected {tuple(own[name].shape)}"
        for name in sorted(own.keys() & tensors.keys())
        if tensors[name].shape != own[name].shape
    ]
    if problems:
        listed = "; ".join(problems[:PROBLEMS_SHOWN])
        rest = len(problems) - PROBLEMS_SHOWN
        more = f"; and {rest} more" if rest > 0 else ""
        raise CheckpointError(
            f"{source} does not fit the architecture: {listed}{more}",
            hint="the file belongs to another network, or was altered",
        )
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(tensors[name])


def shipped_folder() -> Path:
    """The folder of the shipped weights, in an installed package or in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "weights"
    return installed if installed.is_dir() else package.parent / "weights"


def user_folder() -> Path:
    """Where converted and downloaded weights are kept unless the user says otherwise."""
    return Path.home() / ".cache" / "edgeflow" / "models"


def models_in(folder: Path) -> list[Checkpoint]:
    """The models that a folder's manifest describes, by name; empty if there is no manifest.

    Raises:
        CheckpointError: The manifest is broken.
    """
    if not (folder / MANIFEST).is_file():
        return []
    models = read_manifest(folder).models
    return [Checkpoint(name, entry, folder / entry.file) for name, entry in sorted(models.items())]


def shipped_models() -> list[Checkpoint]:
    """The models that come with the package, by name."""
    return models_in(shipped_folder())


def known_models(folder: Path | None = None) -> dict[str, Checkpoint]:
    """Shipped, converted and downloaded models by name; shipped ones take precedence.

    Args:
        folder: Folder of converted and downloaded models; :func:`user_folder` by default.
    """
    others = models_in(folder or user_folder())
    return {checkpoint.name: checkpoint for checkpoint in (*others, *shipped_models())}


def find(model: str, folder: Path | None = None) -> Checkpoint:
    """Find a model by name, or by the path of a safetensors file beside a manifest.

    Args:
        model: Name or path. Shipped models come first, then those of ``folder``, then paths.
        folder: Folder of converted and downloaded models; :func:`user_folder` by default.

    Raises:
        CheckpointError: There is no such model, or the manifest does not mention the file.
    """
    composed = unicodedata.normalize("NFC", model)  # as names are stored
    for checkpoint in shipped_models():  # needs no home folder, which a container user may lack
        if checkpoint.name == composed:
            return checkpoint
    models = known_models(folder)
    if composed in models:
        return models[composed]
    path = Path(model)
    if not path.is_file():
        raise CheckpointError(
            f"no model named {model!r} and no such file",
            hint=f"known models: {', '.join(models)}; or give the path of a {SUFFIX} file",
        )
    if path.suffix.lower() != SUFFIX:
        raise CheckpointError(
            f"{path.name} is not a {SUFFIX} file",
            hint="only safetensors weights are loaded; convert others with `edgeflow convert`",
        )
    for name, entry in read_manifest(path.parent).models.items():
        if unicodedata.normalize("NFC", entry.file) == unicodedata.normalize("NFC", path.name):
            return Checkpoint(name, entry, path)
    raise CheckpointError(
        f"{path.parent / MANIFEST} does not describe {path.name}",
        hint="add an entry with its sha256 and architecture",
    )
