"""What the door answers when a request is not one: an HTTP error in the form of all others."""

from __future__ import annotations

from http import HTTPStatus

import orjson
from werkzeug.http import HTTP_STATUS_CODES

HINTS = {
    HTTPStatus.BAD_REQUEST: "send HTTP/1.1 as RFC 9112 has it; is a proxy between?",
    HTTPStatus.REQUEST_TIMEOUT: "send a request without pauses; it must be whole before it counts",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "send fewer or shorter header fields",
    HTTPStatus.INTERNAL_SERVER_ERROR: "see the backend's log",
    HTTPStatus.SERVICE_UNAVAILABLE: "try again in a few seconds",
}
"""The way out, where the refusal itself names none."""

RETRY_AFTER_S = 2
"""When a client may come again that was refused for want of room."""


class RefusalError(Exception):
    """A request that never becomes one.

    Args:
        status: Of the answer.
        message: What is wrong; never a text that the client sent.
        hint: The way out; empty for the status' own.
    """

    def __init__(self, status: HTTPStatus, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.hint = hint or HINTS.get(status, "docs/protocol.md says what this backend answers")

    @property
    def phrase(self) -> str:
        """Werkzeug's name of the status; that of :class:`HTTPStatus` changes with Python."""
        return HTTP_STATUS_CODES[self.status]

    @property
    def code(self) -> str:
        """As in the application's own errors, for example ``bad_request``."""
        if self.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            return "internal"
        return self.phrase.lower().replace(" ", "_")

    @property
    def retry_after_s(self) -> int | None:
        """Seconds until a retry; None if retrying cannot help."""
        return RETRY_AFTER_S if self.status == HTTPStatus.SERVICE_UNAVAILABLE else None

    def body(self) -> bytes:
        """The answer's JSON."""
        error = {"code": self.code, "message": self.message, "hint": self.hint}
        return orjson.dumps({"error": error})


def bad_request(message: str) -> RefusalError:
    """A request that breaks HTTP's grammar."""
    return RefusalError(HTTPStatus.BAD_REQUEST, message)
