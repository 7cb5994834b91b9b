"""HTTP sessions that take nothing from the environment and end on time."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection


@contextlib.contextmanager
def isolated_session() -> Iterator[requests.Session]:
    """A session without proxies of the environment and without passwords of a ``.netrc``.

    Either would send a token somewhere else, or another one in its place.
    """
    with requests.Session() as session:
        session.trust_env = False
        yield session


@contextlib.contextmanager
def timed_session(seconds: float) -> Iterator[requests.Session]:
    """An isolated session whose sockets are shut once ``seconds`` are over.

    Timeouts of requests count the silence between two bytes, so a host that sends one byte now and
    then, in its headers or body, would hold a thread for ever.
    """
    sockets: list[socket.socket] = []

    def shut() -> None:
        for opened in sockets:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, shut)
    timer.daemon = True
    with isolated_session() as session:
        adapter = _WatchedAdapter(sockets)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        timer.start()
        try:
            yield session
        finally:
            timer.cancel()


class _WatchedAdapter(HTTPAdapter):
    """Notes every socket that its connections open."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        self._sockets = sockets
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        sockets = self._sockets

        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                sockets.append(self.sock)

        class Secure(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                sockets.append(self.sock)

        class PlainPool(urllib3.HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(urllib3.HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
