"""What the door does with Ray itself: join, check who else may, start the application."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import grpc
import ray
from ray import serve
from ray.exceptions import AuthenticationError

from edgeflow.errors import EdgeFlowError
from edgeflow_backend.cluster.deployment import APPLICATION, DEPLOYMENT, application
from edgeflow_backend.cluster.errors import ClusterError
from edgeflow_backend.cluster.replicas import Fleet
from edgeflow_backend.cluster.serve_replicas import ServeReplicas
from edgeflow_backend.log import get_logger
from edgeflow_backend.segmenter.local import LocalSegmenter
from edgeflow_backend.settings import Settings

NAMESPACE = "edgeflow"

ANY_CALL = "/ray.rpc.NodeInfoGcsService/CheckAlive"
"""A harmless call to Ray's head, which needs the token like all others."""

PROBE_S = 5.0
ASK_S = 10.0

_REFUSED = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNAVAILABLE)
"""Answers to a stranger: without the token, or without the certificate of mutual TLS."""


def connect(address: str, *, allow_open: bool) -> None:
    """Join a cluster as a driver.

    Args:
        address: ``host:port``, or ``auto``.
        allow_open: Whether it may be one that anybody can use who reaches it.

    Raises:
        ClusterError: It cannot be joined, or is open to anybody.
    """
    try:
        ray.init(
            address, namespace=NAMESPACE, log_to_driver=False, logging_level=logging.WARNING,
            ignore_reinit_error=True,
        )  # fmt: skip
    except AuthenticationError as error:
        raise ClusterError(
            "the cluster does not accept this door's token",
            hint="set RAY_AUTH_MODE=token and the same RAY_AUTH_TOKEN_PATH on all machines",
        ) from error
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ClusterError(
            f"no Ray cluster can be joined at {address} ({type(error).__name__})",
            hint="start one as in docs/scaling.md, or give the address of its head as host:port",
        ) from error
    if not allow_open and lets_anybody_in(ray.get_runtime_context().gcs_address):
        ray.shutdown()
        raise ClusterError(
            "the cluster runs whatever anybody sends who reaches it: it asks for no token",
            hint="start Ray with RAY_AUTH_MODE=token, see docs/scaling.md; in a network that only "
            "you reach, EDGEFLOW_CLUSTER_WITHOUT_TOKEN=1 allows it",
        )


def lets_anybody_in(address: str) -> bool:
    """Whether the head of a cluster answers calls without a token.

    Args:
        address: ``host:port`` of the head.
    """
    with grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)]) as channel:
        try:
            channel.unary_unary(ANY_CALL)(b"", timeout=PROBE_S)
        except grpc.RpcError as error:
            return error.code() not in _REFUSED
    return True


def running(fingerprint: str) -> ServeReplicas | None:
    """The replicas that run already, if they were started with the same settings and code."""
    status = serve.status().applications.get(APPLICATION)
    if status is None or status.status != "RUNNING":
        return None
    replicas = _replicas()
    try:
        reply = replicas.ask("describe", "", None, deadline=time.monotonic() + ASK_S)
        if reply.unpacked().fingerprint == fingerprint:
            return replicas
    except EdgeFlowError as error:  # they are started anew
        get_logger().warning("replicas do not answer", reason=error.message)
    replicas.close()
    return None


def start(
    fingerprint: str, settings: Settings, load: Callable[..., LocalSegmenter]
) -> ServeReplicas:
    """Start the replicas, or have those that run replaced one after the other."""
    serve.start(proxy_location="Disabled")  # the door is the only speaker of HTTP
    serve.run(application(fingerprint, settings, load), name=APPLICATION, route_prefix=None)
    return _replicas()


def _replicas() -> ServeReplicas:
    return ServeReplicas(serve.get_deployment_handle(DEPLOYMENT, APPLICATION), _look)


def _look() -> Fleet:
    """How many replicas there are."""
    states = serve.status().applications[APPLICATION].deployments[DEPLOYMENT].replica_states
    counts = {str(state): count for state, count in states.items()}  # names, whatever the type says
    return Fleet(counts.get("RUNNING", 0), sum(counts.values()) - counts.get("STOPPING", 0))
