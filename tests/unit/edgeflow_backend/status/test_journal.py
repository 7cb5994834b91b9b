from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from edgeflow_backend.protocol.config_check import RECOMMENDED
from edgeflow_backend.protocol.label_config import MAX_LENGTH, LabelConfig, parse_label_config
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.status.config_checks import MAX_PROBLEMS, MAX_PROJECTS, ProjectChecks
from edgeflow_backend.status.failures import MAX_FAILURES, Failures, utc_now
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.latency import MAX_DURATIONS, Durations, Speed
from edgeflow_backend.status.redact import NAME_LENGTH, TEXT_LENGTH, clean

START = datetime(2026, 5, 4, 9, 0, tzinfo=timezone.utc)
SMART_BRUSH = RECOMMENDED.replace('smart="false"', 'smart="true"')
PARSE = "edgeflow_backend.status.config_checks.parse_label_config"
LEGACY_TOKEN = "0123456789abcdef0123456789abcdef01234567"
SIGNED_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.c2lnbmF0dXJl"


class Clock:
    """A clock that the test moves on."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every labelling config that was really parsed."""
    seen: list[object] = []

    def spy(xml: object) -> LabelConfig:
        seen.append(xml)
        return parse_label_config(xml)

    monkeypatch.setattr(PARSE, spy)
    return seen


# Failures


def test_a_trouble_is_remembered_as_it_came(clock: Clock) -> None:
    troubles = Failures(clock)
    given = troubles.note("image_fetch", "not found", "upload it", project="12", task="7")
    (trouble,) = troubles.recent()
    assert re.fullmatch("[0-9a-f]{8}", given)
    assert trouble.id == given
    assert (trouble.code, trouble.message, trouble.hint) == (
        "image_fetch",
        "not found",
        "upload it",
    )
    assert (trouble.project, trouble.task, trouble.count) == ("12", "7", 1)
    assert trouble.first == trouble.last == START


def test_the_usual_clock_tells_utc() -> None:
    now = utc_now()
    assert now.tzinfo is timezone.utc
    assert abs(now.timestamp() - time.time()) < 5


def test_repeats_are_merged_under_one_id(clock: Clock) -> None:
    troubles = Failures(clock)
    ids = set()
    for number in range(5):
        ids.add(troubles.note("code", "message", f"hint {number}", project="1", task=str(number)))
        clock.sleep(60)
    (trouble,) = troubles.recent()
    assert ids == {trouble.id}
    assert trouble.count == troubles.total == 5
    assert trouble.first == START
    assert trouble.last == START + timedelta(minutes=4)
    assert (trouble.task, trouble.hint) == ("4", "hint 4")


@pytest.mark.parametrize(
    "other",
    [("other", "message", "1"), ("code", "other", "1"), ("code", "message", "other")],
    ids=["code", "message", "project"],
)
def test_what_differs_is_not_merged(other: tuple[str, str, str]) -> None:
    troubles = Failures()
    code, message, project = other
    first = troubles.note("code", "message", project="1")
    assert troubles.note(code, message, project=project) != first
    assert len(troubles.recent()) == 2


def test_what_differs_in_secrets_only_is_merged() -> None:
    troubles = Failures()
    for secret in "abc":
        troubles.note("image_fetch", f"http://h/a.jpg?sig={secret} answered HTTP 403")
    (trouble,) = troubles.recent()
    assert trouble.count == 3


def test_the_newest_trouble_comes_first_and_a_repeat_makes_it_new(clock: Clock) -> None:
    troubles = Failures(clock)
    for message in ("a", "b", "c", "a"):
        troubles.note("code", message)
        clock.sleep(1)
    assert [trouble.message for trouble in troubles.recent()] == ["a", "c", "b"]


