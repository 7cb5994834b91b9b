"""Hosts of pictures, and a Label Studio, that misbehave on request: real sockets, wrong bytes.

Run as ``python -m tests.faults.hosts ADDRESS PORT`` to serve from elsewhere: pictures at that port,
Label Studio at the next one.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from tests.contract.images import TOKEN, photo

SIZE = (320, 240)
"""Width and height of the pictures."""

NAMES = ("astronaut", "cat", "coffee", "rocket")
OTHER = {name: NAMES[(number + 1) % len(NAMES)] for number, name in enumerate(NAMES)}
"""What a picture is changed for."""

PATIENCE_S = 30.0
ONE_PERSON = 1
SEVERAL_PEOPLE = 2
SHARED_PROJECT = 2
"""Of Label Studio's projects, the one whose tasks several people annotate."""


def picture(name: str) -> bytes:
    """A photograph's file."""
    return photo(name, SIZE)


class Exchange:
    """One request to a host, and the ways to answer it."""

    def __init__(self, connection: socket.socket, host: Host, path: str, head: str) -> None:
        self.connection = connection
        self.host = host
        self.path = path
        self.head = head

    @property
    def name(self) -> str:
        """The photograph that is asked for."""
        return urlsplit(self.path).path.rpartition("/")[2].partition(".")[0]

    @property
    def content(self) -> bytes:
        """What an honest host sends."""
        if "/api/projects/" in self.path:
            number = int(urlsplit(self.path).path.strip("/").rpartition("/")[2])
            people = SEVERAL_PEOPLE if number == SHARED_PROJECT else ONE_PERSON
            project = {"id": number, "title": "", "maximum_annotations": people}
            return json.dumps(project).encode()
        return picture(self.name)

    def send(
        self,
        content: bytes,
        *headers: str,
        status: str = "200 OK",
        length: int | None = None,
        upto: int | None = None,
    ) -> None:
        """Send an answer, of its content perhaps only the beginning, whatever its length says."""
        head = [f"HTTP/1.1 {status}", "Connection: close", *headers]
        if length is None and not any(line.startswith("Transfer-Encoding") for line in headers):
            length = len(content)
        if length is not None:
            head.append(f"Content-Length: {length}")
        self.connection.sendall("\r\n".join([*head, "", ""]).encode() + content[:upto])

    def wait(self, seconds: float = PATIENCE_S) -> None:
        """Do nothing until the client hangs up or the host closes."""
        self.connection.settimeout(0.1)
        for _ in range(int(seconds * 10)):
            if self.host.closed:
                return
            with contextlib.suppress(TimeoutError):
                if not self.connection.recv(4096):
                    return

    def reset(self) -> None:
        """End the connection as a crashed host or a firewall does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


def _status(status: str, *headers: str) -> Callable[[Exchange], None]:
    def answer(exchange: Exchange) -> None:
        exchange.send(b'{"detail": "no"}', *headers, status=status)

    return answer


def _half(exchange: Exchange) -> int:
    return len(exchange.content) // 2


def _stall(exchange: Exchange) -> None:
    exchange.send(exchange.content, upto=_half(exchange))
    exchange.wait()


def _drip(exchange: Exchange) -> None:
    """Too slow for the time limit of a download, never silent for long."""
    exchange.send(exchange.content, upto=0)
    for byte in exchange.content[:300]:
        if exchange.host.closed:
            return
        exchange.connection.sendall(bytes([byte]))
        exchange.wait(0.1)


def _slow(exchange: Exchange) -> None:
    content = exchange.content
    exchange.send(content, upto=0)
    for part in range(0, len(content), len(content) // 5 + 1):
        exchange.wait(0.1)
        exchange.connection.sendall(content[part : part + len(content) // 5 + 1])


def _reset(exchange: Exchange) -> None:
    exchange.send(exchange.content, upto=_half(exchange))
    exchange.reset()


def _flood(exchange: Exchange) -> None:
    exchange.send(exchange.content, length=10**12)
    with contextlib.suppress(OSError):
        while not exchange.host.closed:
            exchange.connection.sendall(bytes(1 << 16))


def _change(exchange: Exchange) -> None:
    """Another picture of the same size each time."""
    exchange.host.changes += 1
    odd = exchange.host.changes % 2
    exchange.send(picture(exchange.name if odd else OTHER[exchange.name]))


BEHAVIOURS: dict[str, Callable[[Exchange], None]] = {
    "well": lambda each: each.send(each.content),
    "text": lambda each: each.send(each.content, "Content-Type: text/plain"),
    "slow": _slow,
    "change": _change,
    "silent": lambda each: each.wait(),
    "stall": _stall,
    "drip": _drip,
    "reset": _reset,
    "truncate": lambda each: each.send(each.content, upto=_half(each)),
    "short": lambda each: each.send(each.content, length=_half(each)),
    "lengths": lambda each: each.send(each.content, "Content-Length: 7", length=9),
    "unzipped": lambda each: each.send(each.content, "Content-Encoding: gzip"),
    "zip-bomb": lambda each: each.send(_bomb(), "Content-Encoding: gzip"),
    "chunks": lambda each: each.send(b"zz\r\nno chunk", "Transfer-Encoding: chunked"),
    "flood": _flood,
    "html": lambda each: each.send(b"<html>Log in</html>", "Content-Type: image/png"),
    "damaged": lambda each: each.send(_damaged(each.content)),
    "nothing": lambda each: each.send(b""),
    "not-http": lambda each: each.connection.sendall(b"\x16\x03\x01 what?\r\n\r\n"),
    "size": lambda each: each.send(photo(each.name, (SIZE[0] + 40, SIZE[1]))),
    "circle": lambda each: each.send(b"", f"Location: {each.path}?", status="302 Found"),
    "inside": lambda each: each.send(
        b"", "Location: http://169.254.169.254/latest/x.png", status="302 Found"
    ),
    "401": _status("401 Unauthorized"),
    "404": _status("404 Not Found"),
    "429": _status("429 Too Many Requests", "Retry-After: 9"),
    "500": _status("500 Internal Server Error"),
    "503": _status("503 Service Unavailable", "Retry-After: 9"),
}
"""What a host may do instead of sending a picture, by the name that a URL's path has for it."""


