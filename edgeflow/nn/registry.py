"""Architectures by name, with the options that a manifest may set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from edgeflow.nn.edgeflow import EdgeFlow
from edgeflow.nn.interface import Feedback
from edgeflow.nn.lite import EdgeFlowLite
from edgeflow.nn.ritm import RITM


@dataclass(frozen=True)
class Architecture:
    """A network class, and which of its outputs it is fed at the next click."""

    network: type[nn.Module]
    feedback: Feedback

    def build(self, options: Mapping[str, int | bool]) -> nn.Module:
        """Make the network with random parameters.

        Raises:
            TypeError: an option that the network does not have.
        """
        return self.network(**options)


ARCHITECTURES = {
    "edgeflow_lite": Architecture(EdgeFlowLite, "edge"),
    "edgeflow_hrnet": Architecture(EdgeFlow, "edge"),
    "ritm_hrnet": Architecture(RITM, "mask"),
}
