from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta, timezone

import pytest

from edgeflow_backend.redact.texts import NAME_LENGTH, TEXT_LENGTH
from edgeflow_backend.status.failures import MAX_FAILURES, Failures, utc_now
from tests.unit.edgeflow_backend.status.clock import START, Clock
from tests.unit.edgeflow_backend.status.tokens import LEGACY_TOKEN, SIGNED_TOKEN


def test_a_failure_is_remembered_as_it_came(clock: Clock) -> None:
    failures = Failures(clock)
    noted = failures.note("image_fetch", "not found", "upload it", project="12", task="7")
    (failure,) = failures.recent()
    assert re.fullmatch("[0-9a-f]{8}", noted)
    assert failure.id == noted
    assert (failure.code, failure.message, failure.hint) == (
        "image_fetch",
        "not found",
        "upload it",
    )
    assert (failure.project, failure.task, failure.count) == ("12", "7", 1)
    assert failure.first == failure.last == START


def test_the_usual_clock_tells_utc() -> None:
    now = utc_now()
    assert now.tzinfo is timezone.utc
    assert abs(now.timestamp() - time.time()) < 5


def test_repeats_are_merged_under_one_id(clock: Clock) -> None:
    failures = Failures(clock)
    ids = set()
    for number in range(5):
        ids.add(failures.note("code", "message", f"hint {number}", project="1", task=str(number)))
        clock.sleep(60)
    (failure,) = failures.recent()
    assert ids == {failure.id}
    assert failure.count == failures.total == 5
    assert failure.first == START
    assert failure.last == START + timedelta(minutes=4)
    assert (failure.task, failure.hint) == ("4", "hint 4")


@pytest.mark.parametrize(
    "other",
    [("other", "message", "1"), ("code", "other", "1"), ("code", "message", "other")],
    ids=["code", "message", "project"],
)
def test_what_differs_is_not_merged(other: tuple[str, str, str]) -> None:
    failures = Failures()
    code, message, project = other
    first = failures.note("code", "message", project="1")
    assert failures.note(code, message, project=project) != first
    assert len(failures.recent()) == 2


def test_what_differs_in_secrets_only_is_merged() -> None:
    failures = Failures()
    for secret in "abc":
        failures.note("image_fetch", f"http://h/a.jpg?sig={secret} answered HTTP 403")
    (failure,) = failures.recent()
    assert failure.count == 3


def test_the_newest_failure_comes_first_and_a_repeat_makes_it_new(clock: Clock) -> None:
    failures = Failures(clock)
    for message in ("a", "b", "c", "a"):
        failures.note("code", message)
        clock.sleep(1)
    assert [failure.message for failure in failures.recent()] == ["a", "c", "b"]


def test_the_longest_unseen_failure_is_forgotten_first() -> None:
    failures = Failures()
    for number in range(MAX_FAILURES):
        failures.note("code", str(number))
    failures.note("code", "0")
    failures.note("code", "new")
    messages = [failure.message for failure in failures.recent()]
    assert len(messages) == MAX_FAILURES
    assert messages[:2] == ["new", "0"]
    assert "1" not in messages


@pytest.mark.slow
def test_eight_threads_lose_no_failure_and_keep_the_bounds() -> None:
    failures = Failures()

    def hammer(thread: int) -> None:
        for number in range(10_000 // 8):
            failures.note("own", f"{thread} {number}", project=str(thread))
            failures.note("shared", "the same for all", task=str(number))
            assert len(failures.recent()) <= MAX_FAILURES

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hammer, range(8)))
    recent = failures.recent()
    assert len(recent) == MAX_FAILURES
    assert failures.total == 20_000
    (shared,) = (failure for failure in recent if failure.code == "shared")
    assert shared.count == 10_000
    assert len({failure.id for failure in recent}) == MAX_FAILURES


def test_texts_are_bounded() -> None:
    failures = Failures()
    long = "x y" * 100_000
    failures.note(long, long, long, project=long, task=long)
    (failure,) = failures.recent()
    assert len(failure.message) == len(failure.hint) == TEXT_LENGTH
    assert len(failure.code) == len(failure.project) == len(failure.task) == NAME_LENGTH


@pytest.mark.parametrize("place", ["code", "message", "hint", "project", "task"])
@pytest.mark.parametrize(
    "text",
    [
        f"http://user:hunter2-{LEGACY_TOKEN}@h/x?token={LEGACY_TOKEN}#{SIGNED_TOKEN} failed",
        f"Token {LEGACY_TOKEN} was refused",
        f"Bearer {SIGNED_TOKEN}",
    ],
)
def test_no_field_keeps_a_secret(place: str, text: str) -> None:
    failures = Failures()
    failures.note(**{"code": "c", "message": "m", place: text})
    shown = repr(failures.recent())
    assert "hunter2" not in shown
    assert LEGACY_TOKEN[:12] not in shown
    assert SIGNED_TOKEN[4:16] not in shown
