"""The routes of the HTTP API: a row for each route and method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from edgeflow_backend.openapi.answers import (
    ErrorAnswer,
    Health,
    Noted,
    NotHealthy,
    Predictions,
    SetUp,
    Versions,
)
from edgeflow_backend.openapi.bodies import EventBody, PredictBody, SetupBody, TrainBody
from edgeflow_backend.openapi.status import Status

Content = Mapping[str, type[BaseModel] | None]
"""By media type, what a body is; None where that is not described further."""


def _json(model: type[BaseModel]) -> Content:
    return {"application/json": model}


_ERROR = _json(ErrorAnswer)
_REFUSED = {400: _ERROR, 413: _ERROR}
_WAITS = {503: _ERROR}
_HEALTH = {200: _json(Health), 503: _json(NotHealthy)}
_TEXT: Content = {"text/plain": None}
_STATUS: Content = {"text/html": None, "application/json": Status}


@dataclass(frozen=True)
class Operation:
    """A route with one method.

    Attributes:
        path: Below the backend's URL.
        method: In lower case.
        summary: In a few words.
        answers: By HTTP status; those of every route (401, 403, 404) are added.
        body: Of the request.
        example: A body of a request.
        open: Whether it needs no password.
        query: Parameters of the query with their schemas.
    """

    path: str
    method: str
    summary: str
    answers: Mapping[int, Content]
    body: type[BaseModel] | None = None
    example: Mapping[str, Any] = field(default_factory=dict)
    open: bool = False
    query: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


_CLICK = {
    "id": "a",
    "type": "keypointlabels",
    "from_name": "click",
    "to_name": "image",
    "original_width": 640,
    "original_height": 480,
    "image_rotation": 0,
    "is_positive": True,
    "value": {"x": 50.0, "y": 40.0, "width": 0.3, "keypointlabels": ["Object"]},
}
_CONFIG = """<View>
  <KeyPointLabels name="click" toName="image" smart="true"><Label value="Object"/></KeyPointLabels>
  <Image name="image" value="$image"/>
  <BrushLabels name="mask" toName="image" smart="false"><Label value="Object"/></BrushLabels>
</View>"""

OPERATIONS = (
    Operation("/", "get", "Whether the model is ready", _HEALTH),
    Operation("/health", "get", "The same, without a password", _HEALTH, open=True),
    Operation(
        "/setup",
        "post",
        "A project is connected; what its labelling config should change",
        {200: _json(SetUp), **_REFUSED, **_WAITS},
        SetupBody,
        {"project": "1.1700000000", "schema": _CONFIG, "hostname": "https://labels.example"},
    ),
    Operation(
        "/predict",
        "post",
        "Clicks in, masks out",
        {200: _json(Predictions), **_REFUSED, **_WAITS},
        PredictBody,
        {
            "tasks": [{"id": 1, "data": {"image": "/data/upload/1/photo.jpg"}}],
            "project": "1.1700000000",
            "label_config": _CONFIG,
            "params": {"context": {"result": [_CLICK]}},
        },
    ),
    Operation(
        "/webhook",
        "post",
        "An event; masks that were not accepted are noted",
        {201: _json(Noted), **_REFUSED},
        EventBody,
        {"action": "ANNOTATION_CREATED", "project": {"id": 1}},
    ),
    Operation(
        "/train",
        "post",
        "Start training; nothing is trained",
        {201: _json(Noted), **_REFUSED},
        TrainBody,
        {"project": "1.1700000000"},
    ),
    Operation("/versions", "get", "Versions of the model", {200: _json(Versions), **_WAITS}),
    Operation("/versions", "post", "Versions of the model", {200: _json(Versions), **_WAITS}),
    Operation("/metrics", "get", "Metrics, for Prometheus", {200: _TEXT}),
    Operation(
        "/status",
        "get",
        "Why clicks fail, as a page or as JSON",
        {200: _STATUS},
        query={"format": {"type": "string", "examples": ["json", "html"]}},
    ),
    Operation("/openapi.json", "get", "This description", {200: {"application/json": None}}),
)
