"""Connecting to a host by an address that was checked, not by a name that may change under us."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError

from edgeflow_backend.net.guard import refusal

SocketAddress = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
AddressInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, SocketAddress]
"""One of ``getaddrinfo``'s answers."""

SocketOption = tuple[int, int, int | bytes]


def connect(
    host: str,
    port: int,
    *,
    permits: Callable[[str], bool],
    timeout_s: Callable[[], float],
    options: Sequence[SocketOption] = (),
) -> socket.socket:
    """Resolve a host once and connect to the first of its permitted addresses that answers.

    Args:
        host: name or literal, in whatever form the system's resolver reads.
        port: to connect to.
        permits: takes a numeric address.
        timeout_s: seconds that the next step may take.
        options: set on the socket before it connects.

    Raises:
        FetchError: none of its addresses is permitted.
        TimeoutError: the resolver or the last address did not answer in time.
        OSError: there is no such name, or nothing answers.
        ValueError: no name at all.
    """
    permitted = [found for found in resolve(host, port, timeout_s()) if permits(str(found[4][0]))]
    if not permitted:
        raise refusal(host)
    failure = OSError()
    for found in permitted:
        try:
            return _open(found, timeout_s(), options)
        except OSError as error:
            failure = error
    raise failure


def resolve(host: str, port: int, timeout_s: float) -> list[AddressInfo]:
    """The addresses of a host.

    The system's resolver cannot be interrupted, so it works in a thread that is left behind when
    it is too slow; each download leaves one at most, until the resolver itself gives up.

    Raises:
        TimeoutError: it did not answer in time.
        OSError: there is no such name.
        ValueError: no name at all.
    """
    answer: Future[list[AddressInfo]] = Future()

    def ask() -> None:
        try:
            answer.set_result([*socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)])
        except (OSError, ValueError) as error:
            answer.set_exception(error)

    threading.Thread(target=ask, name="resolver", daemon=True).start()
    try:
        return answer.result(timeout_s)
    except FutureTimeoutError as error:
        raise TimeoutError("the resolver did not answer in time") from error


def _open(found: AddressInfo, timeout_s: float, options: Sequence[SocketOption]) -> socket.socket:
    family, kind, protocol, _, address = found
    opened = socket.socket(family, kind, protocol)
    try:
        for option in options:
            opened.setsockopt(*option)
        opened.settimeout(timeout_s)
        opened.connect(address)
    except BaseException:
        opened.close()
        raise
    return opened
