"""The table of runtimes, and the choice between them: by name, or the fastest that works.

A runtime is one module in this package and one row in :data:`RUNTIMES`.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import torch

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.runtime import onnx, openvino, torch_folded
from edgeflow.runtime.agreement import Agreement, Probe
from edgeflow.runtime.base import Precision, Runtime, RuntimeUnavailableError
from edgeflow.runtime.cuda_replay import RUNS_BEFORE
from edgeflow.runtime.devices import computes_bfloat16, pick_device
from edgeflow.runtime.graph.trace import SIDE_MULTIPLE
from edgeflow.runtime.source import NetworkSource

AUTO = "auto"

LEAST_AGREEMENT: dict[Precision, Agreement] = {
    "float32": Agreement(0.995, 1e-2),
    "bfloat16": Agreement(0.95, 2.0),
}
"""Agreement with PyTorch that the probe must show, by a runtime's precision."""

REPLAYED_PROBES = RUNS_BEFORE + 2
"""Probe runs on a device that records: the last ones replay what the first ones did."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RuntimeSpec:
    """A way to execute a network.

    Attributes:
        precision: Precision of the convolutions.
        start: Starts the runtime in a precision and gives the probe to compare it with; None if
            it needs no comparison.
        fallback: Name of the runtime to try if this one does not start; None for the last resort.
        devices: Types of the devices that it runs on.
        side_multiple: Number that the inputs' sides must be multiples of.
    """

    precision: Precision
    start: Callable[[NetworkSource, Precision], tuple[Runtime, Probe | None]]
    fallback: str | None
    devices: tuple[str, ...] = ("cpu", "cuda")
    side_multiple: int = 1


RUNTIMES: dict[str, RuntimeSpec] = {
    "torch": RuntimeSpec("float32", torch_folded.start, fallback=None),
    "torch-bf16": RuntimeSpec("bfloat16", torch_folded.start, fallback="torch"),
    "openvino": RuntimeSpec(
        "float32",
        openvino.start,
        fallback="torch",
        devices=("cpu",),
        side_multiple=SIDE_MULTIPLE,
    ),
    "openvino-bf16": RuntimeSpec(
        "bfloat16",
        openvino.start,
        fallback="openvino",
        devices=("cpu",),
        side_multiple=SIDE_MULTIPLE,
    ),
    "onnx": RuntimeSpec("float32", onnx.start, fallback="torch", side_multiple=SIDE_MULTIPLE),
}

RUNTIME_NAMES = (AUTO, *RUNTIMES)
"""Names that users may choose from."""

# A type checker needs literals written out; pydantic takes them from the table.
if TYPE_CHECKING:
    RuntimeName: TypeAlias = str
else:
    RuntimeName = Literal[RUNTIME_NAMES]
"""Type of a setting that accepts one of :data:`RUNTIME_NAMES`."""


def start_runtime(
    name: str,
    checkpoint: Checkpoint,
    *,
    device: str = "auto",
    side_multiple: int = SIDE_MULTIPLE,
    exports: Path | None = None,
) -> Runtime:
    """Start the runtime of a name, or with a warning the next best one that starts.

    The choice and its agreement with PyTorch are logged.

    Args:
        name: One of :data:`RUNTIME_NAMES`. ``auto`` takes the fastest one for the device, the
            processor and the images' sides.
        checkpoint: Checkpoint of the network.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; OpenVINO only runs on the CPU.
        side_multiple: Number that the sides of all images at the network are multiples of.
        exports: Folder of exported graphs; :func:`.exports_folder` by default.

    Raises:
        RuntimeUnavailableError: There is no runtime of that name.
        CheckpointError: The weights cannot be used.
        DeviceError: The device does not exist.
    """
    if name != AUTO and name not in RUNTIMES:
        raise RuntimeUnavailableError(
            f"there is no runtime named {name[:80]!r}",
            hint=f"choose one of {', '.join(RUNTIME_NAMES)}",
        )
    if device == "auto" and name in RUNTIMES and "cuda" not in RUNTIMES[name].devices:
        device = "cpu"
    source = NetworkSource(checkpoint, pick_device(device), exports)
    order = candidates(
        name,
        source.device,
        side_multiple=side_multiple,
        bfloat16=lambda: _bfloat16(source.device),
    )
    for choice, other in itertools.pairwise(order):
        try:
            return _start(choice, source, side_multiple)
        except (RuntimeUnavailableError, ImportError, OSError, RuntimeError) as error:
            _log.warning(
                "the runtime %s does not start (%s): using %s instead, in %s",
                *(choice, error, other, RUNTIMES[other].precision),
            )
    return _start(order[-1], source, side_multiple)


def candidates(
    name: str, device: torch.device, *, side_multiple: int, bfloat16: Callable[[], bool]
) -> tuple[str, ...]:
    """Runtimes to try in turn; the last one is PyTorch in float32, which always starts.

    Args:
        name: Requested name, one of :data:`RUNTIME_NAMES`.
        device: Device to run on.
        side_multiple: Number that the sides of all images at the network are multiples of.
        bfloat16: Tells whether the device computes in bfloat16; only called where it matters.
    """
    order = [_fastest(device, side_multiple, bfloat16) if name == AUTO else name]
    while (fallback := RUNTIMES[order[-1]].fallback) is not None:
        order.append(fallback)
    return tuple(order)


def _fastest(device: torch.device, side_multiple: int, bfloat16: Callable[[], bool]) -> str:
    if device.type != "cpu":
        return "torch-bf16" if bfloat16() else "torch"
    if side_multiple % SIDE_MULTIPLE:
        return "torch"
    return "openvino-bf16" if bfloat16() else "openvino"


def _start(name: str, source: NetworkSource, side_multiple: int) -> Runtime:
    spec, device = RUNTIMES[name], source.device
    if device.type not in spec.devices:
        raise RuntimeUnavailableError(
            f"{name} runs on {' and '.join(spec.devices)}, not on {device}",
            hint="choose another device, or the runtime torch",
        )
    if side_multiple % spec.side_multiple:
        raise RuntimeUnavailableError(
            f"the zoom policy gives sides that are not multiples of {spec.side_multiple}",
            hint="choose the zoom policy edgeflow, or the runtime torch",
        )
    runtime, probe = spec.start(source, spec.precision)
    if probe is None:
        _log.info("runtime: %s", runtime.name)
        return runtime
    agreement = Agreement.of(runtime, probe, REPLAYED_PROBES if device.type == "cuda" else 1)
    if not agreement.reaches(LEAST_AGREEMENT[spec.precision]):
        raise RuntimeUnavailableError(
            f"{runtime.name}: {agreement}", hint="choose the runtime torch, and report this"
        )
    _log.info("runtime: %s; %s", runtime.name, agreement)
    return runtime


def _bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return computes_bfloat16(device)
    try:
        return openvino.has_bfloat16()
    except (ImportError, OSError, RuntimeError):
        return False  # starting OpenVINO will say why
