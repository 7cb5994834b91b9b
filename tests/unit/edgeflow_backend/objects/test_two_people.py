"""Two people on one task, at human pace, whose clicks fall on each other's masks.

Label Studio and the clock are simulated; the network is real. Each answer is held against that of a
backend which has never seen the other person, asked about a task which they never touched.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from edgeflow.errors import EdgeFlowError
from edgeflow.inference.predictor import Predictor
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.label_studio.projects import Projects
from edgeflow_backend.objects.recent_answers import RecentAnswers
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.protocol.prompts import parse_prompt
from edgeflow_backend.requests import Request
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics
from tests.unit.edgeflow_backend.samples import click, disk_request, projects_with_overlap
from tests.unit.local_service import local_service

pytestmark = pytest.mark.no_cover  # thousands of requests on the same lines

TASKS = 500
"""With two streams of clicks each."""

SOME_TASKS = 100
"""The first of the same: only how a project's overlap is learnt is another."""

FEW_TASKS = 30
CLICKS = 3
DRAFT_S = 5.0
PLACES = [(50, 50), (45, 55), (55, 45), (8, 8)]
"""Three on the disk, one on the meadow. Few, so that the network's steps are soon all known."""

BODY = disk_request()
CONFIG = parse_label_config(BODY["label_config"]).for_task(BODY["tasks"][0]["data"])


@dataclass
class Person:
    """Somebody in a task, with auto-accept on or off.

    Attributes:
        regions: What their editor shows.
        points: Their points that are not accepted yet.
        draft: What Label Studio has saved of it.
        changed_at: When the oldest change was made that is not saved yet.
    """

    name: str
    accepts: bool
    regions: dict[str, JSONObject] = field(default_factory=dict)
    points: list[JSONObject] = field(default_factory=list)
    draft: list[JSONObject] = field(default_factory=list)
    changed_at: float | None = None

    def drafts(self, now: float) -> list[JSONObject]:
        if self.changed_at is not None and now >= self.changed_at + DRAFT_S:
            self.draft, self.changed_at = [*self.regions.values(), *self.points], None
        return [{"user": self.name, "result": self.draft}] if self.draft else []

    def click(self, chance: random.Random, key: str) -> list[JSONObject]:
        x, y = chance.choice(PLACES)
        self.points.append({**click(x, y, positive=chance.random() < 0.8), "id": key})
        return list(self.points)

    def take(self, answer: list[JSONObject], now: float) -> None:
        self.changed_at = self.changed_at or now
        if self.accepts:
            self.points.clear()
            self.regions |= {region["id"]: region for region in answer}


class World:
    """A backend with a clock of its own, and one that forgets all between two requests."""

    def __init__(self, predictor: Predictor, projects: Projects | None, refine: str) -> None:
        self.now = 1000.0
        settings = Settings(refine=refine)
        self.backend, self.alone = (
            local_service(settings, predictor, Metrics(), projects=projects, clock=lambda: self.now)
            for _ in range(2)
        )

    def differences(self, number: int) -> int:
        """How many of the two people's streams in one task differ from each request alone."""
        chance = random.Random(number)
        people = [Person(name, chance.random() < 0.7) for name in ("anna", "ben")]
        annotations: list[JSONObject] = []
        differing = set()
        due = {person.name: self.now + chance.uniform(0, 2) for person in people}
        for order in range(2 * CLICKS):
            person = min(people, key=lambda person: due[person.name])
            self.now = due[person.name]
            due[person.name] += chance.uniform(1, 3)
            asked: JSONObject = {
                **BODY["tasks"][0],
                "id": number,
                "drafts": person.drafts(self.now),
                "annotations": [a for a in annotations if a["completed_by"] != person.name],
            }
            points = person.click(chance, f"{number}-{order}")
            answer = segment(self.backend, asked, points)
            self.alone.recent = RecentAnswers(1_000_000)
            if answer != segment(self.alone, {**asked, "annotations": []}, points):
                differing.add(person.name)
            person.take(answer, self.now)
            if order >= CLICKS and person is people[0] and not annotations:
                submitted = list(person.regions.values())
                annotations.append({"completed_by": person.name, "result": submitted})
        return len(differing)

    def close(self) -> None:
        self.backend.close()
        self.alone.close()


def segment(
    service: SegmentationService, task: JSONObject, points: list[JSONObject]
) -> list[JSONObject]:
    prompt = parse_prompt({"result": points}, max_clicks=100)
    try:
        return service.segment(Request(task, prompt, CONFIG, ProjectRef("", "1"))).regions
    except EdgeFlowError:  # a lone negative click, for one
        return []


@pytest.fixture
def world(request: Any, predictor: Predictor) -> Iterator[World]:
    overlap, refine = request.param
    projects = None if overlap is None else projects_with_overlap(overlap)
    made = World(predictor, projects, refine)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("world", "tasks"),
    [((2, "auto"), TASKS), ((None, "auto"), SOME_TASKS)],
    indirect=["world"],
    ids=["overlap 2", "overlap unknown"],
)
def test_nobody_ever_gets_anything_of_somebody_else(world: World, tasks: int) -> None:
    assert sum(world.differences(number) for number in range(tasks)) == 0


@pytest.mark.parametrize("world", [(1, "drafts"), (1, "off")], indirect=True, ids=["drafts", "off"])
def test_nor_where_the_setting_forbids_it(world: World) -> None:
    assert sum(world.differences(number) for number in range(FEW_TASKS)) == 0


@pytest.mark.parametrize(
    "world", [(1, "auto"), (2, "annotations")], indirect=True, ids=["overlap 1", "annotations"]
)
def test_where_one_person_is_expected_two_do_get_something_of_each_other(world: World) -> None:
    """What the rule is for, and the proof that these streams would show it."""
    assert sum(world.differences(number) for number in range(FEW_TASKS)) > 0
