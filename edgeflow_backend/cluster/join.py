"""Joining a Ray cluster: with a token, or not at all."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import time
from collections.abc import Callable

from pydantic import SecretStr

from edgeflow import __version__
from edgeflow_backend.cluster.errors import ClusterError
from edgeflow_backend.cluster.remote import RemoteSegmenter
from edgeflow_backend.log import get_logger
from edgeflow_backend.segmenter.local import LocalSegmenter, load_segmenter
from edgeflow_backend.settings import Settings
from edgeflow_backend.shared.tier import open_tier
from edgeflow_backend.status.metrics import Metrics

START_S = 600.0
"""Time for the first replica: it loads weights and warms up."""


def join(address: str, settings: Settings) -> None:
    """Join a cluster. From the main thread: Ray changes what happens on signals.

    Args:
        address: Of the cluster, as ``host:port``; ``auto`` for the one on this machine.
        settings: Settings of the backend.

    Raises:
        ClusterError: Ray is not installed, or the cluster cannot be joined or lets anybody in.
    """
    if importlib.util.find_spec("ray") is None:
        raise ClusterError(
            "--cluster needs Ray, which is not installed",
            hint="install this project with its extra `ray`, on every machine of the cluster",
        )
    from edgeflow_backend.cluster import ray_cluster  # noqa: PLC0415 - slow, optional

    ray_cluster.connect(address, allow_open=settings.cluster_without_token)


def load_remote(
    settings: Settings,
    metrics: Metrics,
    *,
    on_note: Callable[[str], None] | None = None,
    load: Callable[..., LocalSegmenter] = load_segmenter,
) -> RemoteSegmenter:
    """Start replicas in the cluster joined, or use those that have the same settings.

    Args:
        settings: Settings of the backend, and of the replicas.
        metrics: Counts what replicas count.
        on_note: Told what a user should know of an image.
        load: Makes a replica's segmenter.

    Raises:
        NotReadyError: No replica could be started.
        DeadlineError: None was started in time.
    """
    from edgeflow_backend.cluster import ray_cluster  # noqa: PLC0415 - slow, optional

    fingerprint = fingerprint_of(settings)
    replicas = ray_cluster.running(fingerprint)
    if replicas is None:
        get_logger().info("starting replicas", least=settings.cluster_replicas)
        replicas = ray_cluster.start(fingerprint, settings, load)
    described = replicas.ask("describe", "", None, deadline=time.monotonic() + START_S).unpacked()
    tier = open_tier(settings, "images", metrics)
    return RemoteSegmenter(settings, replicas, described, metrics, on_note=on_note, tier=tier)


def fingerprint_of(settings: Settings) -> str:
    """Differs wherever the code or any setting does, secrets included; the same in any process."""
    values = json.dumps(settings.model_dump(), sort_keys=True, default=_revealed)
    return hashlib.sha256(f"{__version__} {values}".encode()).hexdigest()


def _revealed(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