def _damaged(content: bytes) -> bytes:
    """One bit of the picture's size is another."""
    at = content.index(b"IHDR") + 6
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def _bomb() -> bytes:
    return gzip.compress(bytes(20_000_000), compresslevel=1)


class Host:
    """A host on loopback, or another address, that behaves as it is told, or as a path says.

    Args:
        address: Where to listen.
        port: Where to listen; 0 for any.
        token: Label Studio's token, without which a request gets a 401; empty for none.
    """

    def __init__(self, address: str = "127.0.0.1", port: int = 0, token: str = "") -> None:
        self.behaviour = "well"
        self.changes = 0
        self.fetched: list[str] = []
        self.tokens_seen = 0
        self.closed = False
        self._token = token
        self._listener = _listen(address, port)
        self.address, self.port = self._listener.getsockname()
        self._threads: list[threading.Thread] = []
        self._serve()

    @property
    def url(self) -> str:
        """Without a trailing slash."""
        return f"http://{self.address}:{self.port}"

    @contextlib.contextmanager
    def behaving(self, behaviour: str) -> Iterator[None]:
        """Behave otherwise for a while; ``down`` means that nobody listens."""
        if behaviour == "down":
            self.close()
        else:
            self.behaviour = behaviour
        try:
            yield
        finally:
            self.behaviour = "well"
            if behaviour == "down":
                self.closed = False
                self._listener = _listen(self.address, self.port)
                self._serve()

    def close(self) -> None:
        """Stop; what is under way ends."""
        self.closed = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self) -> None:
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while not self.closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):  # clients hang up here on purpose
            connection.settimeout(PATIENCE_S)
            head = b""
            while b"\r\n\r\n" not in head:
                if not (data := connection.recv(65_536)):
                    return
                head += data
            text = head.decode("latin-1")
            path = text.split(" ", 2)[1]
            self.fetched.append(path)
            authorised = f"\r\nauthorization: token {TOKEN}".lower() in text.lower()
            self.tokens_seen += authorised
            exchange = Exchange(connection, self, path, text)
            if self._token and not authorised:
                BEHAVIOURS["401"](exchange)
                return
            told = next((part for part in path.split("/") if part in BEHAVIOURS), self.behaviour)
            BEHAVIOURS[told](exchange)


def _listen(address: str, port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(512)
    return listener


def main() -> None:
    """Serve until the input ends."""
    address, port = sys.argv[1], int(sys.argv[2])
    with Host(address, port), Host(address, port + 1, TOKEN):
        print("listening", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
