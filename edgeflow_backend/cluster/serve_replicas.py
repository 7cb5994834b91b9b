"""Replicas under Ray Serve."""

from __future__ import annotations

import concurrent.futures
import threading
import time
from collections.abc import Callable
from typing import Any

from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import (
    BackPressureError,
    DeploymentUnavailableError,
    ReplicaUnavailableError,
    RequestCancelledError,
)
from ray.serve.handle import DeploymentHandle
from typing_extensions import override

from edgeflow_backend.cluster.errors import ReplicaLostError
from edgeflow_backend.cluster.replicas import Fleet, Replicas
from edgeflow_backend.cluster.wire import Reply
from edgeflow_backend.errors import DeadlineError, NotReadyError, OverloadedError
from edgeflow_backend.log import get_logger
from edgeflow_backend.tracing.spans import inject

LOOK_S = 2.0
"""Seconds between two looks at how many replicas there are."""

TELL_S = 120.0
"""Time limit of calls that nobody waits for."""


class ServeReplicas(Replicas):
    """Asks replicas through a handle of their deployment.

    Args:
        handle: The deployment's.
        look: Says how many replicas there are; may take its time, or fail.
    """

    def __init__(self, handle: DeploymentHandle[Any], look: Callable[[], Fleet]) -> None:
        self._handle = handle
        self._look = look
        self._fleet = Fleet(0, 0)
        self._closed = threading.Event()
        threading.Thread(target=self._watch, name="replicas", daemon=True).start()

    @property
    @override
    def fleet(self) -> Fleet:
        return self._fleet

    @override
    def ask(self, method: str, key: str, value: object, *, deadline: float) -> Reply[Any]:
        patience_s = max(deadline - time.monotonic(), 0.0)
        call = self._handle.options(method_name=method, session_id=key)
        response = call.remote(value, patience_s, inject())
        try:
            reply: Reply[Any] = response.result(timeout_s=patience_s)
        except (TimeoutError, concurrent.futures.TimeoutError) as error:
            response.cancel()  # type: ignore[no-untyped-call]
            raise DeadlineError(
                "no replica answered in time",
                hint="too many annotators for the replicas, or the cluster is out of reach; see "
                "the door's /status",
            ) from error
        except BackPressureError as error:
            raise OverloadedError(
                "too many calls wait for replicas", hint="try again in a moment, or add replicas"
            ) from error
        except DeploymentUnavailableError as error:
            raise NotReadyError(
                "the cluster could not start any replica", hint="see the logs of Ray Serve"
            ) from error
        except RayTaskError:
            raise  # a defect in the replica: it is up and would fail again
        except (RayError, ReplicaUnavailableError, RequestCancelledError) as error:
            raise ReplicaLostError(
                f"a replica was lost before it answered ({type(error).__name__})",
                hint="click again; if that lasts, see the logs of Ray Serve",
            ) from error
        return reply

    @override
    def tell(self, method: str, key: str, value: object) -> None:
        self._handle.options(method_name=method, session_id=key).remote(value, TELL_S, inject())

    @override
    def close(self) -> None:
        self._closed.set()

    def _watch(self) -> None:
        """Keep up to date how many there are, apart from those who want to know."""
        while not self._closed.is_set():
            try:
                self._fleet = self._look()
            except Exception as error:  # noqa: BLE001 - the cluster's head may be away for a while
                get_logger().warning("the cluster is out of reach", reason=type(error).__name__)
            self._closed.wait(LOOK_S)
