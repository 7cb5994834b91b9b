"""Entry points: the command's own server, and ``create`` for any other WSGI server."""

from __future__ import annotations

from flask import Flask

from edgeflow_backend import log
from edgeflow_backend.app import create_app
from edgeflow_backend.memory.malloc import configure_malloc
from edgeflow_backend.server.listener import listen
from edgeflow_backend.server.server import Server
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics


def create() -> Flask:
    """Make the application with the settings of the environment."""
    return _create(Settings(), Metrics())


def serve(host: str, port: int, settings: Settings) -> None:
    """Serve from this process, which holds the click states, until it is told to stop.

    Args:
        host: Host name or IP to listen on.
        port: Port to listen on.
        settings: Settings of the backend.

    Raises:
        ListenError: The server cannot listen there.
    """
    listener = listen(host, port)  # before the model is loaded
    metrics = Metrics()
    Server(_create(settings, metrics), listener, settings, metrics).run()


def _create(settings: Settings, metrics: Metrics) -> Flask:
    configure_malloc()
    log.configure(settings.log_level, settings.log_format)
    return create_app(settings, metrics=metrics)
