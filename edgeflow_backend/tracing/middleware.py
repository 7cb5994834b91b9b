"""The outermost span: a request, as WSGI brings it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from edgeflow_backend.tracing.spans import Attributes, Span
from edgeflow_backend.tracing.tracer import Tracer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ROUTE = re.compile(r"(?P<host>/hosts/[^/]+)?(?P<route>/(?:setup|predict|webhook|train|versions))")
"""What is traced: Label Studio's requests, and neither monitoring nor what strangers make up."""

_HEADERS = {"HTTP_TRACEPARENT": "traceparent", "HTTP_TRACESTATE": "tracestate"}


class TracedApplication:
    """A WSGI application with a trace around each of Label Studio's requests.

    Args:
        application: The application.
        tracer: Begins the traces, or goes on with those of the requests' ``traceparent``.
    """

    def __init__(self, application: WSGIApplication, tracer: Tracer) -> None:
        self._application = application
        self._tracer = tracer

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        match = _ROUTE.fullmatch(environ.get("PATH_INFO", ""))
        if match is None:
            return self._application(environ, start_response)
        asked = environ.get("REQUEST_METHOD", "")
        method = asked if asked in ("GET", "POST") else "_OTHER"
        name = f"{method} {match['route']}"
        with self._tracer.trace(name, _carrier(environ), _described(match, method)) as request:
            return self._application(environ, _noting(request, start_response))


def _carrier(environ: WSGIEnvironment) -> dict[str, str]:
    return {name: environ[key] for key, name in _HEADERS.items() if key in environ}


def _described(match: re.Match[str], method: str) -> Attributes:
    prefix = "/hosts/<host>" if match["host"] else ""
    return {"http.request.method": method, "http.route": prefix + match["route"]}


def _noting(request: Span, start_response: StartResponse) -> StartResponse:
    """``start_response`` that also notes the status."""

    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:  # noqa: ANN401 - WSGI's
        code = int(status.partition(" ")[0])
        request.note({"http.response.status_code": code})
        if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            request.fail(str(code))
        return start_response(status, headers, *rest)

    return start
