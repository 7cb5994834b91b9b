"""Whether bodies are as the API's description says."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema_rs

from edgeflow_backend.openapi.document import describe
from tests.contract.wire import JSONObject


@cache
def document() -> JSONObject:
    return describe()


@cache
def _validator(path: str, method: str, status: str) -> jsonschema_rs.Validator:
    """Of an answer's JSON, or without a status of the request's."""
    operation = document()["paths"][path][method]
    described = operation["responses"][status] if status else operation["requestBody"]
    schema = described["content"]["application/json"]["schema"]
    whole = {**schema, "components": document()["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def check_request(path: str, body: Any, method: str = "post") -> None:
    """Assert that a request's body is as the description says."""
    _validator(path, method, "").validate(body)


def check_answer(path: str, status: int, body: Any, method: str = "post") -> None:
    """Assert that the JSON of an answer is as the description says."""
    _validator(path, method, str(status)).validate(body)


def conforms(path: str, status: int, body: Any, method: str = "post") -> bool:
    return _validator(path, method, str(status)).is_valid(body)
