"""The OpenAPI document, made from the table of operations and the models of its bodies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from werkzeug.http import HTTP_STATUS_CODES

from edgeflow import __version__
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.openapi.answers import ErrorAnswer
from edgeflow_backend.openapi.operations import OPERATIONS, Content, Operation

_ABOUT = (
    "Label Studio's ML backend protocol, spoken by EdgeFlow. A click that cannot be served gets an "
    "HTTP 200 with an empty result and the reason, since the editor shows nothing of other "
    "answers. GET routes answer HEAD, too, and all routes OPTIONS."
)
_HOST = "name of one of several Label Studios, from EDGEFLOW_LABEL_STUDIO_HOSTS"
_PASSWORD = "asked for where EDGEFLOW_BASIC_AUTH_USER and EDGEFLOW_BASIC_AUTH_PASSWORD are set"  # noqa: S105

_READ: JsonSchemaMode = "validation"
_WRITTEN: JsonSchemaMode = "serialization"
_SchemaOf = Callable[[type[BaseModel], JsonSchemaMode], JSONObject]


def describe(operations: Sequence[Operation] = OPERATIONS) -> JSONObject:
    """The OpenAPI 3.1 document of some operations."""
    references, definitions = models_json_schema(
        list(dict.fromkeys(_models(operations))), ref_template="#/components/schemas/{model}"
    )

    def schema_of(model: type[BaseModel], mode: JsonSchemaMode) -> JSONObject:
        return references[model, mode]

    paths: dict[str, JSONObject] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation, schema_of)
    host = {"default": "team", "description": _HOST}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "EdgeFlow for Label Studio",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}, {"url": "/hosts/{host}", "variables": {"host": host}}],
        "security": [{"basic": []}],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic", "description": _PASSWORD}
            },
        },
    }


def _models(
    operations: Sequence[Operation],
) -> Iterator[tuple[type[BaseModel], JsonSchemaMode]]:
    """The models of all bodies, each with its direction."""
    yield ErrorAnswer, _WRITTEN
    for operation in operations:
        if operation.body:
            yield operation.body, _READ
        for content in operation.answers.values():
            yield from ((model, _WRITTEN) for model in content.values() if model)


def _described(operation: Operation, schema_of: _SchemaOf) -> JSONObject:
    answers: dict[int, Content] = {**operation.answers}
    answers[HTTPStatus.NOT_FOUND] = {"application/json": ErrorAnswer}  # an unknown host's
    if not operation.open:
        answers[HTTPStatus.UNAUTHORIZED] = {"application/json": ErrorAnswer}
    if operation.method != "get":  # asked by a page in a browser
        answers[HTTPStatus.FORBIDDEN] = {"application/json": ErrorAnswer}
    described: JSONObject = {
        "operationId": f"{operation.method}_{operation.path.strip('/').replace('.', '_')}",
        "summary": operation.summary,
        "responses": {
            str(int(status)): {
                "description": HTTP_STATUS_CODES[status],
                "content": {
                    media: {"schema": schema_of(model, _WRITTEN)} if model else {}
                    for media, model in content.items()
                },
            }
            for status, content in sorted(answers.items())
        },
    }
    if operation.open:
        described["security"] = []
    if operation.body:
        body: JSONObject = {"schema": schema_of(operation.body, _READ)}
        if operation.example:
            body["example"] = dict(operation.example)
        described["requestBody"] = {"required": True, "content": {"application/json": body}}
    if operation.query:
        described["parameters"] = [
            {"name": name, "in": "query", "schema": dict(schema)}
            for name, schema in operation.query.items()
        ]
    return described
