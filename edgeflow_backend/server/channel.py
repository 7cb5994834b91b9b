"""One connection: what of it is late, and how it ends."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from http import HTTPStatus
from typing import Any, Protocol

from waitress.channel import (  # type: ignore[import-untyped]
    ClientDisconnected,
    HTTPChannel,
)
from waitress.task import ErrorTask, WSGITask  # type: ignore[import-untyped]

from edgeflow_backend.log import get_logger
from edgeflow_backend.server.limits import (
    HEAD_S,
    KEEP_ALIVE_S,
    LINGER_S,
    SILENT_S,
    answer_deadline,
    body_deadline,
)
from edgeflow_backend.server.parser import RequestParser
from edgeflow_backend.server.refusal import RefusalError
from edgeflow_backend.server.tally import Tally

RESET = struct.pack("ii", 1, 0)
"""For ``SO_LINGER``: close at once."""


class Server(Protocol):
    """What a connection needs of its server."""

    tally: Tally

    def add_task(self, channel: Channel) -> None:
        """Have the connection's oldest request answered."""
        ...

    def note_received(self, count: int) -> None:
        """Bound what is held of all requests that are coming."""
        ...

    def wake(self, channel: Channel) -> None:
        """Have the loop look at the connection again."""
        ...


class Refusal(ErrorTask):  # type: ignore[misc]  # waitress has no types
    """Answers a request that has an error, in JSON."""

    def execute(self) -> None:
        """Write the answer; the connection ends with it."""
        error: RefusalError = self.request.error
        content = error.body()
        self.status = f"{error.status.value} {error.phrase}"
        self.response_headers.append(("Content-Type", "application/json"))
        if error.retry_after_s is not None:
            self.response_headers.append(("Retry-After", str(error.retry_after_s)))
        self.set_close_on_finish()
        self.content_length = len(content)
        self.write(b"" if self.request.command == "HEAD" else content)


class Answer(WSGITask):  # type: ignore[misc]
    """Has the application answer; waitress would log the path of a request that fails."""

    def service(self) -> None:
        """Write the answer; after an exception outside the application's own care, an error."""
        try:
            super().service()
        except ClientDisconnected:
            self.close_on_finish = True
        except Exception:  # noqa: BLE001 - logged; one request must not end the thread
            get_logger().error("unexpected error", exc_info=True)
            self.close_on_finish = True
            if not self.wrote_header:
                self.request.error = RefusalError(
                    HTTPStatus.INTERNAL_SERVER_ERROR, "an unexpected error"
                )
                with contextlib.suppress(ClientDisconnected):
                    Refusal(self.channel, self.request).service()


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection with deadlines."""

    parser_class = RequestParser
    task_class = Answer
    error_task_class = Refusal
    server: Server
    request: RequestParser | None
    requests: list[RequestParser]
    close_when_flushed: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.since = time.monotonic()
        """When the present stage began: silence, a request's coming, or its answer."""
        self.has_served = False
        self._linger_until: float | None = None
        self._refused = False
        self._answer_bytes = 0
        super().__init__(*args, **kwargs)

    @property
    def held(self) -> int:
        """Bytes of requests and answers that are kept for this connection."""
        coming = self.request.held if self.request else 0
        whole = sum(request.held for request in self.requests) if self.requests else 0
        return coming + whole + int(self.total_outbufs_len)

    @property
    def under_way(self) -> bool:
        """Whether a whole request waits for its answer."""
        return bool(self.requests)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        begun = self.request is not None and self.request.begun
        return not (begun or self.requests or self.total_outbufs_len)

    def check(self, now: float) -> None:
        """End the connection if its client is late."""
        if self.will_close or self.requests:
            return
        if self._linger_until is not None:
            if now > self._linger_until:
                self.drop("")
        elif self.total_outbufs_len:
            sent = self._answer_bytes - self.total_outbufs_len
            if now > answer_deadline(self.since, sent):
                self.drop("slow_reader")
        elif self.request is not None and self.request.begun:
            limit = (
                body_deadline(self.since, self.request.held)
                if self.request.headers_finished
                else self.since + HEAD_S
            )
            if now > limit:
                self.refuse(
                    RefusalError(HTTPStatus.REQUEST_TIMEOUT, "the request did not come in time")
                )
        elif now > self.since + (KEEP_ALIVE_S if self.has_served else SILENT_S):
            self.drop("" if self.has_served else "silent")

    def refuse(self, error: RefusalError) -> None:
        """Answer the request that is still coming with an error, and end the connection."""
        with self.requests_lock:
            request, self.request = self.request or RequestParser(self.adj), None
            request.refuse(error)
            self.requests.append(request)
            self.server.add_task(self)

    def drop(self, reason: str) -> None:
        """End the connection without a word.

        Args:
            reason: Under which it is counted, and reset at once, so that unread bytes leave the
                kernel, too. Empty where nothing is wrong: the kernel still sends what it has.
        """
        if reason:
            self.server.tally.count(reason)
            if self.socket is not None:
                with contextlib.suppress(OSError):
                    self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.handle_close()

    def received(self, data: bytes) -> bool:
        """Take bytes."""
        if self.idle:
            self.since = time.monotonic()
        taken = bool(super().received(data))
        self.server.note_received(len(data))
        return taken

    def service(self) -> None:
        """Answer the oldest request, in a thread."""
        request = self.requests[0]
        if request.error is not None:
            self._refused = True
            self.server.tally.refuse(request.error)
        self.has_served = self.has_served or request.error is None
        super().service()
        self.since = time.monotonic()
        self._answer_bytes = int(self.total_outbufs_len)
        self.server.wake(self)

    def readable(self) -> bool:
        """Whether to read."""
        return bool(super().readable()) or self._lingers

    def writable(self) -> bool:
        """Whether there is something to send, or to close."""
        return bool(super().writable())

    def handle_write(self) -> None:
        """Send; after a refusal, listen on for a while.

        Closing a socket with unread bytes would throw the answer away.
        """
        if self._refused and self.close_when_flushed and not self.will_close:
            self._flush_exception(self._flush_some)
            if self.total_outbufs_len or not self.connected:
                return
            self.close_when_flushed = False
            self._linger_until = time.monotonic() + LINGER_S
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
            return
        super().handle_write()

    def handle_read(self) -> None:
        """Read; after a refusal, throw it away."""
        if not self._lingers:
            super().handle_read()
            return
        try:
            self.recv(self.adj.recv_bytes)
        except OSError:
            self.handle_close()

    @property
    def _lingers(self) -> bool:
        return self._linger_until is not None and not self.will_close
