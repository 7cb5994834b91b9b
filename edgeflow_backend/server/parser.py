"""One request as it comes in, with the interface that waitress's channels and tasks expect."""

from __future__ import annotations

import re
from http import HTTPStatus
from io import BytesIO
from typing import Protocol

from edgeflow_backend.server.chunks import ChunkedBody
from edgeflow_backend.server.head import MAX_HEAD, Head, parse_head
from edgeflow_backend.server.refusal import RefusalError, bad_request

BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")
NO_METHOD = re.compile(rb"[^A-Za-z]")


class Adjustments(Protocol):
    """The part of waitress's adjustments that matters here."""

    max_request_body_size: int
    url_scheme: str


class RequestParser:
    """Collects a request until it is whole, in memory; the server bounds the sum of all.

    A request that breaks the rules is complete as well: it has an :attr:`error`.

    Args:
        adjustments: Those of the server; ``max_request_body_size`` is the largest body allowed.
    """

    def __init__(self, adjustments: Adjustments) -> None:
        self._limit = adjustments.max_request_body_size
        self.url_scheme = adjustments.url_scheme
        self.completed = False
        self.empty = False
        self.expect_continue = False
        self.headers_finished = False
        self.error: RefusalError | None = None
        self.headers: dict[str, str] = {}
        self.version = "1.1"
        self.command = "GET"
        self.path = "/"
        self.query = ""
        self.request_uri = "/"
        self._head = b""
        self._body = BytesIO()
        self._size = 0
        self._remaining = 0
        self._chunks: ChunkedBody | None = None

    @property
    def held(self) -> int:
        """Bytes that are kept."""
        return len(self._head) + self._size

    @property
    def begun(self) -> bool:
        """Whether a byte of it is there."""
        return bool(self._head) or self.headers_finished

    def received(self, data: bytes) -> int:
        """Take bytes; return how many belong to this request."""
        if self.completed:
            return 0
        try:
            return self._take_body(data) if self.headers_finished else self._take_head(data)
        except RefusalError as error:
            self.refuse(error)
            return len(data)  # where a next request would begin can't be known

    def refuse(self, error: RefusalError) -> None:
        """End the request, and forget what came of it."""
        self.error = error
        self.completed = True
        self.expect_continue = False
        self._head = b""
        self.close()

    def get_body_stream(self) -> BytesIO:
        """The body, from its start."""
        self._body.seek(0)
        return self._body

    def close(self) -> None:
        """Free the body."""
        self._size = 0
        self._body.close()

    def _keep(self, content: bytes) -> None:
        self._body.write(content)
        self._size += len(content)

    def _take_head(self, data: bytes) -> int:
        before = len(self._head)
        head = self._head + data
        skipped = 0
        while head.startswith(b"\r\n", skipped):  # RFC 9112, 2.2: empty lines ahead are ignored
            skipped += 2
        if NO_METHOD.match(head, skipped) and head[skipped:] != b"\r":
            raise bad_request("this is not HTTP; HTTPS needs a proxy in front of this port")
        end = head.find(b"\r\n\r\n", max(skipped, before - 3))
        kept = head[skipped : end if end >= 0 else len(head)]
        if len(kept) > MAX_HEAD:
            raise RefusalError(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"the head is over {MAX_HEAD} bytes"
            )
        if BARE_LINE_FEED.search(kept, max(0, before - skipped - 1)):
            raise bad_request("a line ends without a carriage return")
        if end < 0:
            self._head = kept
            return len(data)
        self._begin_body(parse_head(kept))
        return end + 4 - before

    def _begin_body(self, head: Head) -> None:
        self._head = b""
        self.headers_finished = True
        self.headers = dict(head.fields)
        self.version, self.command = head.version, head.method
        self.path, self.query, self.request_uri = head.path, head.query, head.target
        if head.length > self._limit:
            raise self._too_large()
        self.expect_continue = head.expects_continue
        self._remaining = head.length
        if head.chunked:
            self._chunks = ChunkedBody(self._limit, self._keep, self._too_large)
        self.completed = not (head.chunked or head.length)

    def _take_body(self, data: bytes) -> int:
        if self._chunks is None:
            content = data[: self._remaining]
            self._keep(content)
            self._remaining -= len(content)
            self.completed = self._remaining == 0
            return len(content)
        taken = self._chunks.received(data)
        self.completed = self._chunks.completed
        if self.completed:
            self.headers["CONTENT_LENGTH"] = str(self._size)
        return taken

    def _too_large(self) -> RefusalError:
        return RefusalError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "the body is too large",
            f"the limit is EDGEFLOW_MAX_BODY_MB={self._limit / 1_000_000:g}",
        )
