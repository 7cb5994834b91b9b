"""What listens where Redis should be, and answers as no Redis does."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

Answer = Callable[[socket.socket], None]


def drip(client: socket.socket) -> None:
    """A text that never ends, a byte at a time."""
    client.sendall(b"+")
    while True:
        client.sendall(b"O")
        time.sleep(0.005)


def flood(client: socket.socket) -> None:
    """A value of 100 GB, as fast as it is read."""
    client.sendall(b"$100000000000\r\n")
    while True:
        client.sendall(bytes(1_000_000))


def silence(client: socket.socket) -> None:
    """Nothing at all, until the other side hangs up."""
    client.recv(1)


def say(*words: bytes) -> Answer:
    """The same words to whatever is asked."""

    def answer(client: socket.socket) -> None:
        for word in words:
            client.sendall(word)

    return answer


def hang_up_after(words: bytes) -> Answer:
    """Some words, and the line is dead."""

    def answer(client: socket.socket) -> None:
        client.sendall(words)
        client.close()

    return answer


LIES: dict[str, Answer] = {
    "garbage": say(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "bytes": say(bytes(range(256)) * 10),
    "a number": say(b":5\r\n" * 4),
    "a huge number": say(b":" + b"9" * 400 + b"\r\n"),
    "a negative length": say(b"$-7\r\n"),
    "a length that is none": say(b"$ten\r\n"),
    "nothing where a list is due": say(b"*-1\r\n" * 4),
    "lists in lists": say(b"*1\r\n" * 5000),
    "an error": say(b"-ERR no\r\n" * 4),
    "another's value": say(b"$5\r\nhello\r\n" * 4),
    "another's values": say(b"*4\r\n$1\r\na\r\n$1\r\nb\r\n:1\r\n*0\r\n" * 4),
    "a value cut short": hang_up_after(b"$99\r\nEFs1"),
    "a hung-up line": hang_up_after(b""),
    "drip": drip,
    "flood": flood,
    "silence": silence,
}


@contextlib.contextmanager
def liar(answer: Answer) -> Iterator[str]:
    """A server that gives one answer to each command; yields its URL."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            while client.recv(100_000):
                answer(client)

    def listen() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=serve, args=(client,), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
