from __future__ import annotations

import time

import pytest
from flask import Flask

from edgeflow_backend import wsgi
from edgeflow_backend.app import Build, create_app
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.wsgi import create

PATIENCE_S = 10.0


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings of the applications that are made, none of which loads a model."""
    made: list[Settings] = []

    def no_model(_: Settings, __: Metrics, ___: Journal) -> SegmentationService:
        raise RuntimeError("not in this test")

    def make(settings: Settings, _: Build, *, metrics: Metrics) -> Flask:
        made.append(settings)
        app = create_app(settings, no_model, metrics=metrics)
        give_up = time.monotonic() + PATIENCE_S
        while b"DOWN" not in app.test_client().get("/health").data:
            assert time.monotonic() < give_up
            time.sleep(0.005)
        return app

    monkeypatch.setattr(wsgi, "create_app", make)
    return made


def test_the_application_is_made_from_the_environment(
    served: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEFLOW_MAX_BODY_MB", "3")
    app = create()
    assert [settings.max_body_mb for settings in served] == [3]
    assert app.config["MAX_CONTENT_LENGTH"] == 3_000_000
    assert app.test_client().get("/health").status_code == 503


def test_the_log_is_set_up_with_the_application(
    served: list[Settings],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("EDGEFLOW_LOG_LEVEL", "WARNING")
    client = create().test_client()
    client.post("/webhook", json={"action": "START_TRAINING"})
    client.post("/predict", data=b"x")
    output = capsys.readouterr()
    assert output.out == ""
    assert '"request refused"' in output.err
    assert '"webhook"' not in output.err
    assert len(served) == 1
