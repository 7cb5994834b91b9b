"""Messages between the backend and a decoder: a JSON object each, with at most one open file.

They travel over a Unix socket that keeps their borders. Nothing is pickled.
"""

from __future__ import annotations

import json
import socket
from typing import Any

MAX_BYTES = 1 << 16

Message = dict[str, Any]


class ClosedError(Exception):
    """The other side is gone, or sends what is no message."""


def send(connection: socket.socket, message: Message, file: int | None = None) -> None:
    """Send a message, and a descriptor of a file, which the sender may close afterwards.

    Raises:
        ClosedError: Nobody receives it any more.
    """
    try:
        socket.send_fds(connection, [json.dumps(message).encode()], [] if file is None else [file])
    except OSError as error:
        raise ClosedError from error


def receive(connection: socket.socket) -> tuple[Message, int | None]:
    """Receive a message, and the descriptor that came with it, which the receiver must close.

    Raises:
        ClosedError: No message will come.
        TimeoutError: None came within the socket's time limit.
    """
    try:
        data, files, _, _ = socket.recv_fds(connection, MAX_BYTES, 1)
        message = json.loads(data)
    except TimeoutError:
        raise
    except (OSError, ValueError) as error:
        raise ClosedError from error
    if not isinstance(message, dict):
        raise ClosedError
    return message, files[0] if files else None
