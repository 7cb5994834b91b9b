"""What Label Studio sends to a backend, kept on its way there."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from tests.e2e.serving import serving

PATIENCE_S = 120


class Relay(ThreadingHTTPServer):
    """Passes requests on to a backend, and its answers back.

    Args:
        backend: URL of the backend.

    Attributes:
        clicks: Bodies of the interactive requests, oldest first.
    """

    def __init__(self, backend: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.backend = backend
        self.clicks: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Relay

    def do_GET(self) -> None:
        self._pass_on(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/predict"):
            told = json.loads(body)
            if told["params"].get("context"):
                self.server.clicks.append(told)
        self._pass_on(body)

    def _pass_on(self, body: bytes | None) -> None:
        answer = requests.request(
            self.command,
            f"{self.server.backend}{self.path}",
            data=body,
            headers={"Content-Type": self.headers.get("Content-Type", "application/json")},
            timeout=PATIENCE_S,
        )
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""


def open_relay(backend: str) -> AbstractContextManager[Relay]:
    """A relay on loopback in front of a backend."""
    return serving(Relay(backend))
