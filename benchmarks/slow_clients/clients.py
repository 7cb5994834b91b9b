"""Clients that are slow or silent, in a process of their own.

Usage: ``python -m benchmarks.slow_clients.clients PORT COUNT KIND …``. Prints a line when all are
connected; when its input ends, prints how many were sent away, and ends.
"""

from __future__ import annotations

import contextlib
import itertools
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

PACE_S = 1.0
"""Seconds between two bytes of a slow client."""

RETURN_S = 5.0
"""Seconds until a client that was sent away comes again."""

HEAD = b"POST /predict HTTP/1.1\r\nHost: backend\r\nContent-Type: application/json\r\n"
GET = b"GET /metrics HTTP/1.1\r\nHost: backend\r\n"

KINDS: dict[str, tuple[bytes, bytes]] = {
    "silent": (b"", b""),
    "slow-head": (b"POST /predict HTTP/1.1\r\nX-Slow: ", b"x"),
    "slow-body": (HEAD + b"Content-Length: 1000000\r\n\r\n{", b" "),
    "slow-chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "slow-reader": ((GET + b"\r\n") * 4, b""),
    "lazy-close": (GET + b"Connection: close\r\n\r\n", b""),
    "half-closed": (HEAD + b"Content-Length: 1000\r\n\r\n{", b""),
    "tls-hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32), b""),
    "idle": (b"GET /health HTTP/1.1\r\nHost: backend\r\n\r\n", b""),
}
"""What a client of each kind sends at once, and then again and again."""

UNREAD = ("slow-reader", "lazy-close")
"""Kinds that never read."""


class SlowClients:
    """Starts the process, and ends it.

    Args:
        port: The server's port on loopback.
        kinds: Names of :data:`KINDS`.
        count: Clients of each kind.
    """

    def __init__(self, port: int, kinds: Sequence[str], count: int) -> None:
        self._command = [sys.executable, "-m", __name__, str(port), str(count), *kinds]
        self.sent_away = 0

    def __enter__(self) -> SlowClients:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if self._process.stdout is None or not self._process.stdout.readline():
            raise RuntimeError("the slow clients could not connect")
        return self

    def __exit__(self, *_: object) -> None:
        said = self._process.communicate(timeout=60)[0]
        self.sent_away = int(said)


def allow_many_files() -> None:
    """Raise the limit of open files as far as the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def drive(port: int, wanted: Sequence[str], stop: threading.Event) -> int:
    """Connect a client of each wanted kind, keep them going, and return how many were sent away.

    Those that are sent away come again.
    """
    clients = {index: connect(port, kind) for index, kind in enumerate(wanted)}
    print("connected", flush=True)
    sent_away = 0
    away: dict[int, float] = {}
    for index in itertools.cycle(range(len(wanted))):
        if stop.wait(PACE_S / len(wanted)):
            break
        if index in away:
            if time.monotonic() > away[index]:
                del away[index]
                clients[index] = connect(port, wanted[index])
            continue
        _, drip = KINDS[wanted[index]]
        try:
            if drip:
                clients[index].send(drip)
            elif wanted[index] not in UNREAD and not clients[index].recv(4096):
                raise ConnectionError
        except BlockingIOError:
            continue
        except OSError:
            sent_away += 1
            clients[index].close()
            away[index] = time.monotonic() + RETURN_S
    for client in clients.values():
        client.close()
    return sent_away


def connect(port: int, kind: str) -> socket.socket:
    """A client that has sent what its kind sends first."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(10)
    with contextlib.suppress(OSError):
        client.connect(("127.0.0.1", port))
        client.sendall(KINDS[kind][0])
        if kind == "half-closed":
            client.shutdown(socket.SHUT_WR)
    client.setblocking(False)
    return client


def main() -> None:
    """Run the clients that the arguments name."""
    allow_many_files()
    port, count, *kinds = sys.argv[1:]
    wanted = [kind for kind in kinds for _ in range(int(count))]
    stop = threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    print(drive(int(port), wanted, stop))


if __name__ == "__main__":
    main()
