"""Connecting to a host by an IP that was checked: its name may resolve to another one later."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError

from edgeflow_backend.net.guard import refusal

SocketAddress = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
AddressInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, SocketAddress]
"""One result of ``getaddrinfo``."""

SocketOption = tuple[int, int, int | bytes]


def connect(
    host: str,
    port: int,
    *,
    permits: Callable[[str], bool],
    timeout_s: Callable[[], float],
    options: Sequence[SocketOption] = (),
) -> socket.socket:
    """Resolve a host once and connect to the first of its permitted IPs that answers.

    Args:
        host: Name or IP, in any form that the system's resolver reads.
        port: Port to connect to.
        permits: Tells for the text of an IP whether it is permitted.
        timeout_s: Tells how many seconds the next step may take.
        options: Options set on the socket before it connects.

    Raises:
        FetchError: None of the host's IPs is permitted.
        TimeoutError: The resolver or the last IP did not answer in time.
        OSError: The name does not exist, or nothing answers.
        ValueError: The host is not a name at all.
    """
    permitted = [info for info in resolve(host, port, timeout_s()) if permits(str(info[4][0]))]
    if not permitted:
        raise refusal(host)
    failure = OSError()
    for info in permitted:
        try:
            return _open(info, timeout_s(), options)
        except OSError as error:
            failure = error
    raise failure


def resolve(host: str, port: int, timeout_s: float) -> list[AddressInfo]:
    """Resolve a host.

    The system's resolver cannot be interrupted, so it works in a thread that is abandoned when it
    is too slow; a download abandons one at most, and it ends when the resolver gives up.

    Raises:
        TimeoutError: The resolver did not answer in time.
        OSError: The name does not exist.
        ValueError: The host is not a name at all.
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


def _open(info: AddressInfo, timeout_s: float, options: Sequence[SocketOption]) -> socket.socket:
    family, kind, protocol, _, address = info
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
