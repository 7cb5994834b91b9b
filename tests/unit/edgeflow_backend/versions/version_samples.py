"""Versions of a network for tests."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.learning.likeness.likeness import Likeness
from edgeflow_backend.versions.store import Versions
from edgeflow_backend.versions.version import Version

VERDICT = {"accepted": True, "NoC@85": {"base": 9.1, "candidate": 6.4}}


def tensors_of(base: Checkpoint, change: float = 0.0) -> dict[str, Tensor]:
    """A base's weights, each multiplied by a little more than 1."""
    tensors = base.load().state_dict()
    return {
        name: tensor * (1 + change) if tensor.is_floating_point() else tensor
        for name, tensor in tensors.items()
    }


def add(
    versions: Versions,
    base: Checkpoint,
    change: float = 0.0,
    *,
    objects: int = 30,
    reason: str = "",
    likeness: Likeness | None = None,
) -> Version:
    """Add a version; one with a reason is refused."""
    return versions.add(
        tensors_of(base, change),
        base,
        objects=objects,
        verdict=VERDICT,
        accepted=not reason,
        reason=reason,
        likeness=likeness,
    )


def tree(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, but for locks."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".lock")
    }
