"""A server that does nothing: it keeps every connection and throws away what comes.

Beside it, a client costs the machine what the client itself costs. Prints its port.
"""

from __future__ import annotations

import contextlib
import selectors
import socket


def main() -> None:
    """Serve until the process is ended."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listener.setblocking(False)
    print(listener.getsockname()[1], flush=True)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    ended = []
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                with contextlib.suppress(BlockingIOError):
                    selector.register(listener.accept()[0], selectors.EVENT_READ)
                continue
            data = b""
            with contextlib.suppress(OSError):
                data = key.fileobj.recv(65_536)  # type: ignore[union-attr]  # all are sockets
            if not data:
                selector.unregister(key.fileobj)
                ended.append(key.fileobj)  # a half-closed connection stays


if __name__ == "__main__":
    from benchmarks.slow_clients.clients import allow_many_files

    allow_many_files()
    main()
