from __future__ import annotations

import copy

import pytest

from edgeflow_backend.doctor.connection import examine_connection
from edgeflow_backend.doctor.finding import Finding
from edgeflow_backend.label_studio.access import open_api
from edgeflow_backend.label_studio.connection import SUBNETS_ADVICE, Address
from edgeflow_backend.settings import Settings
from tests.unit.edgeflow_backend.loopback import Host
from tests.unit.edgeflow_backend.studio import BLOCKED, LEGACY, PROJECT, VERSION, Studio

URL = "http://backend:9090"
WEBHOOK = f"{URL}/webhook"


@pytest.fixture
def studio(host: Host) -> Studio:
    return Studio(host)


def report(studio: Studio, address: Address | None = None) -> list[Finding]:
    settings = Settings(label_studio_url=studio.host.url, label_studio_api_key=LEGACY)
    found = address or Address(URL)
    before = copy.deepcopy((studio.backends, studio.webhooks))
    findings = list(examine_connection(open_api(settings), PROJECT, found, VERSION))
    assert all(finding.advice or finding.verdict == "ok" for finding in findings)
    assert "secret" not in str(findings)
    assert studio.writes() == [], "the doctor changes nothing"
    assert (studio.backends, studio.webhooks) == before
    return findings


def failure(findings: list[Finding]) -> Finding:
    (found,) = [finding for finding in findings if finding.verdict == "fail"]
    return found


@pytest.mark.parametrize("url", [URL, ""], ids=["by-url", "by-model"])
def test_a_whole_connection_is_ok(studio: Studio, url: str) -> None:
    studio.add_backend(URL)
    studio.add_webhook(WEBHOOK)
    findings = report(studio, Address(url))
    assert [finding.verdict for finding in findings] == ["ok", "ok", "ok"]
    words = "\n".join(finding.text for finding in findings)
    assert "reaches it" in words
    assert "gets the clicks" in words
    assert "events" in words


def test_a_project_without_a_backend_is_told(studio: Studio) -> None:
    found = failure(report(studio))
    assert "no ML backend is connected" in found.text
    assert found.advice == "run `edgeflow-backend connect --project 5`"


def test_a_project_with_other_backends_is_told_which(studio: Studio) -> None:
    studio.add_backend("http://anna:secret@sam:9090/", model_version="sam-2")
    found = failure(report(studio, Address("")))
    assert "this backend is not connected" in found.text
    assert "http://sam:9090 (model sam-2)" in found.text


def test_a_backend_that_gets_no_clicks_is_told(studio: Studio) -> None:
    studio.add_backend(URL, is_interactive=False)
    studio.add_webhook(WEBHOOK)
    assert "not interactive" in failure(report(studio)).text


def test_a_backend_behind_another_is_told(studio: Studio) -> None:
    studio.add_backend("http://sam:9090", model_version="sam-2")
    studio.add_backend(URL)
    studio.add_webhook(WEBHOOK)
    found = failure(report(studio))
    assert "first interactive one, http://sam:9090" in found.text
    assert "under Model" in found.advice


@pytest.mark.parametrize(
    ("why", "advice"),
    [
        ("Connection refused", "reaches this URL"),
        (BLOCKED, "USE_DEFAULT_BANNED_SUBNETS"),
        ("401 Client Error: UNAUTHORIZED", "EDGEFLOW_BASIC_AUTH_USER"),
    ],
    ids=["down", "guarded", "login"],
)
def test_why_label_studio_gets_no_answer_is_asked(studio: Studio, why: str, advice: str) -> None:
    studio.add_backend(URL, state="DI")
    studio.add_webhook(WEBHOOK)
    studio.unreached = why
    found = failure(report(studio))
    assert "gets no proper answer" in found.text
    assert why in found.text
    assert advice in found.advice


def test_a_backend_in_error_is_told_with_its_words(studio: Studio) -> None:
    studio.add_backend(URL, state="ER", error_message="500 Server Error")
    studio.add_webhook(WEBHOOK)
    assert "500 Server Error" in failure(report(studio)).text


def test_another_model_behind_our_url_is_told(studio: Studio) -> None:
    studio.add_backend(URL, model_version="edgeflow_lite-87654321")
    studio.add_webhook(WEBHOOK)
    (warning,) = [finding for finding in report(studio) if finding.verdict == "warn"]
    assert "the model edgeflow_lite-87654321; the settings here name" in warning.text


def test_a_missing_webhook_is_told(studio: Studio) -> None:
    studio.add_backend(URL)
    studio.add_webhook("http://other/webhook")
    assert "the webhook is missing" in failure(report(studio)).text


def test_a_webhook_without_the_password_is_told(studio: Studio) -> None:
    studio.add_backend(URL)
    studio.add_webhook(WEBHOOK)
    found = failure(report(studio, Address(URL, "anna", "secret")))
    assert "no password" in found.text
    assert "connect --project 5" in found.advice


def test_a_guard_that_was_switched_on_after_connecting_is_told(studio: Studio) -> None:
    studio.add_backend(URL)
    studio.add_webhook(WEBHOOK)
    studio.guards_webhooks = True
    found = failure(report(studio))
    assert f"no longer sent: {BLOCKED}" in found.text
    assert found.advice == SUBNETS_ADVICE


def test_a_token_that_may_not_try_it_is_told_and_no_failure(studio: Studio) -> None:
    studio.add_backend(URL)
    studio.add_webhook(WEBHOOK)
    studio.lets_webhooks_be_made = False
    (warning,) = [finding for finding in report(studio) if finding.verdict == "warn"]
    assert "could not be tried" in warning.text


def test_the_advice_names_both_guards() -> None:
    for name in (
        "USE_DEFAULT_BANNED_SUBNETS", "USER_ADDITIONAL_BANNED_SUBNETS",
        "ML_BLOCK_LOCAL_IP", "SSRF_PROTECTION_ENABLED",
    ):  # fmt: skip
        assert name in SUBNETS_ADVICE
