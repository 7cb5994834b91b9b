from __future__ import annotations

from typing import Any

import pytest

from edgeflow.label_studio.api.records import MLBackend, Webhook
from edgeflow_backend.label_studio.connection import (
    SECRET_HEADER,
    Address,
    asked_instead,
    event_webhook,
    ours,
    webhook_problems,
    webhook_url,
)
from edgeflow_backend.settings import Settings

URL = "http://backend:9090"
LOGIN = {"Authorization": "Basic YW5uYTpzZWNyZXQ="}


def backend(number: int, url: str = URL, *, interactive: bool = True) -> MLBackend:
    return MLBackend(number, url, "", interactive, "CO", "", f"v{number}", "")


def webhook(url: str = f"{URL}/webhook", **changes: Any) -> Webhook:
    fields: dict[str, Any] = {
        "headers": {}, "is_active": True, "send_payload": True, "send_for_all_actions": True,
    }  # fmt: skip
    return Webhook.of({"id": 1, "url": url, **fields, **changes})


def test_a_backend_is_known_by_its_url() -> None:
    rows = [backend(1, "http://sam:9090"), backend(2, f"{URL}/")]
    assert ours(rows, URL) == rows[1]
    assert ours(rows, "http://other:9090", version="v1") is None, "a known URL decides"


def test_without_a_url_the_models_version_tells() -> None:
    rows = [backend(1, "http://sam:9090"), backend(2)]
    assert ours(rows, "", "v2") == rows[1]
    assert ours(rows, "", "v3") is None
    assert ours([MLBackend(1, "", "", True, "DI", "", "", "")], "", "") is None


def test_of_two_that_are_ours_the_interactive_one_counts() -> None:
    rows = [backend(1, interactive=False), backend(2)]
    assert ours(rows, URL) == rows[1]


def test_clicks_go_to_the_first_interactive_one() -> None:
    first, second = backend(1, "http://sam:9090"), backend(2)
    assert asked_instead([first, second], second) == first
    assert asked_instead([second, first], second) is None
    quiet = backend(1, "http://sam:9090", interactive=False)
    assert asked_instead([quiet, second], second) is None
    assert asked_instead([quiet], quiet) is None


@pytest.mark.parametrize("url", [URL, f"{URL}/", f"{URL}/hosts/team-b"])
def test_a_webhook_is_found_by_the_url_that_label_studio_makes(url: str) -> None:
    hook = webhook(f"{url.rstrip('/')}/webhook")
    assert event_webhook([webhook("http://other/webhook"), hook], url) == hook
    assert webhook_url(url) == hook.url


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"is_active": False}, ["switched off"]),
        ({"send_payload": False}, ["the annotation"]),
        ({"send_for_all_actions": False, "actions": ["TASKS_CREATED"]}, ["every event"]),
    ],
    ids=["right", "off", "bare", "some-events"],
)
def test_what_keeps_events_away_is_told(changes: dict[str, Any], said: list[str]) -> None:
    problems = webhook_problems(webhook(**changes), {})
    assert len(problems) == len(said)
    assert all(words in problem for words, problem in zip(said, problems, strict=True))


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
def test_a_webhook_needs_the_backends_password(name: str) -> None:
    assert webhook_problems(webhook(headers={name: LOGIN["Authorization"]}), LOGIN) == []
    (missing,) = webhook_problems(webhook(), LOGIN)
    assert "no password" in missing
    (wrong,) = webhook_problems(webhook(headers={name: "Basic eDp5"}), LOGIN)
    assert "another user or password" in wrong


def test_a_webhook_needs_the_backends_secret() -> None:
    headers = {SECRET_HEADER: "s3cret-of-16-chars", **LOGIN}
    assert webhook_problems(webhook(headers=headers), headers) == []
    no_secret, no_password = webhook_problems(webhook(), headers)
    assert ("no secret" in no_secret, "no password" in no_password) == (True, True)
    (wrong,) = webhook_problems(webhook(headers={**headers, SECRET_HEADER: "x"}), headers)
    assert "another secret" in wrong
    assert "s3cret" not in f"{no_secret} {wrong}"
    settings = Settings(backend_url=URL, webhook_secret="s3cret-of-16-chars")
    assert Address.of(settings).headers == {SECRET_HEADER: "s3cret-of-16-chars"}
    assert "s3cret" not in repr(Address.of(settings))


def test_an_address_knows_the_login_and_hides_it() -> None:
    settings = Settings(backend_url=f"{URL}/", basic_auth_user="anna", basic_auth_password="secret")
    address = Address.of(settings)
    assert (address.url, address.headers) == (URL, LOGIN)
    assert address.login_fields["basic_auth_pass"] == "secret"
    assert "secret" not in repr(address)
    assert Address.of(Settings()).headers == {}
    assert Address.of(Settings()).login_fields == {"auth_method": "NONE"}


def test_further_label_studios_have_a_route_of_their_own() -> None:
    settings = Settings(backend_url=URL)
    assert Address.of(settings, "team-b").url == f"{URL}/hosts/team-b"
    assert Address.of(settings, "team-b", "http://there").url == "http://there/hosts/team-b"
    assert Address.of(Settings(), "team-b").url == ""