def test_the_longest_unseen_trouble_is_forgotten_first() -> None:
    troubles = Failures()
    for number in range(MAX_FAILURES):
        troubles.note("code", str(number))
    troubles.note("code", "0")
    troubles.note("code", "new")
    messages = [trouble.message for trouble in troubles.recent()]
    assert len(messages) == MAX_FAILURES
    assert messages[:2] == ["new", "0"]
    assert "1" not in messages


def test_eight_threads_lose_no_trouble_and_keep_the_bounds() -> None:
    troubles = Failures()

    def hammer(thread: int) -> None:
        for number in range(10_000 // 8):
            troubles.note("own", f"{thread} {number}", project=str(thread))
            troubles.note("shared", "the same for all", task=str(number))
            assert len(troubles.recent()) <= MAX_FAILURES

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hammer, range(8)))
    recent = troubles.recent()
    assert len(recent) == MAX_FAILURES
    assert troubles.total == 20_000
    (shared,) = (trouble for trouble in recent if trouble.code == "shared")
    assert shared.count == 10_000
    assert len({trouble.id for trouble in recent}) == MAX_FAILURES


def test_texts_are_bounded() -> None:
    troubles = Failures()
    long = "x y" * 100_000
    troubles.note(long, long, long, project=long, task=long)
    (trouble,) = troubles.recent()
    assert len(trouble.message) == len(trouble.hint) == TEXT_LENGTH
    assert len(trouble.code) == len(trouble.project) == len(trouble.task) == NAME_LENGTH


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
    troubles = Failures()
    troubles.note(**{"code": "c", "message": "m", place: text})
    shown = repr(troubles.recent())
    assert "hunter2" not in shown
    assert LEGACY_TOKEN[:12] not in shown
    assert SIGNED_TOKEN[4:16] not in shown


# Cleaning


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "https://h:8080/a/b.jpg?X-Amz-Signature=s&x=1 answered",
            "https://h:8080/a/b.jpg answered",
        ),
        ("'https://h/a.jpg?secret' answered", "'https://h/a.jpg' answered"),
        ("https://user:p@ss@h/a.jpg#secret", "https://h/a.jpg"),
        ("https://user@h", "https://h"),
        ("s3://bucket/key.png?versionId=3 lies", "s3://bucket/key.png lies"),
        ("/data/local-files/?d=a/b.jpg is gone", "/data/local-files/?… is gone"),
        ("data:image/png;base64,iVBORw0KGgo= is short", "data:… is short"),
        (f"authorization: bearer {SIGNED_TOKEN}.", "authorization: bearer …"),
        (f"it was {LEGACY_TOKEN}", "it was …"),
        (f"it was {SIGNED_TOKEN} too", "it was … too"),
        ("two\nlines\t and\r\n  gaps", "two lines and gaps"),
        ("bell \x07, escape \x1b[31m", "bell �, escape �[31m"),
        ("from \u202eright to left", "from �right to left"),
        ("\ud800 alone", "� alone"),
    ],
)
def test_cleaning_takes_out_secrets_and_what_does_not_print(text: str, expected: str) -> None:
    assert clean(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "the task's data: URI has no data",
        "Label Studio's token holds characters that no token has",
        "Label Studio refused the personal access token (HTTP 401)",
        "add <Label value=\"Traffic light\"/> to BrushLabels 'mask'",
        "'10.0.0.0/8' is a network; is it? yes (really?)",
        "weights edgeflow_lite-99845a7f are intact",
        "a mask of 1920×1080 pixels, 12 % of it: größer",
        "می\u200cخواهم",
        "http://minio:9000/images/a.jpg answered HTTP 403",
        "",
    ],
)
def test_cleaning_leaves_harmless_words_alone(text: str) -> None:
    assert clean(text) == text


@given(st.text(max_size=3000), st.integers(1, 600))
def test_whatever_is_cleaned_is_one_bounded_line(text: str, limit: int) -> None:
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit
    assert len(cleaned.splitlines()) <= 1
    cleaned.encode()


