from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone

import numpy as np
import pytest

from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.objects.recent_answers import (
    ANSWERS_A_SCENE,
    SHAPE_WINDOW_S,
    WINDOW_S,
    RecentAnswer,
    RecentAnswers,
)
from edgeflow_backend.objects.segmented_object import SegmentedObject
from edgeflow_backend.objects.signs import Visit
from edgeflow_backend.objects.task_regions import NO_DRAFT, Draft
from edgeflow_backend.protocol.prompts import ClickPrompt
from tests.contract.wire import keypoint

SCENE = "an image in a task"
ONE_PERSON = Visit(frozenset({"x"}))
SEVERAL_PEOPLE = Visit(frozenset({"x"}), alone=False, accepting=False)
WITHOUT_AUTO_ACCEPT = Visit(frozenset({"x"}), accepting=False)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recent(clock: Clock) -> RecentAnswers:
    return RecentAnswers(1_000_000, clock)


def answered(
    region: str, *ids: str, drawn: bool = False, waits: bool = False, side: int = 10
) -> RecentAnswer:
    so_far = SegmentedObject(region, "mask", ("Object",))
    mask = MaskPatch.of(np.ones((side, side), dtype=np.bool_))
    prompt_ids = ids or (f"point of {region}",)
    return RecentAnswer(so_far, so_far, prompt_ids, "image", None, mask, drawn=drawn, waits=waits)


def ask(recent: RecentAnswers, answer: RecentAnswer, scene: str = SCENE) -> None:
    recent.remember(scene, answer)


def regions(recent: RecentAnswers, *stored: str, visit: Visit = ONE_PERSON) -> list[str]:
    return [answer.after.region_id for answer in recent.of(SCENE, set(stored), visit)]


def test_one_persons_lone_clicks_are_remembered_newest_first(
    recent: RecentAnswers, clock: Clock
) -> None:
    for number in range(3):
        ask(recent, answered(f"r{number}"))
        clock.now += 1
    assert regions(recent) == ["r2", "r1", "r0"]


def test_an_answer_is_forgotten_once_a_draft_must_know_it(
    recent: RecentAnswers, clock: Clock
) -> None:
    ask(recent, answered("r"))
    clock.now += WINDOW_S - 0.1
    assert regions(recent) == ["r"]
    clock.now += 0.2
    assert regions(recent) == []


def test_a_newer_answer_of_a_region_takes_the_older_ones_place(
    recent: RecentAnswers, clock: Clock
) -> None:
    ask(recent, answered("r", "first"))
    clock.now += 1
    ask(recent, answered("r", "second"))
    assert [answer.prompt_ids for answer in recent.of(SCENE, (), ONE_PERSON)] == [("second",)]


def test_with_several_people_a_region_that_is_stored_is_the_annotators_own(
    recent: RecentAnswers,
) -> None:
    ask(recent, answered("r"))
    ask(recent, answered("box", drawn=True))
    assert regions(recent, visit=SEVERAL_PEOPLE) == []
    assert regions(recent, "r", visit=SEVERAL_PEOPLE) == ["r"]


def test_without_auto_accept_a_drawn_shape_alone_is_found(recent: RecentAnswers) -> None:
    ask(recent, answered("r"))
    ask(recent, answered("box", drawn=True))
    assert regions(recent, visit=WITHOUT_AUTO_ACCEPT) == ["box"]


def test_what_becomes_of_a_suggestion_that_waits_only_drafts_tell(recent: RecentAnswers) -> None:
    ask(recent, answered("r", "a", "b", waits=True))
    assert regions(recent) == []
    assert regions(recent, "r") == []


def test_a_drawn_shape_is_remembered_longer_and_until_it_is_stored(
    recent: RecentAnswers, clock: Clock
) -> None:
    ask(recent, answered("box", drawn=True))
    clock.now += WINDOW_S * 3
    assert regions(recent) == ["box"]
    assert regions(recent, "box") == []  # then the draft knows better
    clock.now += SHAPE_WINDOW_S
    assert regions(recent) == []


def test_what_began_with_the_same_point_is_found_however_old(
    recent: RecentAnswers, clock: Clock
) -> None:
    ask(recent, answered("r", "a", "b"))
    clock.now += WINDOW_S * 2
    found = recent.repeated(SCENE, ["a", "b", "c"])
    assert found is not None
    assert found.after.region_id == "r"
    assert recent.repeated(SCENE, ["b"]) is None
    assert recent.repeated("elsewhere", ["a"]) is None


TODAY = 1_800_000_000.0
"""POSIX time when the clock shows 1000."""


def clicked(region: str, key: str) -> RecentAnswer:
    """An answer to a point."""
    return replace(
        answered(region, key), prompt=ClickPrompt.parse([keypoint(50, 50, key=key)], max_clicks=9)
    )


