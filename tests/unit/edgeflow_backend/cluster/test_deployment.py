from __future__ import annotations

from edgeflow_backend.cluster.deployment import options
from edgeflow_backend.settings import Settings


def test_a_fixed_number_of_replicas() -> None:
    chosen = options(Settings(cluster_replicas=3, cluster_cpus=2, cluster_gpus=0.5))
    assert chosen["num_replicas"] == 3
    assert "autoscaling_config" not in chosen
    assert chosen["ray_actor_options"] == {"num_cpus": 2, "num_gpus": 0.5}


def test_as_many_as_clicks_need() -> None:
    chosen = options(Settings(cluster_replicas=2, cluster_max_replicas=8, cluster_target_waiting=6))
    scaling = chosen["autoscaling_config"]
    assert "num_replicas" not in chosen
    assert (scaling.min_replicas, scaling.max_replicas) == (2, 8)
    assert scaling.target_ongoing_requests == 6


def test_a_smaller_limit_than_the_number_changes_nothing() -> None:
    assert options(Settings(cluster_replicas=2, cluster_max_replicas=2))["num_replicas"] == 2
