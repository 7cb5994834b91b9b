"""What Ray Serve is told to run: the replicas' class, their number and what each may use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ray import serve
from ray.serve.config import AutoscalingConfig, RequestRouterConfig
from ray.serve.schema import LoggingConfig

from edgeflow_backend.cluster.replica import Replica
from edgeflow_backend.cluster.routing import router
from edgeflow_backend.segmenter.local import LocalSegmenter, load_segmenter
from edgeflow_backend.settings import Settings

APPLICATION = "edgeflow"
DEPLOYMENT = "segmenter"

MOST_ONGOING = 10_000
"""Calls that a replica may hold; the engine's own queue refuses long before."""

CHECK_S, CHECK_TIMEOUT_S = 5.0, 10.0
"""How often Ray asks a replica whether it lives, and how long it waits."""

DRAIN_S = 95.0
"""How long a replica that is to go may still answer; as long as a prediction may take."""


class ServedReplica(Replica):
    """A replica that Ray Serve has named."""

    def __init__(
        self,
        fingerprint: str,
        settings: Settings,
        load: Callable[..., LocalSegmenter] = load_segmenter,
    ) -> None:
        name = serve.get_replica_context().replica_id.unique_id
        super().__init__(name, fingerprint, settings, load)


def application(
    fingerprint: str, settings: Settings, load: Callable[..., LocalSegmenter] = load_segmenter
) -> serve.Application:
    """The application that doors share.

    Args:
        fingerprint: Identifies settings and code.
        settings: Of the door; they travel with it.
        load: Makes a replica's segmenter.
    """
    deployment = serve.deployment(name=DEPLOYMENT, **options(settings))(ServedReplica)
    return deployment.bind(fingerprint, settings, load)


def options(settings: Settings) -> dict[str, Any]:
    """The deployment's options, as Ray Serve names them."""
    least, most = settings.cluster_replicas, settings.cluster_max_replicas
    number: dict[str, Any] = {"num_replicas": least}
    if most > least:
        number = {
            "autoscaling_config": AutoscalingConfig(
                min_replicas=least,
                max_replicas=most,
                target_ongoing_requests=settings.cluster_target_waiting,
            )
        }
    return number | {
        "max_ongoing_requests": MOST_ONGOING,
        "ray_actor_options": {
            "num_cpus": settings.cluster_cpus,
            "num_gpus": settings.cluster_gpus,
        },
        "request_router_config": RequestRouterConfig.model_validate(router()),
        "logging_config": LoggingConfig(log_level="WARNING", enable_access_log=False),
        "health_check_period_s": CHECK_S,
        "health_check_timeout_s": CHECK_TIMEOUT_S,
        "graceful_shutdown_timeout_s": DRAIN_S,
    }
