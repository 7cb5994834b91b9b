"""Hosts that speak TLS, and certificates with one fault each, made by the openssl command."""

from __future__ import annotations

import contextlib
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

Reply = tuple[int, Mapping[str, str], bytes]
Answer = Callable[[str, Mapping[str, str]], Reply]
"""From path and headers to status, headers and body."""


class Request(NamedTuple):
    """What a host received."""

    path: str
    headers: Mapping[str, str]


class Host:
    """A server on loopback that keeps what it received; with ``tls``, over TLS."""

    def __init__(self, answer: Answer, tls: Path | None = None) -> None:
        self.received: list[Request] = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.received.append(Request(self.path, self.headers))  # type: ignore[arg-type]
                status, headers, body = answer(self.path, self.headers)  # type: ignore[arg-type]
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, format: str, *args: object) -> None:
                """Keep the tests' output clean."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def images(self) -> list[Request]:
        """The requests for images; meanwhile the backend asks for the project."""
        return [request for request in self.received if "/api/projects/" not in request.path]

    def __enter__(self) -> Host:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up in these tests on purpose."""


class Authority:
    """A certificate authority of one's own; ``file`` is its certificate."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("openssl") is None:
            assert not os.environ.get("CI"), "CI needs the openssl command"
            pytest.skip("no openssl command")
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "ca.pem"
        new = "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 9"
        _openssl(folder, *new.split(), "-subj", "/CN=Our own authority")

    def certificate(self, name: str = "localhost", days: int = 9) -> Path:
        """A key and a certificate for a host name, in one file."""
        folder, stem = self._folder, f"{name}-{days}"
        (folder / "extensions").write_text(f"subjectAltName=DNS:{name}")
        new = f"req -newkey rsa:2048 -nodes -keyout {stem}.key -out {stem}.csr -subj /CN={name}"
        _openssl(folder, *new.split())
        sign = (
            f"x509 -req -in {stem}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out {stem}.crt "
            f"-days {days} -extfile extensions"
        )
        _openssl(folder, *sign.split())
        return _joined(folder, stem)


def self_signed(folder: Path) -> Path:
    """A key and a certificate for ``localhost`` that no authority signed, in one file."""
    folder.mkdir(parents=True, exist_ok=True)
    new = "req -x509 -newkey rsa:2048 -nodes -keyout self.key -out self.crt -days 9"
    extension = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    _openssl(folder, *new.split(), *extension)
    return _joined(folder, "self")


@contextlib.contextmanager
def host(answer: Answer, tls: Path | None = None) -> Iterator[Host]:
    """Run a host for the length of a ``with`` block."""
    with Host(answer, tls) as running:
        yield running


def _joined(folder: Path, stem: str) -> Path:
    both = folder / f"{stem}.pem"
    parts = [(folder / f"{stem}.{end}").read_text() for end in ("key", "crt")]
    both.write_text("".join(parts))
    return both


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
