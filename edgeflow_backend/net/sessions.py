"""HTTP sessions that ignore the environment, connect to permitted IPs only, and end on time."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError

from edgeflow import __version__
from edgeflow.label_studio.api.transport import isolated_session
from edgeflow_backend.net.connect import SocketOption, connect, resolve
from edgeflow_backend.net.guard import Guard, refusal
from edgeflow_backend.net.origins import DEFAULT_PORTS
from edgeflow_backend.net.proxy import Proxy
from edgeflow_backend.net.public_ips import is_public, parse_ip
from edgeflow_backend.net.uplink import Uplink

USER_AGENT = f"edgeflow-backend/{__version__}"
"""Some hosts refuse programs that do not name themselves."""


@contextlib.contextmanager
def timed_session(
    seconds: float, guard: Guard, uplink: Uplink | None = None
) -> Iterator[requests.Session]:
    """An isolated session for hosts that are not trusted.

    It connects only to IPs that ``guard`` permits, and its sockets are shut after ``seconds``. The
    timeouts of requests limit the silence between two bytes, so a host that sends a byte now and
    then, in its handshake, headers or body, would occupy a thread for ever.
    """
    with isolated_session(USER_AGENT) as session, _Watch(seconds) as watch:
        adapter = _GuardedAdapter(guard, watch, uplink or Uplink())
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

    def __init__(self, guard: Guard, watch: _Watch, uplink: Uplink) -> None:
        self._guard = guard
        self._watch = watch
        self._uplink = uplink
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._uplink.tls, **kwargs)
        adapter = self

        class Plain(HTTPConnection):
            _proxy: Proxy | None = None

            def _new_conn(self) -> socket.socket:
                opened, self._proxy = adapter.open(self, "http")
                return opened

            def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
                if self.sock is None:
                    self.connect()  # which tells whether a proxy is asked, and needs the whole URL
                if self._proxy:
                    url = f"http://{_authority(self._dns_host, self.port)}{url}"
                super().putrequest(method, url, *args, **kwargs)
                if self._proxy and self._proxy.authorization:
                    self.putheader("Proxy-Authorization", self._proxy.authorization)

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                opened, proxy = adapter.open(self, "https")
                try:
                    if proxy:
                        proxy.tunnel(opened, self._dns_host, self.port)
                except BaseException:
                    opened.close()
                    raise
                return opened

        class PlainPool(urllib3.HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(urllib3.HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    def cert_verify(self, conn: Any, *_: Any) -> None:  # noqa: ANN401 - as in requests
        """Leave the certificates to the TLS context, instead of adding requests' own to it."""
        conn.cert_reqs = "CERT_REQUIRED"

    def open(self, connection: HTTPConnection, scheme: str) -> tuple[socket.socket, Proxy | None]:
        """Open a socket for urllib3: to the host, or to the proxy that is to be asked for it.

        Raises:
            FetchError: None of the host's IPs is permitted, or the proxy cannot be reached.
            ConnectTimeoutError: The host did not answer in time.
            OSError: The host cannot be reached.
        """
        host = connection._dns_host  # with the trailing dot that `host` lacks
        port = connection.port
        patience_s = connection.timeout

        def timeout_s() -> float:
            left = self._watch.left_s()
            return left if patience_s is None else min(left, patience_s)

        def permits(ip: str) -> bool:
            return self._guard.permits(scheme, host, port, ip)

        options = connection.socket_options or ()
        try:
            proxy = self._proxy_for(scheme, host, port, timeout_s())
            if proxy:
                opened = _reach(proxy, timeout_s, options)
            else:
                opened = connect(host, port, permits=permits, timeout_s=timeout_s, options=options)
            try:
                self._watch.add(opened)
            except BaseException:
                opened.close()
                raise
        except TimeoutError as error:
            raise ConnectTimeoutError(connection, "did not answer in time") from error
        return opened, proxy

    def _proxy_for(self, scheme: str, host: str, port: int, timeout_s: float) -> Proxy | None:
        """The proxy to ask for a host; None if the host is connected to directly.

        A proxy resolves names itself, so its rules are the last guard; but what resolves here to
        IPs that are not permitted is refused here.

        Raises:
            FetchError: None of the host's IPs is permitted.
            TimeoutError: The resolver did not answer in time.
        """
        proxy, direct = self._uplink.proxy, self._uplink.no_proxy
        if proxy is None:
            return None
        name = host.lower().rstrip(".")
        try:
            texts = [str(info[4][0]) for info in resolve(host, port, timeout_s)]
        except socket.gaierror:  # machines behind a proxy often resolve their own names only
            if direct.permits(name, port, None):
                return None
            if not self._guard.permits_unresolved(scheme, host, port):
                raise refusal(host) from None
            return proxy
        if not any(self._guard.permits(scheme, host, port, text) for text in texts):
            raise refusal(host)
        ips = [parse_ip(text) for text in texts]
        if any(direct.permits(name, port, ip) for ip in ips):
            return None
        inside = self._guard.is_label_studio(scheme, host, port) and not any(map(is_public, ips))
        return None if inside else proxy


def _reach(
    proxy: Proxy, timeout_s: Callable[[], float], options: Sequence[SocketOption]
) -> socket.socket:
    """Connect to a proxy, wherever it is: a setting names it.

    Raises:
        FetchError: It cannot be reached.
    """
    try:
        return connect(
            proxy.host, proxy.port, permits=lambda _: True, timeout_s=timeout_s, options=options
        )
    except (OSError, ValueError) as error:
        raise proxy.refusal("does not answer") from error


def _authority(host: str, port: int) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port == DEFAULT_PORTS["http"] else f"{name}:{port}"
