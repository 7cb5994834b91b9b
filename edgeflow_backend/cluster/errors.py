"""A cluster that cannot be used."""

from __future__ import annotations

from edgeflow.errors import EdgeFlowError


class ClusterError(EdgeFlowError):
    """A Ray cluster that cannot be joined, or should not be."""

    code = "cluster"


class ReplicaLostError(EdgeFlowError):
    """A replica ended, or was not reached, before it answered."""

    code = "replica_lost"
