from __future__ import annotations

import time

import pytest
from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from edgeflow_backend import wsgi
from edgeflow_backend.app import create_app
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.wsgi import Server, create

PATIENCE_S = 10.0


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings of the applications that are made, none of which loads a model."""
    made: list[Settings] = []

    def no_model(_: Settings, __: Metrics, ___: Journal) -> SegmentationService:
        raise RuntimeError("not in this test")

    def make(settings: Settings) -> Flask:
        made.append(settings)
        app = create_app(settings, no_model)
        give_up = time.monotonic() + PATIENCE_S
        while b"DOWN" not in app.test_client().get("/health").data:
            assert time.monotonic() < give_up
            time.sleep(0.005)
        return app

    monkeypatch.setattr(wsgi, "create_app", make)
    return made


def test_the_server_is_one_process_with_threads_from_the_settings() -> None:
    server = Server("127.0.0.1", 9090, Settings(http_threads=70))
    assert isinstance(server, BaseApplication)
    assert server.cfg.workers == 1
    assert server.cfg.threads == 70
    assert server.cfg.worker_class_str == "gthread"


@pytest.mark.parametrize(
    ("host", "bind"),
    [
        ("127.0.0.1", "127.0.0.1:9090"),
        ("localhost", "localhost:9090"),
        ("::1", "[::1]:9090"),
        ("::", "[::]:9090"),
    ],
)
def test_the_server_listens_on_names_and_both_kinds_of_ips(host: str, bind: str) -> None:
    assert Server(host, 9090, Settings()).cfg.bind == [bind]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_gunicorn_understands_the_address(host: str) -> None:
    assert Server(host, 9090, Settings()).cfg.address == [(host, 9090)]


def test_a_worker_is_not_killed_before_a_prediction_is_given_up() -> None:
    settings = Settings()
    assert Server("127.0.0.1", 1, settings).cfg.timeout > settings.request_timeout_s


def test_the_model_is_loaded_after_the_fork() -> None:
    assert Server("127.0.0.1", 1, Settings()).cfg.preload_app is False


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
def test_the_server_logs_as_much_as_the_backend(level: str) -> None:
    server = Server("127.0.0.1", 1, Settings.model_validate({"log_level": level}))
    shown = "INFO" if level == "DEBUG" else level  # its debug messages hold request lines
    assert server.cfg.loglevel == shown.lower()


def test_no_request_is_logged_by_gunicorn() -> None:
    assert Server("127.0.0.1", 1, Settings()).cfg.accesslog is None


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


def test_a_worker_loads_the_application(served: list[Settings]) -> None:
    app = Server("127.0.0.1", 1, Settings()).load()
    assert isinstance(app, Flask)
    assert len(served) == 1
