"""How a door asks its replicas; :mod:`edgeflow_backend.cluster.serve_replicas` does it with Ray."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from edgeflow_backend.cluster.wire import Reply


@dataclass(frozen=True)
class Fleet:
    """How many replicas there are.

    Attributes:
        running: Replicas that answer.
        wanted: Replicas that there should be now.
    """

    running: int
    wanted: int


class Replicas(Protocol):
    """Replicas behind one address. Thread-safe."""

    @property
    def fleet(self) -> Fleet:
        """How many there are, as known some seconds ago; never waits."""
        ...

    def ask(self, method: str, key: str, value: object, *, deadline: float) -> Reply[Any]:
        """Call a method of one replica and wait for its reply.

        Args:
            method: Name of a method of :class:`edgeflow_backend.cluster.replica.Replica`.
            key: Calls with the same key go to the same replica while it lives.
            value: What the method takes besides its time limit.
            deadline: Latest time on ``time.monotonic``'s clock.

        Raises:
            ReplicaLostError: It may be asked again: another replica answers then.
            DeadlineError: There is no reply in time.
            OverloadedError: Too many calls wait for replicas.
            NotReadyError: There are no replicas, and none are coming.
        """
        ...

    def tell(self, method: str, key: str, value: object) -> None:
        """Call a method of one replica, without waiting and without errors."""
        ...

    def close(self) -> None:
        """Leave them; they live on."""
        ...
