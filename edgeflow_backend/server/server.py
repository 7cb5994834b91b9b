"""Waitress with deadlines: one thread reads and writes all connections, others answer.

Waitress hands a thread whole requests only, but lets a client take its time over one, stops
listening at its limit of connections, and asks each connection before each wait. Here the slowest
client makes room for the next one.
"""

from __future__ import annotations

import heapq
import os
import signal
import socket
import threading
import time
from http import HTTPStatus
from types import FrameType
from typing import TYPE_CHECKING

from waitress.adjustments import Adjustments  # type: ignore[import-untyped]
from waitress.server import TcpWSGIServer  # type: ignore[import-untyped]

from edgeflow_backend.log import get_logger
from edgeflow_backend.server.channel import Channel
from edgeflow_backend.server.descriptors import connection_limit
from edgeflow_backend.server.lanes import Lanes
from edgeflow_backend.server.limits import DRAIN_S, HELD_BODIES, SERVED_BODIES
from edgeflow_backend.server.refusal import RefusalError
from edgeflow_backend.server.sockets import Sockets
from edgeflow_backend.server.tally import Tally
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

CHECK_S = 0.5
"""Seconds between two looks at all connections."""

CHECK_BYTES = 4_000_000
"""Bytes that may come in until the sum of all that is held is taken again."""

RECEIVED_AT_ONCE = 65_536


class Server(TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """Serves a WSGI application.

    Args:
        application: The application.
        listener: Socket that listens.
        settings: Settings of the backend.
        metrics: Where refused requests are counted.
    """

    channel_class = Channel
    accepting: bool

    def __init__(
        self,
        application: WSGIApplication,
        listener: socket.socket,
        settings: Settings,
        metrics: Metrics,
    ) -> None:
        adjustments = Adjustments(
            sockets=[listener],
            threads=settings.http_threads,
            recv_bytes=RECEIVED_AT_ONCE,
            max_request_body_size=settings.max_body_bytes,
            ident=None,
            log_socket_errors=False,
        )
        self.sockets = Sockets()
        self.tally = Tally(metrics)
        self._limit = connection_limit(settings.max_connections)
        self._held_bytes = HELD_BODIES * settings.max_body_bytes
        self._unchecked_bytes = 0
        self._next_check = 0.0
        self._stop_at: float | None = None
        self._ended = False
        self._trigger_lock = threading.RLock()  # a signal may come while this thread holds it
        self.lanes = Lanes(settings.http_threads, SERVED_BODIES * settings.max_body_bytes)
        super().__init__(
            application,
            self.sockets,
            _sock=listener,
            dispatcher=self.lanes,
            adj=adjustments,
            bind_socket=False,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
        )

    def run(self) -> None:
        """Serve until :meth:`stop`, and then until every request under way is answered."""
        if threading.current_thread() is threading.main_thread():
            for sign in (signal.SIGTERM, signal.SIGINT):
                signal.signal(sign, self._on_signal)
        while self._stop_at is None or self._drains(self._stop_at):
            self.sockets.wait(CHECK_S)
            now = time.monotonic()
            if now >= self._next_check:
                self._next_check = now + CHECK_S
                self._check(now)
        self.lanes.shutdown()
        with self._trigger_lock:
            self._ended = True
        for dispatcher in list(self.sockets.values()):
            dispatcher.close()  # type: ignore[attr-defined]
        self.sockets.close()

    def stop(self) -> None:
        """Stop listening; answer what is under way, for :data:`DRAIN_S` at most. Thread-safe."""
        self._stop_at = time.monotonic() + DRAIN_S
        self.pull_trigger()

    def pull_trigger(self) -> None:
        """End the loop's wait. Thread-safe: the end does not close a pipe that is written to."""
        with self._trigger_lock:
            if not self._ended:
                super().pull_trigger()

    def wake(self, channel: Channel) -> None:
        """Have the loop look at a connection again. Thread-safe."""
        self.sockets.note(channel._fileno)
        self.pull_trigger()

    def readable(self) -> bool:
        """Whether to accept connections; always, since room is made."""
        return bool(self.accepting)

    def handle_accept(self) -> None:
        """Accept a connection, for which another one may have to go."""
        if len(self.active_channels) >= self._limit:
            self._make_room()
        try:
            connection, client = self.socket.accept()
        except BlockingIOError:
            return
        except OSError:  # the process has no file descriptor left, or the client is gone
            self._make_room()
            return
        try:
            self.set_socket_options(connection)
        except OSError:
            connection.close()
            return
        self.channel_class(self, connection, client, self.adj, map=self._map)

    def note_received(self, count: int) -> None:
        """Bound what is held of all requests that are coming."""
        self._unchecked_bytes += count
        if self._unchecked_bytes > CHECK_BYTES:
            self._unchecked_bytes = 0
            self._free_memory()

    def _channels(self) -> list[Channel]:
        return list(self.active_channels.values())

    def _check(self, now: float) -> None:
        for channel in self._channels():
            channel.check(now)
            if channel.under_way or channel.writable():  # a thread may have changed it
                self.sockets.note(channel._fileno)
        self._free_memory()
        self.tally.write()

    def _make_room(self) -> None:
        """Drop the connections that are least likely to be an annotator's."""
        free = [channel for channel in self._channels() if not channel.under_way]
        count = max(1, self._limit // 64)  # several, since looking at thousands takes milliseconds
        for channel in heapq.nsmallest(count, free, key=lambda each: (each.has_served, each.since)):
            channel.drop("no_room")

    def _free_memory(self) -> None:
        """Refuse the slowest of the large requests while too much is held."""
        channels = self._channels()
        excess = sum(channel.held for channel in channels) - self._held_bytes
        if excess <= 0:
            return
        coming = [channel for channel in channels if channel.held and not channel.under_way]
        for channel in sorted(coming, key=lambda channel: channel.since):
            excess -= channel.held
            if channel.total_outbufs_len:
                channel.drop("no_memory")
            else:
                error = RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, "too many large requests")
                channel.refuse(error)
            if excess <= 0:
                return

    def _drains(self, until: float) -> bool:
        """Whether requests are still under way; others are not waited for."""
        if self.accepting:
            get_logger().info("stopping", at_most_s=DRAIN_S)
            self.accepting = False
            self.del_channel()
            self.socket.close()
        for channel in self._channels():
            if channel.idle:
                channel.drop("")
        return bool(self.active_channels) and time.monotonic() < until

    def _on_signal(self, _: int, __: FrameType | None) -> None:
        if self._stop_at is None:  # logging is left to the loop, which may hold the log's lock now
            # A download under way must not keep the process until it is killed.
            ends = threading.Timer(DRAIN_S + 1, os._exit, (0,))
            ends.daemon = True
            ends.start()
            self.stop()
        else:  # told twice
            os._exit(0)
