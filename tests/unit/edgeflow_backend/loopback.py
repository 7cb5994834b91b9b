"""A real HTTP server on loopback whose answers each test writes down."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

PATIENCE_S = 10.0


@dataclass(frozen=True)
class Received:
    """A request as the host saw it; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What the host answers; ``length`` is the announced Content-Length, None announces none."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = -1


Answer = Reply | Callable[[Received, BaseHTTPRequestHandler], Reply | None]


class Host:
    """The server. Routes are paths without query; ``*`` answers whatever has no route."""

    def __init__(self) -> None:
        self.routes: dict[str, Answer] = {}
        self.received: list[Received] = []
        self.released = threading.Event()
        host = self

        class Handler(_Handler):
            owner = host

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def pause(self, seconds: float = PATIENCE_S) -> None:
        """Keep a client waiting; ends at once when the host closes."""
        self.released.wait(seconds)

    def asked(self, path: str) -> list[Received]:
        """The requests for a path, in order of arrival."""
        return [request for request in self.received if request.path.split("?")[0] == path]

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up in these tests on purpose."""


class _Handler(BaseHTTPRequestHandler):
    owner: ClassVar[Host]

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.command, self.path, headers, body)
        self.owner.received.append(received)
        routes = self.owner.routes
        answer = routes.get(self.path.split("?")[0], routes.get("*", Reply(404)))
        reply = answer if isinstance(answer, Reply) else answer(received, self)
        if reply is not None:
            send(self, reply)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""


def send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    """Write a whole reply."""
    handler.send_response(reply.status)
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    if reply.length is not None:
        length = len(reply.body) if reply.length == -1 else reply.length
        handler.send_header("Content-Length", str(length))
    handler.end_headers()
    handler.wfile.write(reply.body)


def redirect(target: str, status: int = 302) -> Reply:
    return Reply(status, headers={"Location": target})


@contextmanager
def serve() -> Iterator[Host]:
    """Run a host for the length of a ``with`` block."""
    host = Host()
    try:
        yield host
    finally:
        host.close()


def closed_port() -> int:
    """A loopback port where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
