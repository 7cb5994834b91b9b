"""A body in chunks (RFC 9112, section 7.1), read strictly."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus

from edgeflow_backend.server.head import FIELD, TOKEN
from edgeflow_backend.server.refusal import RefusalError, bad_request

MAX_LINE = 4096
"""Most bytes of a line: a chunk's size with its extensions, or a trailer field."""

MAX_TRAILERS = 64
"""Most trailer fields."""

QUOTED = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"'
EXTENSION = rb"[ \t]*;[ \t]*" + TOKEN + rb"(?:[ \t]*=[ \t]*(?:" + TOKEN + rb"|" + QUOTED + rb"))?"
SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:" + EXTENSION + rb")*")


class ChunkedBody:
    """Takes a body's bytes as they come. Extensions and trailer fields are checked and dropped.

    Args:
        limit: Most bytes of content.
        write: Takes the content.
        too_large: Makes the error for more.
    """

    def __init__(
        self, limit: int, write: Callable[[bytes], object], too_large: Callable[[], RefusalError]
    ) -> None:
        self.completed = False
        self._room = limit
        self._write = write
        self._too_large = too_large
        self._line = b""
        self._remaining = 0
        self._trailers = 0
        self._take: Callable[[bytes], None] = self._take_size

    def received(self, data: bytes) -> int:
        """Take bytes; return how many belong to this body.

        Raises:
            RefusalError: The body is malformed or too large.
        """
        position = 0
        while position < len(data) and not self.completed:
            if self._remaining:
                content = data[position : position + self._remaining]
                self._write(content)
                self._remaining -= len(content)
                position += len(content)
                continue
            end = data.find(b"\n", position) + 1
            self._line += data[position : end or len(data)]
            position = end or len(data)
            if len(self._line) > MAX_LINE:
                raise RefusalError(
                    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "a chunk's line is too long"
                )
            if end:
                line, self._line = self._line, b""
                if not line.endswith(b"\r\n"):
                    raise bad_request("a chunk's line ends without a carriage return")
                self._take(line[:-2])
        return position

    def _take_size(self, line: bytes) -> None:
        match = SIZE_LINE.fullmatch(line)
        if match is None:
            raise bad_request("a chunk's size or extension is malformed")
        size = int(match[1], 16)
        if size > self._room:
            raise self._too_large()
        self._room -= size
        self._remaining = size
        self._take = self._take_end if size else self._take_trailer

    def _take_end(self, line: bytes) -> None:
        if line:
            raise bad_request("a chunk is longer than its size")
        self._take = self._take_size

    def _take_trailer(self, line: bytes) -> None:
        if not line:
            self.completed = True
            return
        self._trailers += 1
        if self._trailers > MAX_TRAILERS:
            raise RefusalError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too many trailers")
        if FIELD.fullmatch(line) is None:
            raise bad_request("a trailer field is malformed")
