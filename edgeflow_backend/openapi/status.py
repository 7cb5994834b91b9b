"""The body of ``/status``, see :func:`edgeflow_backend.status.report.report`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from edgeflow_backend.openapi.answers import Body
from edgeflow_backend.status.calls import Call
from edgeflow_backend.status.config_checks import Place
from edgeflow_backend.status.failures import Failure
from edgeflow_backend.status.lost_masks import LostOfProject
from edgeflow_backend.status.report import ModelState


class Summary(Body):
    """The page in one sentence."""

    level: Literal["good", "warning", "bad"]
    text: str


class Model(Body):
    """The default model."""

    state: ModelState
    version: str
    runtime: str
    message: str
    hint: str


class Load(Body):
    """Predictions since the start, and how long the last ones took."""

    waiting: int
    queue_limit: int
    ok: int
    failed: int
    last_ok: datetime | None
    measured: int
    median_ms: float | None
    p95_ms: float | None


class CacheUse(Body):
    """How full a cache is."""

    name: str
    bytes: int
    max_bytes: int


@dataclass(frozen=True)
class LostMasks(LostOfProject):
    """A project's annotations with clicks but without masks, in words, too."""

    message: str
    hint: str


class ProjectSeen(Body):
    """A project's labelling config."""

    project: str
    problems: list[str]
    warnings: list[str]
    refining: str = Field(description="which masks clicks refine")
    export: str = Field(description="the command that exports it")
    seen: datetime
    place: Place


class Help(Body):
    """Where to read on."""

    title: str
    page: str
    url: str


class EffortPoint(Body):
    """Some objects that were accepted one after the other."""

    objects: int = Field(description="accepted by then")
    at: datetime
    mean: float = Field(description="clicks per object")


class EffortOfLabel(Body):
    """What the accepted objects of a label took."""

    label: str
    objects: int
    clicks: int
    mean: float
    newest: float = Field(description="clicks per object at the last point")
    points: list[EffortPoint]


class ClicksToTarget(Body):
    """Mean clicks to an IoU."""

    target: int = Field(description="IoU in percent")
    before: float = Field(description="with the weights that the version was made from")
    after: float


class IoUAfterClicks(Body):
    """Mean IoU after so many clicks as its place in the list says."""

    before: float
    after: float


class MeasuredVersion(Body):
    """What a version takes on some objects."""

    what: str
    objects: int
    clicks: list[ClicksToTarget]
    curve: list[IoUAfterClicks]


class VersionOfProject(Body):
    """Weights that a project has learnt."""

    number: int
    name: str = Field(description="as `model_version` has it")
    state: Literal["served", "accepted", "refused", "rolled back"]
    made: datetime
    objects: int = Field(description="accepted objects that it has learnt from")
    reason: str = Field(description="why it was refused or rolled back")
    measured: list[MeasuredVersion]


class LearnedOfProject(Body):
    """What is kept of a project's accepted objects."""

    project: str
    read: datetime | None
    failed: bool
    message: str
    hint: str
    tasks: int
    objects: int
    held_out: int
    objects_bytes: int
    pictures_bytes: int
    effort: list[EffortOfLabel] = Field(description="of all labels first, then of each")
    answers: str = Field(description="version of the model that answers its clicks now")
    versions: list[VersionOfProject] = Field(description="newest first")


class SharedTierUse(Body):
    """One use of the second tier."""

    use: str
    reached: bool
    message: str


class Status(Body):
    """Why clicks fail, the state of the model, and the load. Lists are newest first."""

    summary: Summary
    time: datetime
    started: datetime
    uptime_s: float = Field(ge=0)
    model: Model
    load: Load
    caches: list[CacheUse]
    shared: list[SharedTierUse] = Field(description="the second tier; empty without it")
    troubles: list[Failure]
    notes: list[Failure]
    lost: list[LostMasks]
    calls: list[Call]
    learning: list[LearnedOfProject] = Field(description="empty unless switched on")
    projects: list[ProjectSeen]
    help: Help
