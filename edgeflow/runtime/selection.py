"""Which runtime executes a model: by name, or the fastest one that does no harm here."""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import nn

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.runtime.agreement import Agreement, Probe
from edgeflow.runtime.base import Runtime, RuntimeUnavailableError
from edgeflow.runtime.cuda import CudaRecorder, computes_bfloat16
from edgeflow.runtime.cuda_replay import RUNS_BEFORE
from edgeflow.runtime.devices import pick_device
from edgeflow.runtime.folding.inference_network import InferenceNetwork
from edgeflow.runtime.graph.export_cache import Export, ExportKey, cached_export, exports_folder
from edgeflow.runtime.graph.trace import SIDE_MULTIPLE, Graph, trace
from edgeflow.runtime.openvino import OpenVINORuntime, has_bfloat16, openvino_files
from edgeflow.runtime.telemetry_free import import_openvino
from edgeflow.runtime.torch_eager import TorchRuntime
from edgeflow.runtime.torch_folded import FoldedTorchRuntime, TorchPrecision

RuntimeName = Literal["auto", "torch", "torch-bf16", "openvino", "openvino-bf16", "onnx"]
RUNTIMES: tuple[RuntimeName, ...] = get_args(RuntimeName)

PRECISIONS: dict[RuntimeName, Literal["float32", "bfloat16"]] = {
    "torch": "float32",
    "torch-bf16": "bfloat16",
    "openvino": "float32",
    "openvino-bf16": "bfloat16",
    "onnx": "float32",
}

LEAST_AGREEMENT = {"float32": Agreement(0.995, 1e-2), "bfloat16": Agreement(0.95, 2.0)}
"""What the probe must show of a runtime, by its precision."""

REPLAYED_PROBES = RUNS_BEFORE + 2
"""Times a device that records is probed: the last ones replay what the first ones did."""

_log = logging.getLogger(__name__)


def start_runtime(
    name: str,
    checkpoint: Checkpoint,
    *,
    device: str = "auto",
    policy: ZoomPolicy | None = None,
    exports: Path | None = None,
) -> Runtime:
    """Start the runtime of a name, or with a warning the next best one that starts.

    What was chosen and how it agrees with PyTorch is logged.

    Args:
        name: one of :data:`RUNTIMES`. ``auto`` takes the fastest one for the device, the processor
            and the zoom policy.
        checkpoint: of the network.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; OpenVINO runs on the CPU only.
        policy: says which sides images have at the network.
        exports: folder of exported graphs; :func:`.exports_folder` by default.

    Raises:
        RuntimeUnavailableError: there is no runtime of that name.
        CheckpointError: the weights cannot be used.
        DeviceError: the device does not exist.
    """
    if name not in RUNTIMES:
        raise RuntimeUnavailableError(
            f"there is no runtime named {name[:80]!r}", hint=f"take one of {', '.join(RUNTIMES)}"
        )
    on_cpu = device == "auto" and name.startswith("openvino")
    picked = pick_device("cpu" if on_cpu else device)
    starter = _Starter(checkpoint, picked, policy or ZoomPolicy(), exports)
    order = candidates(name, picked, fits=starter.fits, bfloat16=lambda: _bfloat16(picked))
    for wish, other in itertools.pairwise(order):
        try:
            return starter.start(wish)
        except (RuntimeUnavailableError, ImportError, OSError, RuntimeError) as error:
            _log.warning(
                "the runtime %s does not start (%s): %s instead, in %s",
                *(wish, error, other, PRECISIONS[other]),
            )
    return starter.start(order[-1])


def candidates(
    name: RuntimeName, device: torch.device, *, fits: bool, bfloat16: Callable[[], bool]
) -> tuple[RuntimeName, ...]:
    """Runtimes to try in turn; the last one is PyTorch in float32, which always starts.

    Args:
        name: what was asked for.
        device: where the model runs.
        fits: whether graphs take the sides that images will have.
        bfloat16: whether the device computes in it; asked where it matters only.
    """
    if name == "auto" and device.type != "cpu":
        name = "torch-bf16" if bfloat16() else "torch"
    elif name == "auto" and not fits:
        name = "torch"
    elif name == "auto":
        name = "openvino-bf16" if bfloat16() else "openvino"
    order: dict[RuntimeName, tuple[RuntimeName, ...]] = {
        "torch": ("torch",),
        "torch-bf16": ("torch-bf16", "torch"),
        "openvino": ("openvino", "torch"),
        "openvino-bf16": ("openvino-bf16", "openvino", "torch"),
        "onnx": ("onnx", "torch"),
    }
    return order[name]


