from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeflow_backend.protocol.config_check import RECOMMENDED
from edgeflow_backend.redact.texts import clean
from edgeflow_backend.status.config_checks import MAX_PROJECTS
from edgeflow_backend.status.failures import MAX_FAILURES
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.page import in_words, render_html
from edgeflow_backend.status.report import HELP_PAGE, HELP_TITLE, SharedTier, Snapshot, report
from tests.unit.edgeflow_backend.status.clock import Clock
from tests.unit.edgeflow_backend.status.snapshots import FAILED, LOADING, READY

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


def page_of(journal: Journal, snapshot: Snapshot = READY, help_url: str = "") -> Page:
    return Page(render_html(report(journal, snapshot, help_url)))


def fill(journal: Journal, text: str) -> None:
    """Put a text into every place that requests reach."""
    journal.failures.note(text, text, text, project=text, task=text)
    journal.failures.note(text, text, text, project=text, task=text)
    for _ in range(2):
        journal.lost.note(text, text, text)
        journal.calls.note(text, "training", text, text)
    journal.config_checks.check(text, text, "setup")
    name = "".join(f"&#{ord(letter)};" for letter in text if letter.isprintable())
    lost = f'<View><KeyPointLabels name="{name}" toName="{name}"/></View>'
    unknown = RECOMMENDED.replace(
        "<KeyPoint ",
        f'<KeyPointLabels name="more" toName="image"><Label value="{name}"/></KeyPointLabels>'
        "<KeyPoint ",
    )
    for number, config in enumerate((lost, unknown)):
        assert journal.config_checks.check(f"{text}{number}", config, "predict")
    journal.latency.add(0.1)


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
        noted = journal.failures.note(
            "image_fetch", "no image at http://h/a.jpg", "upload it", project="12", task=task
        )
        clock.sleep(minutes=5)
    journal.config_checks.check("12", RECOMMENDED, "predict")
    journal.config_checks.check("team-b/3", "<View/>", "setup")
    point = '<KeyPointLabels name="k" toName="image"><Label value="Object"/></KeyPointLabels>'
    spoiled = RECOMMENDED.replace("<KeyPoint ", f"{point}<KeyPoint ")
    journal.config_checks.check("14", spoiled, "setup")
    for number in range(22):
        journal.lost.note("12", number, number)
    journal.calls.note("12", "predictions", "0 of 3 tasks got a prediction", "switch it on")
    for _ in range(1234):
        journal.latency.add(0.1)
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
        noted,
        "22 annotations hold points but no mask: tasks 21, 20, ",
        ", 3, 2 and 2 more.",
        "`edgeflow-backend repair --project 12`",
        "0 of 3 tasks got a prediction.",
        "To do: Switch it on.",
        "Project 12 fine",
        "Clicks refine masks of the draft: 2 people annotate each task.",
        "last seen 12 s ago, at /predict",
        "Project 14 fine Label Studio's own exports: KeyPointLabels 'k' spoils",
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


def test_a_clock_set_back_makes_no_negative_times(journal: Journal, clock: Clock) -> None:
    journal.failures.note("code", "message")
    clock.sleep(hours=-2)
    assert "just now" in page_of(journal).text


def test_a_single_failure_is_not_counted(journal: Journal) -> None:
    journal.failures.note("code", "message")
    text = page_of(journal).text
    assert "times" not in text
    assert "To do" not in text
    assert "project" not in text.partition("Labelling configs")[0]


@pytest.mark.parametrize("snapshot", [LOADING, FAILED])
def test_the_page_says_why_there_is_no_model(journal: Journal, snapshot: Snapshot) -> None:
    page = page_of(journal, snapshot)
    assert snapshot.message[1:] in page.text
    assert snapshot.hint[1:] in page.text
    assert snapshot.state in page.text
    assert "in the queue" not in page.text


def test_the_page_refreshes_itself_and_suits_phones_and_both_schemes(journal: Journal) -> None:
    html = render_html(report(journal, READY))
    metas = [attributes for tag, attributes in Page(html).tags if tag == "meta"]
    assert {"http-equiv": "refresh", "content": "10"} in metas
    assert any(meta.get("name") == "viewport" for meta in metas)
    assert "prefers-color-scheme: dark" in html
    assert html.startswith("<!doctype html>")


def test_the_page_needs_nothing_but_itself(journal: Journal) -> None:
    fill(journal, "text")
    html = render_html(report(journal, READY, "https://docs.example/nothing"))
    page = Page(html)
    assert {tag for tag, _ in page.tags} <= ALLOWED
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert links == ["https://docs.example/nothing", "?format=json"]
    assert not re.search(r"url\(|@import|src=", html)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil", ""])
def test_the_help_is_linked_by_http_only(journal: Journal, url: str) -> None:
    links = [
        attributes["href"] for tag, attributes in page_of(journal, help_url=url).tags if tag == "a"
    ]
    assert links == ["?format=json"]


@pytest.mark.slow
def test_a_full_page_is_whole_and_bounded(journal: Journal) -> None:
    for number in range(10_000):
        size = 1000 if number > 9_800 else 10
        journal.failures.note("code", f"{number} {'<' * size}", "&" * size, project=str(number))
    for number in range(1_000):
        journal.config_checks.check(f"p{number}", f"<View name='{number}'/>", "setup")
        journal.calls.note(f"p{number}", "predictions", "<" * 1000, "&" * 1000)
        journal.lost.note(f"p{number}", number, "<" * 1000)
    body = report(journal, READY)
    assert len(body["troubles"]) == MAX_FAILURES
    assert len(body["projects"]) == MAX_PROJECTS
    assert body["load"]["failed"] == 10_000
    html = render_html(body)
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
    html = render_html(report(journal, READY))
    check_harmless(html, filled())
    assert clean(text) in Page(html).text
    if set(text) & set("<>\"'"):
        assert text not in html


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE)
def test_every_single_value_is_escaped(text: str) -> None:
    """Whatever the dictionary holds, cleaned or not."""
    journal = Journal(Clock())
    fill(journal, "text")
    for place, body in with_each_text_replaced(report(journal, READY, "https://x/"), text):
        if place == ".help.url":  # status() vouches for this one's beginning
            continue
        html = render_html(body)
        check_harmless(html, filled())


def with_each_text_replaced(body: dict[str, Any], text: str) -> list[tuple[str, dict[str, Any]]]:
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
                copies.append((here, orjson.loads(orjson.dumps(body))))
                value[key] = entry

    visit(body, "")
    assert len(copies) > 25
    return copies


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet=st.sampled_from("<>/\"'&;=!-{}%# \nascript\x00é\u202e"), max_size=60))
def test_no_text_at_all_breaks_the_page(text: str) -> None:
    journal = Journal(Clock())
    journal.failures.note(text, text, text, project=text, task=text)
    journal.config_checks.check(text, f"<View>{text}</View>", "setup")
    check_harmless(render_html(report(journal, replace(READY, version=text))), filled())


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


def test_redis_is_named_and_one_that_is_not_reached_is_a_warning() -> None:
    tiers = (SharedTier("click states", True, "reached"), SharedTier("answers", False, "gone <b>"))
    body = report(Journal(), replace(READY, shared=tiers))
    assert body["summary"] == {"level": "warning", "text": "Ready, but Redis is not reached."}
    page = Page(render_html(body))
    assert "Redis for click states: reached." in page.text
    assert "Redis for answers: gone <b>." in page.text
    assert "Redis" not in Page(render_html(report(Journal(), READY))).text
