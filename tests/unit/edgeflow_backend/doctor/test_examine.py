from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, find
from edgeflow_backend.doctor import model
from edgeflow_backend.doctor.examine import examine
from edgeflow_backend.doctor.finding import Finding
from edgeflow_backend.protocol.config_check import RECOMMENDED
from edgeflow_backend.segmenter.local import LocalSegmenter
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics
from tests.unit.conftest import MakeService
from tests.unit.edgeflow_backend.loopback import Host, Received, Reply, closed_port, redirect
from tests.unit.local_service import local

LEGACY = "0123456789abcdef0123456789abcdef01234567"
PERSONAL = "eyJhbGciOiJI.eyJ0b2tlbl90.c2lnbmF0dXJl"


def as_json(body: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def guarded(answer: Reply, *authorizations: str) -> Callable[[Received, Any], Reply]:
    """A route that wants a token."""

    def check(request: Received, _: BaseHTTPRequestHandler) -> Reply:
        allowed = request.headers.get("authorization") in authorizations
        return answer if allowed else as_json({"detail": "Invalid token."}, 401)

    return check


@pytest.fixture
def studio(host: Host) -> Host:
    """A Label Studio as far as the doctor looks at it."""
    allowed = (f"Token {LEGACY}", "Bearer access")
    host.routes["/api/version"] = as_json({"release": "1.23.2"})
    host.routes["/api/token/refresh/"] = as_json({"access": "access"})
    who = {"id": 1, "email": "anna@example.com"}
    host.routes["/api/current-user/whoami"] = guarded(as_json(who), *allowed)
    project = {"id": 5, "label_config": RECOMMENDED}
    host.routes["/api/projects/5"] = guarded(as_json(project), *allowed)
    backend = {
        "id": 1,
        "url": "http://backend:9090",
        "is_interactive": True,
        "state": "CO",
        "model_version": find(DEFAULT_MODEL).version,
    }
    webhook = {"id": 1, "url": "http://backend:9090/webhook", "is_active": True}
    webhook |= {"send_payload": True, "send_for_all_actions": True}
    host.routes["/api/ml"] = guarded(as_json([backend]), *allowed)
    listed = guarded(as_json([webhook]), *allowed)
    no_such_event = as_json({"detail": "Validation error"}, 400)

    def webhooks(request: Received, handler: BaseHTTPRequestHandler) -> Reply:
        return listed(request, handler) if request.method == "GET" else no_such_event

    host.routes["/api/webhooks/"] = webhooks
    return host


@pytest.fixture
def _a_quick_model(monkeypatch: pytest.MonkeyPatch, make_service: MakeService) -> None:
    """The small model, so that each examination does not load the large one."""

    def load(_: Settings, __: Metrics) -> LocalSegmenter:
        return local(make_service())

    monkeypatch.setattr(model, "load_segmenter", load)


def report(project: int | None = None, **changes: Any) -> list[Finding]:
    findings = list(examine(Settings(device="cpu", **changes), project))
    for finding in findings:
        assert finding.text
        assert finding.advice or finding.verdict == "ok" or finding.text.startswith("project")
        for secret in (LEGACY, PERSONAL, "Bearer access"):
            assert secret not in finding.text + finding.advice
    return findings


def failures(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.verdict == "fail"]


def only_failure(findings: list[Finding]) -> Finding:
    (failure,) = failures(findings)
    return failure


@pytest.mark.slow
def test_the_real_model_is_examined() -> None:
    findings = report()
    assert failures(findings) == []
    texts = "\n".join(finding.text for finding in findings)
    assert f"{DEFAULT_MODEL}-" in texts
    assert "ms a click" in texts
    assert "no GPU" in texts


@pytest.mark.usefixtures("_a_quick_model")
class TestLabelStudio:
    def test_everything_in_place_is_ok(self, studio: Host) -> None:
        findings = report(5, label_studio_url=studio.url, label_studio_api_key=LEGACY)
        assert {finding.verdict for finding in findings} == {"ok"}
        texts = "\n".join(finding.text for finding in findings)
        assert "Label Studio 1.23.2" in texts
        assert "legacy token belongs to anna@example.com" in texts
        assert "project 5" in texts

    @pytest.mark.parametrize(
        ("refine", "verdict", "words"),
        [("auto", "ok", "3 people annotate each task"), ("annotations", "warn", "although 3")],
    )
    def test_what_clicks_refine_is_told(
        self, studio: Host, refine: str, verdict: str, words: str
    ) -> None:
        project = {"id": 5, "label_config": RECOMMENDED, "maximum_annotations": 3}
        studio.routes["/api/projects/5"] = guarded(as_json(project), f"Token {LEGACY}")
        findings = report(
            5, label_studio_url=studio.url, label_studio_api_key=LEGACY, refine=refine
        )
        (told,) = [finding for finding in findings if "refine" in finding.text]
        assert told.verdict == verdict
        assert words in told.text
        assert bool(told.advice) == (verdict == "warn")

    def test_a_personal_access_token_is_exchanged(self, studio: Host) -> None:
        findings = report(5, label_studio_url=studio.url, label_studio_api_key=PERSONAL)
        assert {finding.verdict for finding in findings} == {"ok"}
        assert any("personal access token belongs" in finding.text for finding in findings)

    def test_a_project_is_examined_only_when_asked(self, studio: Host) -> None:
        report(label_studio_url=studio.url, label_studio_api_key=LEGACY)
        assert studio.asked("/api/projects/5") == []

    def test_a_url_that_is_not_set_is_a_warning(self) -> None:
        findings = report()
        assert failures(findings) == []
        (warning,) = [finding for finding in findings if finding.verdict == "warn"]
        assert "LABEL_STUDIO_URL" in warning.advice

    def test_a_label_studio_that_is_not_there_fails(self) -> None:
        failure = only_failure(report(label_studio_url=f"http://127.0.0.1:{closed_port()}"))
        assert "does not answer" in failure.text
        assert "Docker" in failure.advice

    def test_a_label_studio_that_stays_silent_fails(self, host: Host) -> None:
        def silent(_: Received, __: BaseHTTPRequestHandler) -> None:
            host.pause()

        host.routes["*"] = silent
        failure = only_failure(report(label_studio_url=host.url, read_timeout_s=0.2))
        assert "does not answer" in failure.text

    @pytest.mark.parametrize("status", [404, 500, 502])
    def test_a_server_that_is_not_label_studio_fails(self, host: Host, status: int) -> None:
        host.routes["*"] = Reply(status)
        failure = only_failure(report(label_studio_url=host.url, label_studio_api_key=LEGACY))
        assert f"HTTP {status}" in failure.text
        assert "is it Label Studio?" in failure.text

    @pytest.mark.parametrize("body", [b"<!doctype html><html>Welcome</html>", b"[]", b'{"a": 1}'])
    def test_a_server_that_answers_anything_is_not_taken_for_label_studio(
        self, host: Host, body: bytes
    ) -> None:
        host.routes["*"] = Reply(body=body)
        findings = report(5, label_studio_url=host.url, label_studio_api_key=LEGACY)
        assert "is it Label Studio?" in only_failure(findings).text

    def test_a_missing_token_fails(self, studio: Host) -> None:
        failure = only_failure(report(label_studio_url=studio.url))
        assert "no token" in failure.text
        assert "LABEL_STUDIO_API_KEY" in failure.advice

    def test_a_wrong_legacy_token_fails(self, studio: Host) -> None:
        findings = report(5, label_studio_url=studio.url, label_studio_api_key="wrong")
        failure = only_failure(findings)
        assert "refuses the legacy token (HTTP 401)" in failure.text
        assert "personal access token" in failure.advice
        assert studio.asked("/api/projects/5") == []

    def test_a_personal_access_token_that_is_refused_fails(self, studio: Host) -> None:
        studio.routes["/api/token/refresh/"] = as_json({"detail": "no"}, 401)
        findings = report(label_studio_url=studio.url, label_studio_api_key=PERSONAL)
        assert "personal access token" in only_failure(findings).text

    def test_a_token_that_no_header_can_hold_fails(self, studio: Host) -> None:
        findings = report(label_studio_url=studio.url, label_studio_api_key="012…567")
        assert "token" in only_failure(findings).text

    @pytest.mark.parametrize("status", [403, 404])
    def test_a_project_that_cannot_be_read_fails(self, studio: Host, status: int) -> None:
        studio.routes["/api/projects/5"] = as_json({}, status)
        failure = only_failure(report(5, label_studio_url=studio.url, label_studio_api_key=LEGACY))
        assert "project 5 cannot be read" in failure.text
        assert f"HTTP {status}" in failure.text

    @pytest.mark.parametrize(
        ("config", "said"),
        [
            ("<View/>", ["no Image tag", "No control takes clicks"]),
            ("<View", ["not valid XML"]),
            ("", ["no labelling config"]),
            (RECOMMENDED.replace('smart="false"', ""), ["smart tool's place"]),
        ],
    )
    def test_a_projects_problems_are_told_with_a_config_that_works(
        self, studio: Host, config: str, said: list[str]
    ) -> None:
        studio.routes["/api/projects/5"] = as_json({"id": 5, "label_config": config})
        findings = report(5, label_studio_url=studio.url, label_studio_api_key=LEGACY)
        assert len(failures(findings)) == len(said)
        for failure, words in zip(failures(findings), said, strict=True):
            assert failure.text.startswith("project 5: ")
            assert words in failure.text
        (warning,) = [finding for finding in findings if finding.verdict == "warn"]
        assert warning.advice == RECOMMENDED

    def test_exports_that_a_config_spoils_are_warned_of(self, studio: Host) -> None:
        keypoints = '<KeyPointLabels name="k" toName="image"><Label value="Cat"/></KeyPointLabels>'
        polygons = '<PolygonLabels name="m" toName="image" smart="false"><Label value="Cat"/>'
        config = (
            f'<View>{keypoints}<Image name="image" value="$i"/>{polygons}</PolygonLabels></View>'
        )
        studio.routes["/api/projects/5"] = as_json({"id": 5, "label_config": config})
        findings = report(5, label_studio_url=studio.url, label_studio_api_key=LEGACY)
        assert failures(findings) == []
        warning, recommended = [finding for finding in findings if finding.verdict == "warn"]
        assert "project 5: KeyPointLabels 'k' spoils" in warning.text
        assert '<KeyPoint name="click"' in recommended.advice
        assert '<PolygonLabels name="mask"' in recommended.advice
        assert '<Label value="Cat"' in recommended.advice

    def test_passwords_of_a_netrc_file_do_not_replace_the_token(
        self, studio: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login user password secret\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        findings = report(5, label_studio_url=studio.url, label_studio_api_key=LEGACY)
        assert failures(findings) == []

    def test_a_proxy_of_the_environment_is_not_asked(
        self, studio: Host, other_host: Host, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, other_host.url)
        findings = report(5, label_studio_url=studio.url, label_studio_api_key=LEGACY)
        assert failures(findings) == []
        assert other_host.received == []

    def test_a_login_in_the_url_is_used_and_never_printed(self, studio: Host) -> None:
        url = studio.url.replace("//", "//anna:my-password@")
        findings = report(5, label_studio_url=url, label_studio_api_key=LEGACY)
        sent = [asked.headers.get("authorization", "") for asked in studio.received]
        assert sent[0].startswith("Basic ")
        assert sent[-1] == f"Token {LEGACY}", "this Label Studio did not want it"
        assert failures(findings) == []
        assert "my-password" not in str(findings)
        assert "//anna" not in str(findings)

    def test_a_label_studio_that_redirects_is_told_with_the_url_to_set(self, host: Host) -> None:
        host.routes["*"] = redirect("https://labels.example/ls/api/version")
        failure = only_failure(report(label_studio_url=host.url))
        assert "redirects" in failure.text
        assert failure.advice == "set LABEL_STUDIO_URL to https://labels.example/ls"

    def test_label_studio_is_examined_even_without_a_model(self, studio: Host) -> None:
        findings = report(model="nope", label_studio_url=studio.url, label_studio_api_key=LEGACY)
        assert "nope" in only_failure(findings).text
        assert any("belongs to" in finding.text for finding in findings)


def test_weights_that_are_not_there_fail_with_the_names_there_are() -> None:
    failure = only_failure(report(model="nothing-like-this"))
    assert "nothing-like-this" in failure.text
    assert DEFAULT_MODEL in failure.advice


def test_weights_of_another_format_fail(tmp_path: Path) -> None:
    weights = tmp_path / "model.pt"
    weights.write_bytes(b"pickle")
    failure = only_failure(report(model=str(weights)))
    assert "safetensors" in failure.text + failure.advice


@pytest.mark.usefixtures("_a_quick_model")
def test_a_projects_model_that_is_not_there_fails() -> None:
    failure = only_failure(report(project_models={"5": "nothing-like-this"}))
    assert "nothing-like-this" in failure.text


@pytest.mark.parametrize("device", ["abacus", "cuda:99", "meta"])
def test_a_device_that_is_not_there_fails(device: str) -> None:
    findings = list(examine(Settings(device=device)))
    failure = only_failure(findings)
    assert device in failure.text
    assert "cpu" in failure.advice
    assert findings[0].verdict == "ok", "the weights are intact all the same"
