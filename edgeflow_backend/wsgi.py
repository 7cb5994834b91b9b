"""Entry point for WSGI servers: ``gunicorn 'edgeflow_backend.wsgi:create()'``."""

from __future__ import annotations

from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from edgeflow_backend import log
from edgeflow_backend.app import create_app
from edgeflow_backend.memory.malloc import configure_malloc
from edgeflow_backend.settings import Settings


def create() -> Flask:
    """Make the application with the settings of the environment."""
    configure_malloc()
    settings = Settings()
    log.configure(settings.log_level, settings.log_format)
    return create_app(settings)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """One worker process with a pool of threads; the process holds the click states.

    Args:
        host: Host name or IP to listen on.
        port: Port to listen on.
        settings: Settings of the backend.
    """

    def __init__(self, host: str, port: int, settings: Settings) -> None:
        self._options: dict[str, Any] = {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "worker_class": "gthread",
            "workers": 1,
            "threads": settings.http_threads,
            "timeout": 120,
            "graceful_timeout": 10,
            "keepalive": 75,
            "limit_request_line": 8190,
            # Its debug messages hold whole request lines, with whatever is secret in them.
            "loglevel": settings.log_level.lower().replace("debug", "info"),
            "control_socket_disable": True,
        }
        super().__init__()

    def load_config(self) -> None:
        """Copy the options; called by gunicorn."""
        for name, value in self._options.items():
            if name in self.cfg.settings:  # older releases lack some
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the application; called by gunicorn after the fork, so the model loads there."""
        return create()
