from __future__ import annotations

import pytest

from edgeflow_backend.connect.connect import connect
from edgeflow_backend.doctor.finding import Finding
from edgeflow_backend.label_studio.access import open_api
from edgeflow_backend.label_studio.connection import SUBNETS_ADVICE, Address
from edgeflow_backend.settings import Settings
from tests.unit.edgeflow_backend.loopback import Host
from tests.unit.edgeflow_backend.studio import LEGACY, PROJECT, Studio

URL = "http://backend:9090"
WEBHOOK = f"{URL}/webhook"
LOGIN = Address(URL, "anna", "secret")
HEADER = {"Authorization": "Basic YW5uYTpzZWNyZXQ="}


@pytest.fixture
def studio(host: Host) -> Studio:
    return Studio(host)


def run(studio: Studio, address: Address | None = None, project: int = PROJECT) -> list[Finding]:
    settings = Settings(label_studio_url=studio.host.url, label_studio_api_key=LEGACY)
    findings = list(connect(open_api(settings), project, address or Address(URL)))
    assert all(finding.advice or finding.verdict == "ok" for finding in findings)
    assert "secret" not in str(findings)
    return findings


def all_ok(findings: list[Finding]) -> str:
    assert {finding.verdict for finding in findings} == {"ok"}
    return "\n".join(finding.text for finding in findings)


def test_a_project_is_connected(studio: Studio) -> None:
    words = all_ok(run(studio))
    (backend,) = studio.backends
    assert (backend["url"], backend["is_interactive"]) == (URL, True)
    assert [hook["url"] for hook in studio.webhooks] == [WEBHOOK]
    assert "was connected, interactive" in words
    assert "gets the clicks" in words


def test_a_password_goes_with_clicks_and_events(studio: Studio) -> None:
    studio.password = "anna:secret"
    words = all_ok(run(studio, LOGIN))
    (backend,) = studio.backends
    assert (backend["auth_method"], backend["basic_auth_user"]) == ("BASIC_AUTH", "anna")
    assert studio.webhooks[0]["headers"] == HEADER
    assert "with user and password" in words


@pytest.mark.parametrize("address", [Address(URL), LOGIN], ids=["open", "login"])
def test_a_second_time_changes_nothing(studio: Studio, address: Address) -> None:
    studio.password = "anna:secret"
    run(studio, address)
    before = [dict(row) for row in (*studio.backends, *studio.webhooks)]
    words = all_ok(run(studio, address))
    assert [*studio.backends, *studio.webhooks] == before
    assert "had been connected before" in words
    assert "the webhook" in words
    assert "was right" in words


def test_what_is_wrong_is_set_right_and_the_rest_kept(studio: Studio) -> None:
    studio.password = "anna:secret"
    studio.add_backend(f"{URL}/", is_interactive=False, title="Ours")
    studio.add_webhook("http://other/webhook", is_active=False)
    studio.add_webhook(
        WEBHOOK,
        headers={"authorization": "Basic b2xk", "X-Team": "b"},
        is_active=False,
        send_for_all_actions=False,
        actions=["TASKS_CREATED"],
    )
    words = all_ok(run(studio, LOGIN))
    (backend,) = studio.backends
    assert (backend["is_interactive"], backend["title"]) == (True, "Ours")
    other, hook = studio.webhooks
    assert other["is_active"] is False
    assert hook["headers"] == {"X-Team": "b", **HEADER}
    assert hook["is_active"] is hook["send_for_all_actions"] is True
    assert hook["actions"] == ["TASKS_CREATED"]
    assert "set right, with user and password" in words


def test_a_password_that_is_wanted_no_more_is_no_more_sent_with_clicks(studio: Studio) -> None:
    studio.add_backend(URL, auth_method="BASIC_AUTH", basic_auth_user="anna")
    studio.add_webhook(WEBHOOK, headers={"X-Team": "b"})
    all_ok(run(studio))
    assert studio.backends[0]["auth_method"] == "NONE"
    assert studio.webhooks[0]["headers"] == {"X-Team": "b"}


def test_a_missing_webhook_is_made(studio: Studio) -> None:
    studio.add_backend(URL)
    assert "was made" in all_ok(run(studio))
    assert [hook["url"] for hook in studio.webhooks] == [WEBHOOK]


def test_a_guard_that_refuses_the_backend_is_told_with_the_way_out(studio: Studio) -> None:
    studio.guards_backends = True
    (failure,) = run(studio)
    assert "reserved network" in failure.text
    assert failure.advice == SUBNETS_ADVICE


def test_a_guard_that_refuses_events_only_is_told_with_the_way_out(studio: Studio) -> None:
    studio.guards_webhooks = True
    done, failure = run(studio)
    assert done.verdict == "ok"
    assert failure.verdict == "fail"
    assert failure.advice == SUBNETS_ADVICE
    assert len(studio.backends) == 1
    again = run(studio)
    assert len(studio.backends) == 1, "the stored row is found again"
    assert again[-1].advice == SUBNETS_ADVICE


def test_a_guard_that_was_switched_on_later_is_noticed(studio: Studio) -> None:
    run(studio)
    studio.guards_webhooks = True
    assert run(studio)[-1].advice == SUBNETS_ADVICE


def test_a_backend_that_was_away_is_asked_again(studio: Studio) -> None:
    studio.add_backend(URL, state="DI")
    assert "it answers again" in all_ok(run(studio))


def test_a_backend_that_label_studio_cannot_reach_is_told(studio: Studio) -> None:
    studio.unreached = "Can't connect to ML backend http://backend:9090, health check failed"
    (failure,) = run(studio)
    assert "health check failed" in failure.text
    assert "reaches this URL" in failure.advice
    studio.add_backend(URL, state="DI")
    (failure,) = run(studio)
    assert "reaches this URL" in failure.advice


def test_a_wrong_password_is_told(studio: Studio) -> None:
    studio.password = "anna:other"
    (failure,) = run(studio, LOGIN)
    assert "401" in failure.text
    assert "EDGEFLOW_BASIC_AUTH_USER" in failure.advice


def test_a_project_that_is_not_there_is_told_and_nothing_made(studio: Studio) -> None:
    (failure,) = run(studio, project=6)
    assert "HTTP 404" in failure.text
    assert studio.writes() == []


def test_another_backend_that_gets_the_clicks_is_left_and_told(studio: Studio) -> None:
    studio.add_backend("http://sam:9090")
    findings = run(studio)
    (failure,) = [finding for finding in findings if finding.verdict == "fail"]
    assert "first interactive one, http://sam:9090" in failure.text
    assert studio.backends[0]["is_interactive"] is True