def saved(clock: Clock, *ids: str, ago: float = 0.0, fast: float = 0.0) -> Draft:
    """A draft that was saved so many seconds ago, by a clock that is fast by so many."""
    when = TODAY + clock.now - 1000 - ago + fast
    text = datetime.fromtimestamp(when, timezone.utc).isoformat().replace("+00:00", "Z")
    return Draft(frozenset(ids), saved=text)


@pytest.fixture
def dated(clock: Clock) -> RecentAnswers:
    return RecentAnswers(1_000_000, clock, wall=lambda: TODAY + clock.now - 1000)


def left(recent: RecentAnswers, draft: Draft, *points: str) -> list[str]:
    visit = Visit(frozenset(points or {"new"}))
    return [answer.after.region_id for answer in recent.of(SCENE, draft.ids, visit, draft)]


def test_a_later_draft_without_a_region_shows_that_it_was_removed(
    dated: RecentAnswers, clock: Clock
) -> None:
    before = saved(clock, ago=1)
    dated.remember(SCENE, clicked("r", "a").noted(False, before))
    clock.now += 6
    assert left(dated, NO_DRAFT) == ["r"]
    assert left(dated, saved(clock, ago=0.5)) == []
    assert left(dated, saved(clock, "r", ago=0.5)) == ["r"]
    assert left(dated, saved(clock, "a", ago=0.5)) == ["r"], "its point is there: not accepted yet"
    assert left(dated, saved(clock, ago=5)) == ["r"], "may be older than the answer"
    assert left(dated, replace(before, saved="at noon")) == ["r"]


def test_the_very_draft_that_was_there_before_shows_nothing_whatever_the_clocks_say(
    dated: RecentAnswers, clock: Clock
) -> None:
    before = saved(clock, ago=1, fast=60)
    dated.remember(SCENE, clicked("r", "a").noted(False, before))
    clock.now += 6
    assert left(dated, before) == ["r"]


def test_a_draft_that_holds_the_click_itself_shows_all_that_the_annotator_saw(
    dated: RecentAnswers, clock: Clock
) -> None:
    dated.remember(SCENE, clicked("r", "a").noted(False, NO_DRAFT))
    clock.now += 0.5
    assert left(dated, saved(clock, "new")) == []
    assert left(dated, saved(clock, "new", "r")) == ["r"]
    assert left(dated, saved(clock, "new", "a"), "new", "a") == ["r"]
    assert left(dated, saved(clock, "new"), "new", "newer") == ["r"]


def test_a_box_whose_mask_was_deleted_is_forgotten_when_a_draft_shows_that(
    dated: RecentAnswers, clock: Clock
) -> None:
    drawn = replace(clicked("r", "box"), drawn=True)
    dated.remember(SCENE, drawn.noted(False, NO_DRAFT))
    clock.now += 60
    assert left(dated, saved(clock, "box", ago=1)) == ["r"]
    assert left(dated, saved(clock, ago=1)) == []


def test_what_was_found_has_no_points_that_would_tell(dated: RecentAnswers, clock: Clock) -> None:
    dated.remember(SCENE, answered("r").noted(False, NO_DRAFT))
    clock.now += 6
    assert left(dated, saved(clock)) == ["r"]


def test_scenes_know_nothing_of_each_other(recent: RecentAnswers) -> None:
    ask(recent, answered("r"), "one")
    assert recent.of("two", (), ONE_PERSON) == []


def test_a_scene_holds_so_many_answers(recent: RecentAnswers, clock: Clock) -> None:
    for number in range(3 * ANSWERS_A_SCENE):
        ask(recent, answered(f"r{number}"))
        clock.now += 0.01
    assert len(recent.of(SCENE, (), ONE_PERSON)) == ANSWERS_A_SCENE


def test_bytes_are_bounded_and_a_huge_mask_is_not_kept(clock: Clock) -> None:
    recent = RecentAnswers(100_000, clock)
    ask(recent, answered("huge", side=400))
    assert regions(recent) == []
    for number in range(50):
        ask(recent, answered(f"r{number}", side=100), scene=f"scene {number}")
    kept = [number for number in range(50) if recent.of(f"scene {number}", (), ONE_PERSON)]
    assert 0 < len(kept) < 10
    assert kept[-1] == 49


def test_many_threads_leave_a_sound_memory() -> None:
    recent = RecentAnswers(10_000_000)
    barrier = threading.Barrier(8)

    def work(number: int) -> None:
        barrier.wait()
        for round_ in range(ANSWERS_A_SCENE):
            ask(recent, answered(f"r{number}-{round_}"), scene=f"scene {number % 3}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    for scene in range(3):
        assert len(recent.of(f"scene {scene}", (), ONE_PERSON)) == ANSWERS_A_SCENE
        found = recent.repeated(f"scene {scene}", [f"point of r{scene}-{ANSWERS_A_SCENE - 1}"])
        assert found is None or found.after.region_id == f"r{scene}-{ANSWERS_A_SCENE - 1}"
