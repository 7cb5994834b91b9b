"""Writing a version's folder: a standard model folder, and the version's facts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from edgeflow.checkpoints.checkpoint import SUFFIX, Checkpoint
from edgeflow.checkpoints.manifest import add_to_manifest
from edgeflow_backend.versions.card import card, entry_of
from edgeflow_backend.versions.version import LIKENESS, Facts, read_facts


def packed(tensors: Mapping[str, Tensor]) -> bytes:
    """Weights as the bytes of a safetensors file, in half precision.

    Args:
        tensors: By name; counters of batches are left out, as in published weights.

    Raises:
        OverflowError: They are no finite numbers in half precision.
    """
    weights = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).detach().cpu().contiguous()
        for name, tensor in tensors.items()
        if not name.endswith("num_batches_tracked")
    }
    for name, tensor in weights.items():
        if not bool(tensor.isfinite().all()):
            raise OverflowError(f"{name} holds what is no finite number in half precision")
    return save(weights)


def write_version(
    folder: Path, facts: Facts, base: Checkpoint, data: bytes, likeness: bytes, project: str
) -> None:
    """Write a version, and see whether it can be loaded.

    Args:
        folder: An empty folder, named with the version's number.
        facts: The version's.
        base: What it was made from.
        data: Its weights' file.
        likeness: The file that says which images it answers; empty for all.
        project: The project's id.

    Raises:
        OSError: It cannot be written, and so with FileWriteError.
        ValueError: The verdict is no JSON.
        CheckpointError: The weights do not fit the base's network.
        SpoiledVersionError: What was written cannot be read.
    """
    name = ".".join(filter(None, (base.name, project, str(facts.number))))
    path = folder / f"{name}{SUFFIX}"
    path.write_bytes(data)
    if likeness:
        (folder / LIKENESS).write_bytes(likeness)
    entry = entry_of(base, path.name, hashlib.sha256(data).hexdigest(), facts)
    add_to_manifest(folder, name, entry)
    (folder / "MODEL_CARD.md").write_text(card(name, base, entry, facts), encoding="utf-8")
    facts.write(folder)
    _, checkpoint = read_facts(folder)
    checkpoint.load()
