"""A router for Ray Serve that needs nothing experimental; see :mod:`.routing`."""

from __future__ import annotations

from ray.serve.request_router import PendingRequest, RequestRouter, RunningReplica

from edgeflow_backend.cluster.routing import CANDIDATES, ranked


class RendezvousRouter(RequestRouter):
    """Sends calls with the same session id to the same replica."""

    async def choose_replicas(
        self,
        candidate_replicas: list[RunningReplica],
        pending_request: PendingRequest | None = None,
    ) -> list[list[RunningReplica]]:
        """Rank the replicas for a call; each rank is tried before the next one."""
        if pending_request is None:
            return [candidate_replicas]
        meta = pending_request.metadata
        by_name = {each.replica_id.unique_id: each for each in candidate_replicas}
        names = ranked(meta.session_id or meta.internal_request_id, by_name)
        return [[by_name[name]] for name in names[:CANDIDATES]]
