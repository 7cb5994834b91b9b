"""Requests that are sent and not yet read, so that things can happen in between."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time
from urllib.parse import urlsplit

from tests.contract.wire import JSONObject
from tests.faults.annotators import ANSWER_S, Task
from tests.faults.oracle import Asked


class Pending:
    """A request on a connection of its own.

    Args:
        task: The task, with its clicks.
        count: How many of the clicks are sent; None for all.
        upto: How much of the request's bytes is sent, as a share.
    """

    def __init__(self, task: Task, count: int | None = None, upto: float = 1.0) -> None:
        self._task = task
        self._body = task.body(count)
        parts = urlsplit(task.url)
        content = json.dumps(self._body).encode()
        head = (
            f"POST {parts.path}/predict HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        ).encode()
        self._data = head + content
        self._sent = int(len(self._data) * upto)
        self._started = time.monotonic()
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 80), 60)
        self._socket.settimeout(2 * ANSWER_S)
        self._socket.sendall(self._data[: self._sent])

    def send_rest(self) -> None:
        """Send what was held back."""
        self._socket.sendall(self._data[self._sent :])
        self._sent = len(self._data)

    def read(self) -> Asked:
        """Wait for the answer; its seconds count from the sending."""
        status, headers, answer = 0, {}, _NOTHING
        with self._socket, contextlib.suppress(OSError, http.client.HTTPException):
            response = http.client.HTTPResponse(self._socket)
            response.begin()
            content = response.read()
            status, headers = response.status, dict(response.getheaders())
            answer = json.loads(content)
        seconds = time.monotonic() - self._started
        return self._task.asked(self._body, status, headers, answer, seconds)

    def give_up(self) -> None:
        """Hang up without having read."""
        self._socket.close()


_NOTHING: JSONObject = {}
