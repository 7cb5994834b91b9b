from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import requests

from edgeflow.label_studio.api.transport import isolated_session
from edgeflow_backend.errors import FetchError
from edgeflow_backend.net.allow_list import AllowList
from edgeflow_backend.net.guard import Guard
from edgeflow_backend.net.sessions import timed_session
from tests.unit.edgeflow_backend.internet import Internet
from tests.unit.edgeflow_backend.loopback import Host, Reply

LOOPBACK = Guard(allowed=AllowList.parse("127.0.0.1"))
ADDRESS = "93.184.216.34"
HELLO = b"\x16\x03\x01"  # how a TLS handshake begins


@contextmanager
def serve_once(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that speaks whatever ``talk`` speaks, to one client; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            client, _ = server.accept()
            with client, suppress(OSError):
                talk(client)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            thread.join()


def get(url: str, seconds: float = 5.0, guard: Guard = LOOPBACK) -> requests.Response:
    with timed_session(seconds, guard) as session:
        return session.get(url, timeout=(2.0, 2.0))


def test_a_session_fetches(host: Host) -> None:
    host.routes["/a"] = Reply(body=b"hello")
    assert get(f"{host.url}/a").content == b"hello"


def test_a_guarded_session_refuses_in_words(host: Host) -> None:
    with pytest.raises(FetchError, match=r"127\.0\.0\.1"):
        get(f"{host.url}/a", guard=Guard())
    assert host.received == []


def test_tls_asks_for_the_name_and_connects_to_the_ip(internet: Internet) -> None:
    said = bytearray()

    def listen(client: socket.socket) -> None:
        said.extend(client.recv(4096))

    internet.answers["images.example"] = [[ADDRESS]]
    with serve_once(listen) as port:
        internet.servers[ADDRESS] = port
        with pytest.raises(requests.ConnectionError):
            get("https://images.example/a.png", guard=Guard())
    assert internet.reached == [ADDRESS]
    assert said.startswith(HELLO)
    assert b"images.example" in said


def test_certificates_are_checked() -> None:
    with timed_session(1.0, LOOPBACK) as session:
        assert session.verify is True


@pytest.mark.slow
def test_a_handshake_that_drips_is_cut_off_in_time() -> None:
    def drip(client: socket.socket) -> None:
        client.recv(4096)
        client.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KiB …
        for _ in range(60):
            client.sendall(b"\x02")  # … byte by byte
            time.sleep(0.1)

    started = time.monotonic()
    with serve_once(drip) as port:
        with pytest.raises(requests.RequestException):
            get(f"https://127.0.0.1:{port}/", seconds=0.5)
        assert time.monotonic() - started < 2


def test_a_socket_that_is_opened_too_late_is_not_used(host: Host) -> None:
    with timed_session(0.05, LOOPBACK) as session:
        time.sleep(0.1)
        with pytest.raises(requests.Timeout):
            session.get(f"{host.url}/a", timeout=5)
    assert host.received == []


def test_a_slow_resolver_counts_as_a_slow_host(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def slow(*_: Any, **__: Any) -> list[Any]:
        release.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    started = time.monotonic()
    with timed_session(5.0, LOOPBACK) as session, pytest.raises(requests.ConnectTimeout):
        session.get("http://slow.example/", timeout=(0.1, 5))
    with timed_session(0.1, LOOPBACK) as session, pytest.raises(requests.ConnectTimeout):
        session.get("http://slow.example/", timeout=(5, 5))
    assert time.monotonic() - started < 3
    release.set()


def test_no_socket_outlives_its_session(host: Host) -> None:
    opened: list[socket.socket] = []
    host.routes["/a"] = Reply(body=b"hello")
    duplicate = socket.socket.dup

    def note(self: socket.socket) -> socket.socket:
        opened.append(duplicate(self))
        return opened[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "dup", note)
        get(f"{host.url}/a")
    assert [watched.fileno() for watched in opened] == [-1]


def test_cookies_are_not_kept(host: Host) -> None:
    host.routes["/a"] = Reply(headers={"Set-Cookie": "sessionid=secret; Path=/"})
    for opened in (isolated_session("test"), timed_session(5.0, LOOPBACK)):
        with opened as session:
            for _ in range(2):
                session.get(f"{host.url}/a", timeout=2)
    assert len(host.received) == 4
    assert all("cookie" not in request.headers for request in host.received)
