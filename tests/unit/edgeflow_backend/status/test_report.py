from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from edgeflow_backend.protocol.config_check import RECOMMENDED
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.report import HELP_PAGE, HELP_TITLE, Snapshot, report, wants_json
from tests.unit.edgeflow_backend.status.clock import Clock
from tests.unit.edgeflow_backend.status.snapshots import FAILED, LOADING, READY

# JSON


def test_nothing_happened_yet(journal: Journal, clock: Clock) -> None:
    clock.sleep(seconds=90)
    body = report(journal, READY)
    assert body["troubles"] == body["projects"] == body["lost"] == body["calls"] == []
    assert body["load"] == {
        "waiting": 2,
        "queue_limit": 48,
        "ok": 0,
        "failed": 0,
        "last_ok": None,
        "measured": 0,
        "median_ms": None,
        "p95_ms": None,
    }
    assert body["uptime_s"] == 90
    assert body["summary"] == {"level": "good", "text": "Ready. No click has arrived yet."}


def test_the_json_has_this_shape(journal: Journal, clock: Clock) -> None:
    noted = journal.failures.note("image_fetch", "gone", "upload it", project="12", task="7")
    clock.sleep(seconds=3)
    journal.failures.note("image_fetch", "gone", "upload it", project="12", task="8")
    journal.latency.add(0.25)
    journal.config_checks.check("12", RECOMMENDED, "predict")
    journal.lost.note("team-b/12", 5, 7)
    journal.calls.note("12", "training", "nothing was trained", "train elsewhere")
    body = orjson.loads(orjson.dumps(report(journal, READY, "https://docs.example/")))
    assert body == {
        "summary": {
            "level": "warning",
            "text": "Ready, but some requests failed within the last hour and annotations were "
            "submitted without masks.",
        },
        "time": "2026-05-04T09:00:03+00:00",
        "started": "2026-05-04T09:00:00+00:00",
        "uptime_s": 3.0,
        "model": {
            "state": "ready",
            "version": "edgeflow_lite-99845a7f",
            "runtime": "torch 2.13.0 cpu float32",
            "message": "",
            "hint": "",
        },
        "load": {
            "waiting": 2,
            "queue_limit": 48,
            "ok": 1,
            "failed": 2,
            "last_ok": "2026-05-04T09:00:03+00:00",
            "measured": 1,
            "median_ms": 250.0,
            "p95_ms": 250.0,
        },
        "caches": [
            {"name": "images", "bytes": 312_400_000, "max_bytes": 1_024_000_000},
            {"name": "click states", "bytes": 0, "max_bytes": 512_000_000},
        ],
        "shared": [],
        "troubles": [
            {
                "id": noted,
                "code": "image_fetch",
                "message": "gone",
                "hint": "upload it",
                "project": "12",
                "task": "8",
                "count": 2,
                "first": "2026-05-04T09:00:00+00:00",
                "last": "2026-05-04T09:00:03+00:00",
            }
        ],
        "notes": [],
        "lost": [
            {
                "project": "team-b/12",
                "annotations": 1,
                "tasks": ["7"],
                "more": 0,
                "last": "2026-05-04T09:00:03+00:00",
                "message": "1 annotation holds points but no mask: task 7",
                "hint": "see what `edgeflow-backend repair --project 12 --host team-b` would "
                "restore",
            }
        ],
        "calls": [
            {
                "project": "12",
                "kind": "training",
                "message": "nothing was trained",
                "hint": "train elsewhere",
                "count": 1,
                "last": "2026-05-04T09:00:03+00:00",
            }
        ],
        "learning": [],
        "projects": [
            {
                "project": "12",
                "problems": [],
                "warnings": [],
                "refining": "clicks refine masks of the draft: 2 people annotate each task.",
                "export": "edgeflow export --url https://labels.example --project 12 -o project-12",
                "seen": "2026-05-04T09:00:03+00:00",
                "place": "predict",
            }
        ],
        "help": {"title": HELP_TITLE, "page": HELP_PAGE, "url": "https://docs.example/"},
    }


def test_projects_with_problems_come_first_then_the_newest(journal: Journal, clock: Clock) -> None:
    for project, config in (("1", "<View/>"), ("2", RECOMMENDED), ("3", "<View/>")):
        journal.config_checks.check(project, config, "setup")
        clock.sleep(seconds=1)
    journal.config_checks.check("4", RECOMMENDED, "setup")
    body = report(journal, READY)
    assert [project["project"] for project in body["projects"]] == ["3", "1", "4", "2"]


@pytest.mark.parametrize(
    ("snapshot", "level", "words"),
    [(LOADING, "warning", "loading"), (FAILED, "bad", "could not be loaded")],
)
def test_a_missing_model_is_the_first_thing_said(
    journal: Journal, snapshot: Snapshot, level: str, words: str
) -> None:
    journal.failures.note("code", "message")
    summary = report(journal, snapshot)["summary"]
    assert summary["level"] == level
    assert words in summary["text"]


def test_the_summary_forgets_a_failure_after_an_hour(journal: Journal, clock: Clock) -> None:
    journal.failures.note("code", "message")
    clock.sleep(minutes=59)
    assert report(journal, READY)["summary"]["level"] == "warning"
    clock.sleep(minutes=2)
    assert report(journal, READY)["summary"]["level"] == "good"
    assert len(report(journal, READY)["troubles"]) == 1


def test_the_summary_tells_of_a_config_with_problems(journal: Journal) -> None:
    journal.config_checks.check("12", "<View/>", "setup")
    assert "labelling config" in report(journal, READY)["summary"]["text"]


def test_the_summary_tells_of_lost_masks(journal: Journal) -> None:
    journal.lost.note("12", 5, 7)
    summary = {"level": "warning", "text": "Ready, but annotations were submitted without masks."}
    assert report(journal, READY)["summary"] == summary


def test_the_summary_is_good_when_clicks_are_answered(journal: Journal) -> None:
    journal.latency.add(0.1)
    assert report(journal, READY)["summary"] == {
        "level": "good",
        "text": "Ready. Clicks are answered.",
    }


def test_a_clock_set_back_makes_no_negative_times(journal: Journal, clock: Clock) -> None:
    journal.failures.note("code", "message")
    clock.sleep(hours=-2)
    assert report(journal, READY)["uptime_s"] == 0


def test_no_failure_of_the_model_tells_a_secret(journal: Journal) -> None:
    snapshot = replace(FAILED, message="https://user:hunter2@h/weights?token=hunter3 is gone")
    body = report(journal, snapshot)
    assert body["model"]["message"] == "https://h/weights is gone"


# The form that a request wants


@pytest.mark.parametrize(
    ("accept", "asked", "json"),
    [
        ("application/json", None, True),
        ("application/json, text/html;q=0.5", None, True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", None, False),
        ("*/*", None, False),
        ("", None, False),
        ("image/png", None, False),
        ("text/html", "json", True),
        ("application/json", "html", False),
        ("application/json", "pdf", True),
        ("text/html", "", False),
    ],
)
def test_json_is_given_to_those_who_want_it(accept: str, asked: str | None, json: bool) -> None:
    assert wants_json(parse_accept_header(accept, MIMEAccept), asked) is json
