"""Architectures by name."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from edgeflow.nn.lite import EdgeFlowLite

ARCHITECTURES: dict[str, Callable[[], nn.Module]] = {"edgeflow_lite": EdgeFlowLite}
