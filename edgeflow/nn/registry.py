"""The network classes by the name that manifests and training configurations give them."""

from __future__ import annotations

from edgeflow.nn.edgeflow import EdgeFlow
from edgeflow.nn.interface import ClickNetwork
from edgeflow.nn.lite import EdgeFlowLite
from edgeflow.nn.ritm import RITM

ARCHITECTURES: dict[str, type[ClickNetwork]] = {
    "edgeflow_lite": EdgeFlowLite,
    "edgeflow_hrnet": EdgeFlow,
    "ritm_hrnet": RITM,
}
