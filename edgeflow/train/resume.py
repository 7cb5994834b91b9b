"""The progress of a run on disk: a kill at any moment loses steps, never the run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from edgeflow.nn.interface import ClickNetwork
from edgeflow.train.errors import TrainingError

KEPT = 2
PATTERN = "step-*.safetensors"


@dataclass(frozen=True)
class Position:
    """Progress of a run.

    Attributes:
        step: Steps done.
        seconds: Time that they took, without validation.
        config: Digest of the configuration.
    """

    step: int
    seconds: float
    config: str


@dataclass(frozen=True)
class Learner:
    """Everything that changes in training."""

    network: ClickNetwork
    average: ClickNetwork
    optimiser: torch.optim.Optimizer


def save_progress(folder: Path, learner: Learner, position: Position) -> Path:
    """Write a checkpoint, and delete all older ones except the last.

    Raises:
        OSError: The folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step-{position.step:08d}.safetensors"
    part = path.with_suffix(".part")
    metadata = {"position": json.dumps(asdict(position))}
    save_file(_tensors(learner), part, metadata=metadata)
    part.replace(path)
    for old in sorted(folder.glob(PATTERN))[:-KEPT]:
        old.unlink()
    return path


def resume(folder: Path, learner: Learner, config: str) -> Position | None:
    """Load the newest checkpoint that is not damaged.

    Args:
        folder: Folder of checkpoints.
        learner: Learner on its device, filled in place.
        config: Digest of the configuration.

    Returns:
        Progress of the run; None without a checkpoint.

    Raises:
        TrainingError: The checkpoint belongs to another configuration or network.
    """
    for path in sorted(folder.glob(PATTERN), reverse=True):
        try:
            with safe_open(path, framework="pt") as file:
                position = Position(**json.loads(file.metadata()["position"]))
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, KeyError, TypeError, ValueError):
            continue  # a damaged file: the one before it will do
        if position.config != config:
            raise TrainingError(
                f"{path} was made by another configuration",
                hint="choose another output.folder, or undo the change to continue",
            )
        _fill(learner, tensors, path)
        return position
    return None


def _tensors(learner: Learner) -> dict[str, Tensor]:
    tensors = {f"network.{k}": v for k, v in learner.network.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in learner.average.state_dict().items()}
    for index, state in learner.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{key}": value for key, value in state.items()}
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _fill(learner: Learner, tensors: dict[str, Tensor], path: Path) -> None:
    groups: dict[str, dict[str, Tensor]] = {"network": {}, "average": {}, "optimiser": {}}
    for name, tensor in tensors.items():
        group, _, rest = name.partition(".")
        groups.setdefault(group, {})[rest] = tensor
    state: dict[int, dict[str, Any]] = {}
    for name, tensor in groups["optimiser"].items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = tensor
    try:
        learner.network.load_state_dict(groups["network"])
        learner.average.load_state_dict(groups["average"])
        described = learner.optimiser.state_dict()
        learner.optimiser.load_state_dict({**described, "state": state})
    except (RuntimeError, ValueError) as error:
        raise TrainingError(
            f"{path} does not fit the network ({error})", hint="choose another output.folder"
        ) from error