@pytest.mark.parametrize("piece", ["a.", "?", "a?", "://@", "data", "token ", "eyJ.", "0a", "<"])
def test_hostile_texts_are_cleaned_quickly(piece: str) -> None:
    started = time.perf_counter()
    clean(piece * 1_000_000)
    assert time.perf_counter() - started < 0.5


# Labelling configs


def test_a_good_config_has_no_problems(clock: Clock) -> None:
    checks = ProjectChecks(clock)
    assert checks.check("12", RECOMMENDED, "setup") == ()
    (check,) = checks.recent()
    assert (check.project, check.problems, check.seen) == ("12", (), START)
    assert check.place == "setup"


def test_problems_are_kept_in_words() -> None:
    checks = ProjectChecks()
    found = checks.check("12", SMART_BRUSH, "predict")
    (check,) = checks.recent()
    assert check.problems == found
    assert len(found) == 1
    assert 'smart="false"' in found[0]


@pytest.mark.parametrize("xml", ["<View", "", None, 7, "x" * (MAX_LENGTH + 1), "<View>\ud800"])
def test_what_is_no_config_is_one_problem_with_a_way_out(xml: object) -> None:
    (problem,) = ProjectChecks().check("12", xml, "setup")
    assert problem.endswith(".")
    assert "; " in problem
    assert "xxx" not in problem


def test_a_config_is_parsed_again_only_when_it_changed(clock: Clock, parsed: list[object]) -> None:
    checks = ProjectChecks(clock)
    found = checks.check("12", SMART_BRUSH, "setup")
    for _ in range(5):
        clock.sleep(10)
        assert checks.check("12", SMART_BRUSH, "predict") == found
    assert parsed == [SMART_BRUSH]
    (check,) = checks.recent()
    assert (check.seen, check.place) == (START + timedelta(seconds=50), "predict")
    assert checks.check("12", RECOMMENDED, "predict") == ()
    assert checks.check("12", SMART_BRUSH, "predict") == found
    assert parsed == [SMART_BRUSH, RECOMMENDED, SMART_BRUSH]


def test_projects_are_checked_apart(parsed: list[object]) -> None:
    checks = ProjectChecks()
    checks.check("1", RECOMMENDED, "setup")
    checks.check("2", SMART_BRUSH, "setup")
    checks.check("1", RECOMMENDED, "setup")
    assert [(check.project, len(check.problems)) for check in checks.recent()] == [
        ("1", 0),
        ("2", 1),
    ]
    assert len(parsed) == 2


def test_a_missing_config_is_not_examined_again_and_again(parsed: list[object]) -> None:
    checks = ProjectChecks()
    for _ in range(3):
        assert len(checks.check("12", None, "predict")) == 1
    assert len(parsed) == 1


def test_an_unchanged_config_costs_next_to_nothing() -> None:
    checks = ProjectChecks()
    large = RECOMMENDED.replace("</View>", '<Label value="x"/>' * 20_000 + "</View>")
    checks.check("12", large, "setup")
    started = time.perf_counter()
    for _ in range(20):
        checks.check("12", large, "predict")
    assert (time.perf_counter() - started) / 20 < 0.02


def test_problems_are_bounded_in_number_and_length() -> None:
    boxes = "".join(
        f'<RectangleLabels name="{"y" * 900}{number}" toName="image"/>' for number in range(100)
    )
    xml = RECOMMENDED.replace("</View>", f"{boxes}</View>")
    found = ProjectChecks().check("12", xml, "setup")
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1] == f"And {100 - MAX_PROBLEMS} more."
    assert all(len(problem) <= TEXT_LENGTH for problem in found)


def test_a_defect_of_the_check_costs_no_click(monkeypatch: pytest.MonkeyPatch) -> None:
    def defective(_: object) -> LabelConfig:
        raise RecursionError("too deep")

    monkeypatch.setattr(PARSE, defective)
    with capture_logs() as logs:
        (problem,) = ProjectChecks().check("12", RECOMMENDED, "predict")
    assert "log" in problem
    assert [entry["log_level"] for entry in logs] == ["error"]


