from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from edgeflow.inference.predictor import Predictor
from edgeflow_backend.app import create_app
from edgeflow_backend.learning import keeper as module
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics
from tests.unit.edgeflow_backend.examples.studio import PROJECT, TOKEN, Studio
from tests.unit.edgeflow_backend.learning.learning import Learning
from tests.unit.edgeflow_backend.loopback import Host
from tests.unit.local_service import local_service


@pytest.fixture
def studio(host: Host) -> Studio:
    return Studio(host)


@pytest.fixture
def learning_settings(host: Host, tmp_path: Path) -> Callable[..., Settings]:
    """Makes settings in which that Label Studio's project is switched on."""

    def make(**changes: Any) -> Settings:
        fields = {
            "label_studio_url": host.url,
            "label_studio_api_key": TOKEN,
            "learn_projects": str(PROJECT),
            "learn_dir": str(tmp_path / "learning"),
        }
        return Settings(**{**fields, **changes})

    return make


@pytest.fixture
def learning(learning_settings: Callable[..., Settings]) -> Learning:
    return Learning(learning_settings())


@pytest.fixture
def make_client(
    learning_settings: Callable[..., Settings],
    predictor: Predictor,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., FlaskClient]]:
    monkeypatch.setattr(module, "SETTLE_S", 0.0)
    monkeypatch.setattr(module, "PAUSE_S", 0.0)
    monkeypatch.setattr(module, "RESTS", 0)
    services: list[SegmentationService] = []

    def build(settings: Settings, metrics: Metrics, journal: Journal) -> SegmentationService:
        services.append(local_service(settings, predictor, metrics, journal=journal))
        return services[-1]

    def make(**changes: Any) -> FlaskClient:
        client = create_app(learning_settings(**changes), build).test_client()
        assert client.get("/versions").status_code == 200
        return client

    yield make
    for service in services:
        service.close()
