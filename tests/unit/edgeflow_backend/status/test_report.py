from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from edgeflow_backend.protocol.config_check import RECOMMENDED
from edgeflow_backend.status.config_checks import MAX_PROJECTS
from edgeflow_backend.status.failures import MAX_FAILURES
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.page import in_words, render_html
from edgeflow_backend.status.redact import clean
from edgeflow_backend.status.report import (
    HEADERS,
    HELP_PAGE,
    HELP_TITLE,
    Cache,
    Seen,
    answer,
    status,
    wants_json,
)
from tests.unit.conftest import MakeService

START = datetime(2026, 5, 4, 9, 0, tzinfo=timezone.utc)
READY = Seen(
    "ready",
    "edgeflow_lite-99845a7f",
    "torch 2.13.0 cpu float32",
    waiting=2,
    queue_limit=48,
    caches=(Cache("images", 312_400_000, 1_024_000_000), Cache("click states", 0, 512_000_000)),
)
LOADING = Seen("loading", "edgeflow_lite", message="the model is still loading", hint="wait")
FAILED = Seen("failed", "mine", message="no weights named 'mine'", hint="run `edgeflow models`")
HOSTILE = [
    "<script>alert(1)</script>",
    "</title></style><img src=x onerror=alert(1)>",
    "\"><svg onload='alert(1)'>",
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% for x in y %}",
    "<!--",
    "]]>",
    "&lt;script&gt;&#60;",
    "http://h/<script>alert(1)</script>",
    "javascript:alert(1)",
    "\x00<\x00script>\u202e",
]
VOID = {"meta", "br", "hr", "img", "link", "input"}
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "section", "footer", "h1",
    "h2", "p", "div", "ul", "ol", "li", "dl", "dt", "dd", "span", "strong", "b", "code", "time",
    "a",
}  # fmt: skip


class Page(HTMLParser):
    """A parsed page: its tags, balanced, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.parts: list[str] = []
        self.comments: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.parts.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.parts).split())

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


class Clock:
    """A clock that the test moves on."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journal(clock: Clock) -> Journal:
    return Journal(clock)


def page_of(journal: Journal, seen: Seen = READY, help_url: str = "") -> Page:
    return Page(render_html(status(journal, seen, help_url)))


def accepting(header: str) -> MIMEAccept:
    return parse_accept_header(header, MIMEAccept)


def fill(journal: Journal, text: str) -> None:
    """Put a text into every place that requests reach."""
    journal.troubles.note(text, text, text, project=text, task=text)
    journal.troubles.note(text, text, text, project=text, task=text)
    journal.checks.check(text, text, "setup")
    name = "".join(f"&#{ord(letter)};" for letter in text if letter.isprintable())
    lost = f'<View><KeyPointLabels name="{name}" toName="{name}"/></View>'
    unknown = RECOMMENDED.replace('value="Object"', f'value="{name}"', 1)
    for number, config in enumerate((lost, unknown)):
        assert journal.checks.check(f"{text}{number}", config, "predict")
    journal.durations.add(0.1)


# JSON


def test_nothing_happened_yet(journal: Journal, clock: Clock) -> None:
    clock.sleep(seconds=90)
    told = status(journal, READY)
    assert told["troubles"] == told["projects"] == []
    assert told["load"] == {
        "waiting": 2,
        "queue_limit": 48,
        "ok": 0,
        "failed": 0,
        "last_ok": None,
        "measured": 0,
        "median_ms": None,
        "p95_ms": None,
    }
    assert told["uptime_s"] == 90
    assert told["summary"] == {"level": "good", "text": "Ready. No click has arrived yet."}


