from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

import pytest

from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.api.records import Project
from edgeflow_backend.label_studio import projects as module
from edgeflow_backend.label_studio.projects import Key, Projects, Unknown, ask_label_studio
from edgeflow_backend.settings import Settings
from tests.unit.edgeflow_backend.loopback import Host, Reply

ONE = Project(1, "coins", "", 1)
TWO = Project(1, "coins", "", 2)


class LabelStudio:
    """Answers what a test says, at once or once it is let."""

    def __init__(self) -> None:
        self.now = 0.0
        self.answer: Project | Exception = ONE
        self.asked: list[Key] = []
        self.held: list[Callable[[], None]] = []
        self.holds = False
        self.projects = Projects(self._ask, clock=lambda: self.now, submit=self._submit)

    def _ask(self, key: Key) -> Project:
        self.asked.append(key)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def _submit(self, ask: Callable[[], None]) -> None:
        if self.holds:
            self.held.append(ask)
        else:
            ask()


@pytest.fixture
def studio() -> LabelStudio:
    return LabelStudio()


def test_a_project_is_asked_for_once_and_nobody_waits(studio: LabelStudio) -> None:
    studio.holds = True
    for _ in range(3):
        told = studio.projects.of("", "1")
        assert isinstance(told, Unknown)
        assert "not answered yet" in told.reason
    (ask,) = studio.held
    ask()
    assert studio.projects.of("", "1") == ONE
    assert studio.asked == [("", "1")]


def test_a_change_is_seen_after_a_minute(studio: LabelStudio) -> None:
    assert studio.projects.of("", "1") == ONE
    studio.answer = TWO
    studio.now += module.REFRESH_S - 1
    assert studio.projects.of("", "1") == ONE
    studio.now += 1
    assert studio.projects.of("", "1") == TWO
    assert len(studio.asked) == 2


def test_what_is_old_counts_no_more_until_it_is_asked_again(studio: LabelStudio) -> None:
    studio.projects.of("", "1")
    studio.holds = True
    studio.now += module.KEEP_S
    assert isinstance(studio.projects.of("", "1"), Unknown)
    studio.held.pop()()
    assert studio.projects.of("", "1") == ONE


def test_a_failure_says_why_and_is_asked_again_soon(studio: LabelStudio) -> None:
    studio.answer = LabelStudioError("no answer", hint="start it")
    assert studio.projects.of("", "1") == Unknown("no answer (start it)")
    studio.answer = ONE
    assert isinstance(studio.projects.of("", "1"), Unknown)
    studio.now += module.RETRY_S
    assert studio.projects.of("", "1") == ONE


def test_a_short_failure_does_not_undo_what_is_known(studio: LabelStudio) -> None:
    studio.projects.of("", "1")
    studio.answer = LabelStudioError("no answer")
    studio.now += module.REFRESH_S
    assert studio.projects.of("", "1") == ONE
    studio.now += module.KEEP_S
    assert studio.projects.of("", "1") == Unknown("no answer")


def test_a_defect_is_a_failure_too(studio: LabelStudio) -> None:
    studio.answer = RuntimeError("secret")
    told = studio.projects.of("", "1")
    assert isinstance(told, Unknown)
    assert "secret" not in told.reason
    studio.answer, studio.now = ONE, studio.now + module.RETRY_S
    assert studio.projects.of("", "1") == ONE


def test_a_task_that_is_opened_has_its_project_asked_for_sooner(studio: LabelStudio) -> None:
    studio.projects.of("", "1")
    studio.answer = TWO
    studio.now += module.OPENED_S
    assert studio.projects.of("", "1") == ONE
    assert studio.projects.of("", "1", refresh_s=module.OPENED_S) == TWO


def test_a_project_that_was_changed_is_unknown_until_it_is_asked_again(
    studio: LabelStudio,
) -> None:
    studio.projects.of("", "1")
    studio.projects.forget("", "1")
    studio.projects.forget("", "never heard of")
    studio.holds, studio.answer = True, TWO
    assert isinstance(studio.projects.of("", "1"), Unknown)
    studio.held.pop()()
    assert studio.projects.of("", "1") == TWO


def test_an_answer_that_was_under_way_when_the_project_changed_is_dropped(
    studio: LabelStudio,
) -> None:
    studio.holds = True
    studio.projects.of("", "1")
    studio.projects.forget("", "1")
    studio.projects.of("", "1")
    old, new = studio.held
    old()
    assert isinstance(studio.projects.of("", "1"), Unknown)
    studio.answer = TWO
    new()
    assert studio.projects.of("", "1") == TWO


def test_projects_and_label_studios_are_told_apart(studio: LabelStudio) -> None:
    for key in (("", "1"), ("", "2"), ("team-b", "1")):
        studio.projects.of(*key)
    assert studio.asked == [("", "1"), ("", "2"), ("team-b", "1")]
    assert [key for key, _ in studio.projects.known()] == studio.asked


def test_a_flood_of_projects_is_not_asked_for(studio: LabelStudio) -> None:
    studio.holds = True
    for number in range(module.MAX_PROJECTS * 2):
        studio.projects.of("", str(number))
    assert len(studio.held) == module.MAX_WAITING
    assert len(studio.projects.known()) == module.MAX_PROJECTS
    for ask in studio.held:
        ask()
    studio.holds = False
    assert studio.projects.of("", "another") == ONE


@pytest.fixture
def ask(host: Host) -> Callable[[Key], Project]:
    body = {"id": 7, "title": "coins", "label_config": "", "maximum_annotations": 2}
    host.routes["/api/projects/7"] = Reply(body=json.dumps(body).encode())
    host.routes["/api/projects/8"] = Reply(404, body=b'{"detail": "Not found."}')
    hosts = {"mute": {"url": host.url}, "named": {"url": host.url, "api_key": "xyz"}}
    return ask_label_studio(
        Settings(
            label_studio_url=host.url,
            label_studio_api_key="abc",
            label_studio_hosts=json.dumps(hosts),
        )
    )


def test_label_studio_is_asked_with_the_token(ask: Callable[[Key], Project], host: Host) -> None:
    assert ask(("", "7")).maximum_annotations == 2
    assert ask(("named", "7")).maximum_annotations == 2
    tokens = [request.headers["authorization"] for request in host.received]
    assert tokens == ["Token abc", "Token xyz"]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (("", "8"), "HTTP 404"),
        (("", ""), "names no project"),
        (("", "7/../8"), "names no project"),
        (("", "٧"), "names no project"),
        (("mute", "7"), "api_key of 'mute'"),
        (("gone", "7"), "LABEL_STUDIO_URL"),
    ],
)
def test_why_nothing_is_known_is_said(
    ask: Callable[[Key], Project], host: Host, key: Key, reason: str
) -> None:
    projects = Projects(ask, submit=lambda run: run())
    told = projects.of(*key)
    assert isinstance(told, Unknown)
    assert reason in told.reason
    assert len(host.received) == (reason == "HTTP 404")


def test_a_slow_label_studio_delays_nobody() -> None:
    """The clock is real here: asking takes as long as Label Studio likes, in another thread."""
    gate = threading.Event()

    def ask(_: Key) -> Project:
        gate.wait(20)
        return ONE

    projects = Projects(ask)
    try:
        assert isinstance(projects.of("", "1"), Unknown)  # at once, or the test would hang here
        gate.set()
        give_up = time.monotonic() + 20
        while projects.of("", "1") != ONE:
            assert time.monotonic() < give_up
            time.sleep(0.005)
    finally:
        gate.set()
        projects.close()
    assert isinstance(projects.of("", "2"), Unknown)  # closed: asked no more, and no error
