from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.label_studio import Service, free_port
from demo.ray_head import Head, ray_head
from tests.contract.images import TOKEN, serve_images

SETTINGS = {
    "EDGEFLOW_CPU_THREADS": "1",
    "EDGEFLOW_CLUSTER_REPLICAS": "2",
    "EDGEFLOW_STATE_CACHE_MB": "64",
    "EDGEFLOW_IMAGE_CACHE_MB": "64",
    "EDGEFLOW_MAX_IMAGE_MB": "2",
    "EDGEFLOW_SIMILAR_SECONDS": "60",
}


def start(environment: dict[str, str], log: Path, *options: str) -> Service:
    """Start a backend without waiting for it; options are those of ``serve``."""
    port = free_port()
    command = [sys.executable, "-m", "edgeflow_backend.cli", "serve", "--port", str(port), *options]
    return Service(command, f"http://127.0.0.1:{port}/health", log, environment)


@pytest.fixture(scope="session")
def head() -> Iterator[Head]:
    with ray_head() as running:
        yield running


@pytest.fixture(scope="session")
def settings() -> Iterator[dict[str, str]]:
    """Settings of every backend here, with a host of images as its Label Studio."""
    with serve_images() as host:
        yield {**SETTINGS, "LABEL_STUDIO_URL": host, "LABEL_STUDIO_API_KEY": TOKEN}


@pytest.fixture(scope="session")
def door_service(
    head: Head, settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A door in front of two replicas."""
    log = tmp_path_factory.mktemp("door") / "door.log"
    with start({**settings, **head.environment}, log, "--cluster", head.address) as service:
        service.wait(120)
        yield service


@pytest.fixture(scope="session")
def door(door_service: Service) -> str:
    return door_service.health.removesuffix("/health")


@pytest.fixture(scope="session")
def one_service(
    settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The same backend as one process."""
    log = tmp_path_factory.mktemp("one") / "one.log"
    with start({**settings, "OMP_NUM_THREADS": "1"}, log) as service:
        service.wait(60)
        yield service


@pytest.fixture(scope="session")
def one(one_service: Service) -> str:
    return one_service.health.removesuffix("/health")