def test_the_json_has_this_shape(journal: Journal, clock: Clock) -> None:
    given = journal.troubles.note("image_fetch", "gone", "upload it", project="12", task="7")
    clock.sleep(seconds=3)
    journal.troubles.note("image_fetch", "gone", "upload it", project="12", task="8")
    journal.durations.add(0.25)
    journal.checks.check("12", RECOMMENDED, "predict")
    told = orjson.loads(orjson.dumps(status(journal, READY, "https://docs.example/")))
    assert told == {
        "summary": {
            "level": "warning",
            "text": "Ready, but some requests failed within the last hour.",
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
        "troubles": [
            {
                "id": given,
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
        "projects": [
            {
                "project": "12",
                "problems": [],
                "seen": "2026-05-04T09:00:03+00:00",
                "place": "predict",
            }
        ],
        "help": {"title": HELP_TITLE, "page": HELP_PAGE, "url": "https://docs.example/"},
    }


def test_projects_with_problems_come_first_then_the_newest(journal: Journal, clock: Clock) -> None:
    for project, config in (("1", "<View/>"), ("2", RECOMMENDED), ("3", "<View/>")):
        journal.checks.check(project, config, "setup")
        clock.sleep(seconds=1)
    journal.checks.check("4", RECOMMENDED, "setup")
    told = status(journal, READY)
    assert [project["project"] for project in told["projects"]] == ["3", "1", "4", "2"]


@pytest.mark.parametrize(
    ("seen", "level", "words"),
    [(LOADING, "warning", "loading"), (FAILED, "bad", "could not be loaded")],
)
def test_a_missing_model_is_the_first_thing_said(
    journal: Journal, seen: Seen, level: str, words: str
) -> None:
    journal.troubles.note("code", "message")
    summary = status(journal, seen)["summary"]
    assert summary["level"] == level
    assert words in summary["text"]


def test_the_summary_forgets_a_trouble_after_an_hour(journal: Journal, clock: Clock) -> None:
    journal.troubles.note("code", "message")
    clock.sleep(minutes=59)
    assert status(journal, READY)["summary"]["level"] == "warning"
    clock.sleep(minutes=2)
    assert status(journal, READY)["summary"]["level"] == "good"
    assert len(status(journal, READY)["troubles"]) == 1


def test_the_summary_tells_of_a_config_with_problems(journal: Journal) -> None:
    journal.checks.check("12", "<View/>", "setup")
    assert "labelling config" in status(journal, READY)["summary"]["text"]


def test_the_summary_is_good_when_clicks_are_answered(journal: Journal) -> None:
    journal.durations.add(0.1)
    assert status(journal, READY)["summary"] == {
        "level": "good",
        "text": "Ready. Clicks are answered.",
    }


def test_a_clock_set_back_makes_no_negative_times(journal: Journal, clock: Clock) -> None:
    journal.troubles.note("code", "message")
    clock.sleep(hours=-2)
    assert status(journal, READY)["uptime_s"] == 0
    assert "just now" in page_of(journal).text


def test_no_failure_of_the_model_tells_a_secret(journal: Journal) -> None:
    seen = replace(FAILED, message="https://user:hunter2@h/weights?token=hunter3 is gone")
    told = status(journal, seen)
    assert told["model"]["message"] == "https://h/weights is gone"


def test_a_real_service_is_seen(make_service: MakeService) -> None:
    service = make_service(state_cache_mb=3, image_cache_mb=5, queue_limit=7)
    seen = Seen.of(service, waiting=1)
    assert (seen.state, seen.version) == ("ready", service.model_version)
    assert "cpu" in seen.runtime
    assert "float32" in seen.runtime
    assert (seen.waiting, seen.queue_limit) == (1, 7)
    assert seen.caches == (Cache("images", 0, 5_000_000), Cache("click states", 0, 3_000_000))
    service.warm_up()
    assert Seen.of(service, waiting=0).caches[1].nbytes > 0
    assert service.model_version in page_of(Journal(), seen).text


# The page


def test_the_empty_page_is_friendly(journal: Journal) -> None:
    page = page_of(journal)
    assert "None, all is well." in page.text
    assert "No project has asked yet." in page.text
    assert "median" not in page.text
    assert HELP_TITLE in page.text
    assert HELP_PAGE in page.text


def test_the_page_says_everything(journal: Journal, clock: Clock) -> None:
    clock.sleep(hours=1)
    for task in ("7", "8"):
        given = journal.troubles.note(
            "image_fetch", "no image at http://h/a.jpg", "upload it", project="12", task=task
        )
        clock.sleep(minutes=5)
    journal.checks.check("12", RECOMMENDED, "predict")
    journal.checks.check("team-b/3", "<View/>", "setup")
    for _ in range(1234):
        journal.durations.add(0.1)
    clock.sleep(seconds=12)
    text = page_of(journal).text
    for words in (
        "edgeflow_lite-99845a7f",
        "torch 2.13.0 cpu float32",
        "up for 1 h 10 min",
        "No image at http://h/a.jpg.",
        "To do: Upload it.",
        "2 times",
        "last 5 min ago",
        "first 10 min ago",
        "project 12",
        "task 8",
        "image_fetch",
        given,
        "Project 12 fine",
        "last seen 12 s ago, at /predict",
        "Project team-b/3",
        "There is no Image tag",
        "in the queue 2 of 48",
        "answered 1 234",
        "failed 2",
        "median 100 ms",
        "95th percentile 100 ms",
        "the last 200 answers; the newest came 12 s ago",
        "images 312 of 1 024 MB",
        "2026-05-04 10:10:12 UTC",
    ):
        assert words in text, words


def test_a_single_trouble_is_not_counted(journal: Journal) -> None:
    journal.troubles.note("code", "message")
    text = page_of(journal).text
    assert "times" not in text
    assert "To do" not in text
    assert "project" not in text.partition("Labelling configs")[0]


@pytest.mark.parametrize("seen", [LOADING, FAILED])
def test_the_page_says_why_there_is_no_model(journal: Journal, seen: Seen) -> None:
    page = page_of(journal, seen)
    assert seen.message[1:] in page.text
    assert seen.hint[1:] in page.text
    assert seen.state in page.text
    assert "in the queue" not in page.text


def test_the_page_refreshes_itself_and_suits_phones_and_both_schemes(journal: Journal) -> None:
    html = render_html(status(journal, READY))
    metas = [attributes for tag, attributes in Page(html).tags if tag == "meta"]
    assert {"http-equiv": "refresh", "content": "10"} in metas
    assert any(meta.get("name") == "viewport" for meta in metas)
    assert "prefers-color-scheme: dark" in html
    assert html.startswith("<!doctype html>")


def test_the_page_needs_nothing_but_itself(journal: Journal) -> None:
    fill(journal, "text")
    html = render_html(status(journal, READY, "https://docs.example/nothing"))
    page = Page(html)
    assert {tag for tag, _ in page.tags} <= ALLOWED
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert links == ["https://docs.example/nothing", "?format=json"]
    assert not re.search(r"url\(|@import|src=", html)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//evil", ""])
def test_the_help_is_linked_by_http_only(journal: Journal, address: str) -> None:
    links = [
        attributes["href"]
        for tag, attributes in page_of(journal, help_url=address).tags
        if tag == "a"
    ]
    assert links == ["?format=json"]


def test_a_full_page_is_whole_and_bounded(journal: Journal) -> None:
    for number in range(10_000):
        size = 1000 if number > 9_800 else 10
        journal.troubles.note("code", f"{number} {'<' * size}", "&" * size, project=str(number))
    for number in range(1_000):
        journal.checks.check(f"p{number}", f"<View name='{number}'/>", "setup")
    told = status(journal, READY)
    assert len(told["troubles"]) == MAX_FAILURES
    assert len(told["projects"]) == MAX_PROJECTS
    assert told["load"]["failed"] == 10_000
    html = render_html(told)
    Page(html)
    assert len(html) < 2_000_000


# Hostile values


def check_harmless(html: str, plain: Page) -> None:
    """A page whose values hold markup has no other tags and attributes than one without."""
    page = Page(html)
    assert {tag for tag, _ in page.tags} <= ALLOWED
    assert page.comments == plain.comments
    assert page.count("style") == page.count("title") == 1
    for tag, attributes in page.tags:
        known = {name for other, names in plain.tags if other == tag for name in names}
        assert set(attributes) <= known, (tag, attributes)
        assert not str(attributes.get("href")).startswith("javascript")


def filled() -> Page:
    journal = Journal(Clock())
    fill(journal, "text")
    return page_of(journal)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_request_puts_markup_into_the_page(journal: Journal, text: str) -> None:
    fill(journal, text)
    html = render_html(status(journal, READY))
    check_harmless(html, filled())
    assert clean(text) in Page(html).text
    if set(text) & set("<>\"'"):
        assert text not in html


@pytest.mark.parametrize("text", HOSTILE)
def test_every_single_value_is_escaped(text: str) -> None:
    """Whatever the dictionary holds, cleaned or not."""
    journal = Journal(Clock())
    fill(journal, "text")
    for place, told in with_each_text_replaced(status(journal, READY, "https://x/"), text):
        if place == ".help.url":  # status() vouches for this one's beginning
            continue
        html = render_html(told)
        check_harmless(html, filled())


def with_each_text_replaced(told: dict[str, Any], text: str) -> list[tuple[str, dict[str, Any]]]:
    """Copies of a status, each with one more of its free texts replaced."""
    copies = []
    kept, times = {".time", ".started", ".load.last_ok", ".model.state"}, {"first", "last", "seen"}

    def visit(value: Any, place: str) -> None:
        for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
            here = f"{place}.{key}"
            if isinstance(entry, dict | list):
                visit(entry, here)
            elif isinstance(entry, str) and here not in kept and key not in times:
                value[key] = text
                copies.append((here, orjson.loads(orjson.dumps(told))))
                value[key] = entry

    visit(told, "")
    assert len(copies) > 25
    return copies


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet=st.sampled_from("<>/\"'&;=!-{}%# \nascript\x00é\u202e"), max_size=60))
def test_no_text_at_all_breaks_the_page(text: str) -> None:
    journal = Journal(Clock())
    journal.troubles.note(text, text, text, project=text, task=text)
    journal.checks.check(text, f"<View>{text}</View>", "setup")
    check_harmless(render_html(status(journal, replace(READY, version=text))), filled())


# The answer


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
    assert wants_json(accepting(accept), asked) is json


def test_both_forms_tell_the_same_under_safe_headers(journal: Journal) -> None:
    journal.troubles.note("code", "message")
    told = status(journal, READY)
    page = answer(told, accepting("text/html"), None)
    assert page.content_type == "text/html; charset=utf-8"
    assert page.get_data(as_text=True) == render_html(told)
    json = answer(told, accepting("application/json"), None)
    assert json.content_type == "application/json"
    assert orjson.loads(json.data) == told
    for response in (page, json):
        assert response.status_code == 200
        policy = response.headers["Content-Security-Policy"].split("; ")
        assert policy[:2] == ["default-src 'none'", "style-src 'unsafe-inline'"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"
        assert HEADERS.items() <= dict(response.headers).items()


# Words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h 0 min"),
        (86399, "23 h 59 min"),
        (86400, "1 d 0 h"),
        (30 * 86400 + 7300, "30 d 2 h"),
    ],
)
def test_durations_are_told_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