class _Starter:
    """Starts runtimes of one checkpoint."""

    def __init__(
        self, checkpoint: Checkpoint, device: torch.device, policy: ZoomPolicy, exports: Path | None
    ) -> None:
        self._checkpoint = checkpoint
        self._device = device
        self._policy = policy
        self._exports = exports

    @property
    def fits(self) -> bool:
        """Whether graphs take the sides that images will have."""
        policy = self._policy
        return (policy.long_side if policy.square else policy.multiple) % SIDE_MULTIPLE == 0

    def start(self, name: RuntimeName) -> Runtime:
        if name == "torch" and self._device.type == "cpu":  # what the others are held against
            runtime: Runtime = self._torch(self._checkpoint.load(), "float32")
            _log.info("runtime: %s", runtime.name)
            return runtime
        if not name.startswith("torch") and not self.fits:
            raise RuntimeUnavailableError(
                f"the zoom policy {self._policy.name} gives sides that are no multiples of "
                f"{SIDE_MULTIPLE}",
                hint="take the zoom policy edgeflow, or the runtime torch",
            )
        runtime, probe = self._with_probe(name)
        times = REPLAYED_PROBES if self._device.type == "cuda" else 1
        agreement, least = Agreement.of(runtime, probe, times), LEAST_AGREEMENT[PRECISIONS[name]]
        if agreement.iou < least.iou or agreement.logit_difference > least.logit_difference:
            raise RuntimeUnavailableError(
                f"{runtime.name}: {agreement}", hint="take the runtime torch, and report this"
            )
        _log.info("runtime: %s; %s", runtime.name, agreement)
        return runtime

    def _with_probe(self, name: RuntimeName) -> tuple[Runtime, Probe]:
        if name == "onnx":
            return self._onnx()
        if name.startswith("openvino"):
            return self._openvino(name)
        network = self._checkpoint.load()
        return self._torch(network, PRECISIONS[name]), self._probe(network)

    def _torch(self, network: nn.Module, precision: TorchPrecision) -> Runtime:
        return FoldedTorchRuntime(
            network,
            self._device,
            feedback=self._checkpoint.entry.feedback,
            precision=precision,
            recorder=CudaRecorder(self._device) if self._device.type == "cuda" else None,
        )

    def _probe(self, network: nn.Module) -> Probe:
        feedback = self._checkpoint.entry.feedback
        return Probe.of(TorchRuntime(network, torch.device("cpu"), feedback=feedback))

    def _openvino(self, name: RuntimeName) -> tuple[Runtime, Probe]:
        if self._device.type != "cpu":
            raise RuntimeUnavailableError(
                f"OpenVINO runs on the CPU, not on {self._device}",
                hint="set the device to cpu, or take the runtime torch",
            )
        version = import_openvino().__version__
        export = self._export(f"openvino {version}", openvino_files)
        runtime = OpenVINORuntime(
            export.files,
            "bfloat16" if name == "openvino-bf16" else "float32",
            feedback=self._checkpoint.entry.feedback,
            threads=torch.get_num_threads(),
        )
        return runtime, export.probe

    def _onnx(self) -> tuple[Runtime, Probe]:
        # Only those who take it pay for importing it.
        from edgeflow.runtime.onnx import ONNXRuntime, onnx_files  # noqa: PLC0415

        export = self._export("onnx", onnx_files)
        runtime = ONNXRuntime(
            export.files,
            self._device,
            feedback=self._checkpoint.entry.feedback,
            threads=torch.get_num_threads(),
        )
        return runtime, export.probe

    def _export(self, runtime: str, write: Callable[[Graph], dict[str, bytes]]) -> Export:
        entry = self._checkpoint.entry
        key = ExportKey(
            entry.sha256, entry.architecture, json.dumps(entry.options, sort_keys=True), runtime
        )
        self._check_weights()
        return cached_export(self._exports or exports_folder(), key, lambda: self._make(write))

    def _check_weights(self) -> None:
        """An export must not outlive its weights: damage to them is told as without exports."""
        path = self._checkpoint.path
        if not path.is_file() or _sha256(path) != self._checkpoint.entry.sha256:
            self._checkpoint.load()  # raises what is wrong

    def _make(self, write: Callable[[Graph], dict[str, bytes]]) -> Export:
        network, feedback = self._checkpoint.load(), self._checkpoint.entry.feedback
        files = write(trace(InferenceNetwork(network, feedback=feedback)))
        return Export(files, self._probe(network))


def _bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return computes_bfloat16(device)
    try:
        return has_bfloat16()
    except (ImportError, OSError, RuntimeError):
        return False  # starting OpenVINO will say why


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