def test_the_project_that_asked_longest_ago_is_forgotten_first() -> None:
    checks = ProjectChecks()
    for number in range(MAX_PROJECTS):
        checks.check(str(number), RECOMMENDED, "setup")
    checks.check("0", RECOMMENDED, "predict")
    checks.check("new", RECOMMENDED, "setup")
    projects = [check.project for check in checks.recent()]
    assert len(projects) == MAX_PROJECTS
    assert projects[:2] == ["new", "0"]
    assert "1" not in projects


def test_eight_threads_may_check_at_once() -> None:
    checks = ProjectChecks()
    configs = (RECOMMENDED, SMART_BRUSH)

    def hammer(thread: int) -> None:
        for number in range(10_000 // 8):
            good = (number + thread) % 2
            found = checks.check(str(number % 300), configs[good], "predict")
            assert len(found) == good
            assert len(checks.recent()) <= MAX_PROJECTS

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hammer, range(8)))
    assert len(checks.recent()) == MAX_PROJECTS


# Durations


def test_without_predictions_there_is_no_speed() -> None:
    assert Durations().speed() == Speed(0, 0, None, None, None)


@pytest.mark.parametrize("count", [1, 2, 7, MAX_DURATIONS, MAX_DURATIONS + 57])
def test_percentiles_are_those_of_the_last_predictions(clock: Clock, count: int) -> None:
    seconds = np.random.default_rng(count).lognormal(-2, 0.5, count)
    durations = Durations(clock)
    for second in seconds:
        clock.sleep(1)
        durations.add(float(second))
    last = seconds[-MAX_DURATIONS:] * 1000
    speed = durations.speed()
    assert (speed.count, speed.measured) == (count, len(last))
    assert speed.last == clock.now
    assert speed.median_ms == pytest.approx(np.median(last))
    assert speed.p95_ms == pytest.approx(np.quantile(last, 0.95))


def test_percentiles_of_known_numbers() -> None:
    durations = Durations()
    for milliseconds in range(101):
        durations.add(milliseconds / 1000)
    speed = durations.speed()
    assert speed.median_ms == pytest.approx(50)
    assert speed.p95_ms == pytest.approx(95)


def test_eight_threads_lose_no_prediction() -> None:
    durations = Durations()

    def hammer(_: int) -> None:
        for _ in range(10_000 // 8):
            durations.add(0.1)
            assert durations.speed().measured <= MAX_DURATIONS

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hammer, range(8)))
    speed = durations.speed()
    assert (speed.count, speed.measured) == (10_000, MAX_DURATIONS)


# Keys and the journal


@pytest.mark.parametrize(
    ("project", "host", "key"),
    [
        ("12.1714816000", "", "12"),
        ("12", "team-b", "team-b/12"),
        (12, "", "12"),
        (None, "", ""),
        ("", "team-b", "team-b/"),
        ("9" * 1000, "", "9" * NAME_LENGTH),
    ],
)
def test_projects_of_several_label_studios_are_told_apart(
    project: object, host: str, key: str
) -> None:
    assert str(ProjectRef.parse(project, host)) == key


def test_a_journal_starts_empty_with_one_clock(clock: Clock) -> None:
    journal = Journal(clock)
    clock.sleep(5)
    assert journal.started == START
    assert journal.troubles.recent() == []
    assert journal.checks.recent() == []
    assert journal.durations.speed().count == 0
    journal.troubles.note("code", "message")
    journal.durations.add(0.1)
    journal.checks.check("12", RECOMMENDED, "setup")
    assert journal.troubles.recent()[0].last == clock.now
    assert journal.durations.speed().last == clock.now
    assert journal.checks.recent()[0].seen == clock.now
