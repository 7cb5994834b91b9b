"""HTTP sessions that ignore the environment, connect to permitted IPs only, and end on time."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError

from edgeflow_backend.net.connect import connect
from edgeflow_backend.net.guard import Guard


@contextlib.contextmanager
def isolated_session() -> Iterator[requests.Session]:
    """A session without the environment's proxies, without ``.netrc``, without cookies.

    The first two would send a token somewhere else, or replace it by another. Cookies do not
    depend on the port, so Label Studio's would go to any other server on its machine.
    """
    with requests.Session() as session:
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        yield session


@contextlib.contextmanager
def timed_session(seconds: float, guard: Guard) -> Iterator[requests.Session]:
    """An isolated session for image hosts, which are not trusted.

    It connects only to IPs that ``guard`` permits, and its sockets are shut after ``seconds``. The
    timeouts of requests limit the silence between two bytes, so a host that sends a byte now and
    then, in its handshake, headers or body, would occupy a thread for ever.
    """
    with isolated_session() as session, _Watch(seconds) as watch:
        adapter = _GuardedAdapter(guard, watch)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        yield session


class _Watch:
    """Shuts its sockets once the time is over, and takes no more after that."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True

    def left_s(self) -> float:
        """Seconds that are left, more than 0.

        Raises:
            TimeoutError: The time is over.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for this image is over")
        return left

    def add(self, opened: socket.socket) -> None:
        """Watch over a socket.

        Raises:
            TimeoutError: The time is over.
        """
        with self._lock:
            self.left_s()
            # A duplicate: TLS takes the socket's own descriptor away before its handshake.
            self._sockets.append(opened.dup())

    def _shut(self) -> None:
        with self._lock:
            for watched in self._sockets:
                with contextlib.suppress(OSError):
                    watched.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> _Watch:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            for watched in self._sockets:
                watched.close()
            self._sockets.clear()


class _GuardedAdapter(HTTPAdapter):
    """Opens the sockets of its connections; headers, SNI and certificates keep the host's name."""

    def __init__(self, guard: Guard, watch: _Watch) -> None:
        self._guard = guard
        self._watch = watch
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        adapter = self

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return adapter.open(self, "http")

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return adapter.open(self, "https")

        class PlainPool(urllib3.HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(urllib3.HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    def open(self, connection: HTTPConnection, scheme: str) -> socket.socket:
        """Open a socket for urllib3.

        Raises:
            FetchError: None of the host's IPs is permitted.
            ConnectTimeoutError: The host did not answer in time.
            OSError: The host cannot be reached.
        """
        host = connection._dns_host  # with the trailing dot that `host` lacks
        port = connection.port
        patience_s = connection.timeout

        def timeout_s() -> float:
            left = self._watch.left_s()
            return left if patience_s is None else min(left, patience_s)

        try:
            opened = connect(
                host,
                port,
                permits=lambda ip: self._guard.permits(scheme, host, port, ip),
                timeout_s=timeout_s,
                options=connection.socket_options or (),
            )
            try:
                self._watch.add(opened)
            except BaseException:
                opened.close()
                raise
        except TimeoutError as error:
            raise ConnectTimeoutError(connection, "did not answer in time") from error
        return opened
