"""Bodies of requests, as Label Studio sends them.

They describe; what reads a body accepts more spellings of the same, which docs/protocol.md lists.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from edgeflow_backend.protocol.wire import BaseRegion, KeyPoint, OutlineRegion, Stroke


class CarriedLabels(BaseRegion):
    """The labels of the region with the same id, from a ``Labels`` control."""

    type: Literal["labels"]
    value: dict[str, Any]


PromptRegion = Annotated[
    KeyPoint | OutlineRegion | Stroke | CarriedLabels, Field(discriminator="type")
]

Stored = list[dict[str, Any]]


class Body(BaseModel):
    """A body; keys that are not named are ignored."""

    model_config = ConfigDict(extra="allow")


class Task(Body):
    """A task with what people drew on it so far."""

    id: int | str | None = None
    data: dict[str, Any] = Field(description="what the labelling config's $variables refer to")
    drafts: Stored | None = None
    annotations: Stored | None = None
    predictions: Stored | None = None


class Context(Body):
    """What an annotator clicked or drew and has not accepted yet, oldest first."""

    result: list[PromptRegion]


class Params(Body):
    """Parameters of a prediction."""

    context: Context | None = Field(None, description="null in a batch call")


class PredictBody(Body):
    """Tasks to predict for: one in an interactive call."""

    tasks: list[Task]
    project: int | str | None = Field(None, description="<id>.<time of creation>, or the id")
    label_config: str | None = Field(None, description="the labelling config's XML")
    params: Params | None = None


class SetupBody(Body):
    """A project that is connected, or whose labelling config was changed."""

    project: int | str | None = None
    schema_: str | None = Field(None, alias="schema", description="the labelling config's XML")
    hostname: str | None = Field(None, description="where annotators open Label Studio")
    access_token: str | None = Field(None, description="the owner's; it is not used")


class TrainBody(Body):
    """A press on *Start training*, of a Label Studio that has no event for it."""

    project: dict[str, Any] | int | str | None = None


class EventBody(TrainBody):
    """An event of a project."""

    action: str
    task: dict[str, Any] | list[dict[str, Any]] | None = None
    tasks: list[dict[str, Any]] | None = None
    annotation: dict[str, Any] | list[dict[str, Any]] | None = None
    annotations: list[dict[str, Any]] | None = None
