from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.label_studio import Service, free_port, start_backend
from tests.contract.images import TOKEN, serve_images

LIMITS = {
    "EDGEFLOW_MAX_BODY_MB": "8",
    "EDGEFLOW_MAX_IMAGE_MB": "2",
    "EDGEFLOW_CONNECT_TIMEOUT_S": "1",
    "EDGEFLOW_READ_TIMEOUT_S": "1",
    "EDGEFLOW_DOWNLOAD_TIMEOUT_S": "2",
    "EDGEFLOW_SIMILAR_SECONDS": "60",
}


@pytest.fixture(scope="session")
def backend_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The real backend with tight limits and an image host as Label Studio."""
    log = tmp_path_factory.mktemp("backend") / "backend.log"
    command = Path(sys.executable).with_name("edgeflow-backend")
    with serve_images() as host:
        environment = {**LIMITS, "LABEL_STUDIO_URL": host, "LABEL_STUDIO_API_KEY": TOKEN}
        with start_backend(command, free_port(), log, environment) as service:
            service.wait(60)
            yield service


@pytest.fixture
def backend_url(backend_service: Service) -> str:
    return backend_service.health.removesuffix("/health")
