"""What a runtime starts from: a checkpoint, as a network or as an export of its graph."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.nn.interface import ClickNetwork, Feedback
from edgeflow.runtime.agreement import Probe
from edgeflow.runtime.folding.inference_network import InferenceNetwork
from edgeflow.runtime.graph.export_cache import Export, ExportKey, cached_export, exports_folder
from edgeflow.runtime.graph.trace import Graph, trace
from edgeflow.runtime.torch_eager import TorchRuntime


@dataclass(frozen=True)
class NetworkSource:
    """A checkpoint for a runtime on a device.

    Attributes:
        checkpoint: Checkpoint of the network.
        device: Device to run on.
        exports: Folder of exported graphs; :func:`.exports_folder` by default.
    """

    checkpoint: Checkpoint
    device: torch.device
    exports: Path | None = None

    @property
    def feedback(self) -> Feedback:
        """Output that the network is fed at the next click.

        Raises:
            CheckpointError: The manifest does not fit the architecture.
        """
        return self.checkpoint.network_class().feedback

    def export(self, runtime: str, write: Callable[[Graph], Mapping[str, bytes]]) -> Export:
        """The network's graph in a runtime's own form, from the cache if it is there.

        Args:
            runtime: Name and version of the runtime, which tell its exports apart.
            write: Turns the graph into files, contents by name.

        Raises:
            CheckpointError: The weights cannot be used; they are checked even if the export exists.
        """
        entry = self.checkpoint.entry
        key = ExportKey(
            entry.sha256, entry.architecture, json.dumps(entry.options, sort_keys=True), runtime
        )
        self._check_weights()
        return cached_export(self.exports or exports_folder(), key, lambda: self._make(write))

    def _check_weights(self) -> None:
        path = self.checkpoint.path
        if not path.is_file() or _sha256(path) != self.checkpoint.entry.sha256:
            self.checkpoint.load()  # raises the error that describes the damage

    def _make(self, write: Callable[[Graph], Mapping[str, bytes]]) -> Export:
        network = self.checkpoint.load()
        return Export(write(trace(InferenceNetwork(network))), probe_of(network))


def probe_of(network: ClickNetwork) -> Probe:
    """The probe by the reference runtime, on the CPU."""
    return Probe.of(TorchRuntime(network, torch.device("cpu")))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
