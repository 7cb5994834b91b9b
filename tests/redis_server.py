"""A real Redis on loopback for tests, with a password or over TLS."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from edgeflow_backend.shared.connection import Server
from edgeflow_backend.shared.sealing import Seal
from edgeflow_backend.shared.tier import Tier
from edgeflow_backend.status.metrics import Metrics

PASSWORD = "correct-horse"


class RedisServer:
    """A server process of its own.

    Args:
        folder: Where its log is.
        tls: File with its key and certificate; None for no TLS.
        ca: Certificate of the authority that signed it.
    """

    def __init__(self, folder: Path, tls: Path | None = None, ca: Path | None = None) -> None:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if program is None:
            assert not os.environ.get("CI"), "CI needs the redis-server command"
            pytest.skip("no redis-server or valkey-server command")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.program, self._tls, self.ca = folder, program, tls, ca
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """With its password."""
        scheme, host = ("rediss", "localhost") if self._tls else ("redis", "127.0.0.1")
        return f"{scheme}://:{PASSWORD}@{host}:{self.port}/0"

    @property
    def client(self) -> Any:
        """A client with patience, which does not try again."""
        checked = {"ssl_ca_certs": str(self.ca)} if self._tls else {}
        return redis.Redis.from_url(
            self.url, socket_timeout=10, retry=Retry(NoBackoff(), 0), **checked
        )

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        port = (
            ["--port", "0", "--tls-port", str(self.port)]
            if self._tls
            else ["--port", str(self.port)]
        )
        secured = ["--tls-cert-file", str(self._tls), "--tls-key-file", str(self._tls)]
        secured += ["--tls-ca-cert-file", str(self.ca), "--tls-auth-clients", "no"]
        command = [
            self.program, *port, *(secured if self._tls else []), "--bind", "127.0.0.1",
            "--requirepass", PASSWORD, "--save", "", "--appendonly", "no",
            "--enable-debug-command", "yes", "--dir", str(self.folder),
        ]  # fmt: skip
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self.wait()

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(redis.RedisError):
                if self.client.ping():
                    return
            time.sleep(0.02)
        raise RuntimeError((self.folder / "redis.log").read_text())

    @contextlib.contextmanager
    def halted(self) -> Iterator[None]:
        """Let it do nothing for a while, with its connections open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, with all it holds."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture(scope="session")
def running_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One for all tests of a process."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def shared_redis(running_redis: RedisServer) -> RedisServer:
    """The same, empty."""
    running_redis.client.flushall()
    return running_redis


@contextlib.contextmanager
def redis_server(
    folder: Path, tls: Path | None = None, ca: Path | None = None
) -> Iterator[RedisServer]:
    """A running Redis; its arguments are those of :class:`RedisServer`."""
    server = RedisServer(folder, tls, ca)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def tier_of(server: RedisServer | str, *, key: str = "", call_s: float = 10.0, **more: Any) -> Tier:
    """A tier with patience, for machines that run other tests, too."""
    url = server if isinstance(server, str) else server.url
    ca = "" if isinstance(server, str) or server.ca is None else str(server.ca)
    more.setdefault("queue_bytes", 10_000_000)
    return Tier("tests", Server(url, ca, call_s, call_s), Seal(key), Metrics(), **more)
