"""Answers over HTTP: JSON, and errors with what went wrong and what can be done about it."""

from __future__ import annotations

from http import HTTPStatus

import orjson
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.errors import RefusedRequestError
from edgeflow_backend.log import get_logger
from edgeflow_backend.redact.texts import clean
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal


def add_error_handlers(app: Flask, settings: Settings, journal: Journal) -> None:
    """Answer whatever a route raises; a defect's traceback goes to the log alone."""

    @app.errorhandler(RefusedRequestError)
    def refuse(error: RefusedRequestError) -> Response:
        response = refusal(journal, error.http_status, error.code, error.message, error.hint)
        if error.retry_after_s is not None:
            response.headers["Retry-After"] = str(error.retry_after_s)
        return response

    @app.errorhandler(HTTPException)
    def refuse_http(error: HTTPException) -> Response:
        status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
        hint = (
            f"the limit is EDGEFLOW_MAX_BODY_MB={settings.max_body_mb:g}"
            if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            else "docs/protocol.md lists the routes and methods of this backend"
        )
        code = error.name.lower().replace(" ", "_")
        response = refusal(journal, status, code, error.name, hint)
        response.headers.update(h for h in error.get_headers() if h[0] != "Content-Type")
        return response

    @app.errorhandler(Exception)
    def refuse_unexpected(error: Exception) -> Response:
        get_logger().error("unexpected error", endpoint=endpoint_name(), exc_info=error)
        return refusal(
            journal,
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "internal",
            "an unexpected error",
            "see the backend's log",
        )


def endpoint_name() -> str:
    """The endpoint of the request, without the prefix of its blueprint."""
    return (request.endpoint or "unknown").rpartition(".")[2]


def json_answer(body: JSONObject, status: int = HTTPStatus.OK) -> Response:
    """A JSON object as an answer."""
    return Response(orjson.dumps(body), status=int(status), content_type="application/json")


def describe_error(code: str, message: str, hint: str) -> JSONObject:
    """An error in words, without secrets."""
    return {"code": code, "message": clean(message), "hint": clean(hint)}


def refusal(journal: Journal, status: int, code: str, message: str, hint: str) -> Response:
    """An HTTP error, logged; one that costs a click also goes to the status page."""
    error = describe_error(code, message, hint)
    if endpoint_name() == "predict":
        project = str(g.get("project", ""))
        error["id"] = journal.failures.note(code, message, hint, project=project)
    get_logger().warning("request refused", **error)
    return json_answer({"error": error}, status)
