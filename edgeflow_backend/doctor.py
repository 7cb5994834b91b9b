"""``edgeflow-backend doctor``: checks the whole setup and says how to fix what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

import requests
import urllib3

from edgeflow.checkpoints.checkpoint import find
from edgeflow.errors import EdgeFlowError
from edgeflow.runtime.devices import pick_device
from edgeflow_backend.errors import FetchError
from edgeflow_backend.images.credentials import Credentials
from edgeflow_backend.net.failures import moved, unreachable
from edgeflow_backend.net.guard import Guard
from edgeflow_backend.net.sessions import timed_session
from edgeflow_backend.net.uplink import Uplink
from edgeflow_backend.protocol.config_check import RECOMMENDED, check
from edgeflow_backend.redact.texts import hide_secrets
from edgeflow_backend.redact.urls import describe_url
from edgeflow_backend.service import build_service
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics

Verdict = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report.

    Attributes:
        verdict: Whether it is fine.
        text: What was checked, and the outcome.
        advice: How to fix it; may be empty.
    """

    verdict: Verdict
    text: str
    advice: str = ""


def examine(settings: Settings, project: int | None = None) -> Iterator[Finding]:
    """Check weights, device, model, Label Studio, token and a project's labelling config.

    Args:
        settings: Settings of the backend.
        project: Id of a Label Studio project whose config is checked; None for no project.
    """
    yield from _examine_model(settings)
    yield from _examine_project_models(settings)
    if not settings.label_studio_url and not settings.label_studio_hosts:
        yield Finding(
            "warn",
            "the URL of Label Studio is not set; only public and inline images can be fetched",
            "set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY",
        )
        return
    uplink = settings.uplink
    if uplink.ca_bundle:
        yield Finding(
            "ok", f"certificates of {uplink.ca_bundle} are trusted besides the public ones"
        )
    if uplink.proxy:
        yield Finding("ok", f"image hosts are reached through the proxy {uplink.proxy.name}")
    timeout = (settings.connect_timeout_s, settings.read_timeout_s)
    for name, host in settings.label_studios.items():
        if not host.url:
            continue
        credentials = Credentials(
            host.url,
            host.api_key.get_secret_value(),
            timeout=timeout,
            host=name,
            login=host.login.get_secret_value(),
            uplink=uplink,
        )
        try:
            own_project = None if name else project  # its id belongs to the default Label Studio
            yield from _Examination(host.url, credentials, timeout, uplink).run(own_project)
        except EdgeFlowError as error:
            yield Finding("fail", error.message, error.hint)


def _examine_model(settings: Settings) -> Iterator[Finding]:
    try:
        checkpoint = find(settings.model, settings.models_folder)
        checkpoint.load()
        yield Finding("ok", f"weights {checkpoint.version} are intact ({checkpoint.path})")
        device = pick_device(settings.device)
        service = build_service(settings, Metrics(), Journal())
        milliseconds = service.measure_click(brightness=200) * 1000
        service.close()
    except EdgeFlowError as error:
        yield Finding("fail", error.message, error.hint)
        return
    yield Finding(
        "ok", f"the model runs: {milliseconds:.0f} ms a click, {service.predictor.runtime.name}"
    )
    if device.type == "cpu":
        yield Finding("ok", "no GPU is used; that is fine for a few annotators")


def _examine_project_models(settings: Settings) -> Iterator[Finding]:
    for name in sorted(set(settings.project_models.values())):
        try:
            find(name, settings.models_folder)
        except EdgeFlowError as error:
            yield Finding("fail", f"EDGEFLOW_PROJECT_MODELS: {error.message}", error.hint)


@dataclass(frozen=True)
class _Examination:
    """Questions to one Label Studio.

    Attributes:
        url: Its URL.
        credentials: Its token, and the login in front of it.
        timeout: Seconds for connecting, and seconds of silence.
        uplink: How to reach it.
    """

    url: str
    credentials: Credentials
    timeout: tuple[float, float]
    uplink: Uplink

    def run(self, project: int | None) -> Iterator[Finding]:
        """Check that it answers, whose token it is, and a project.

        Raises:
            EdgeFlowError: It cannot be reached, or the token is unusable.
        """
        where, setting = describe_url(self.url), self.credentials.url_setting
        version = self._get("/api/version", self.credentials.login_header())
        release = _json(version).get("release")
        if not version.ok or not isinstance(release, str) or not release:
            yield Finding(
                "fail",
                f"{where} answers HTTP {version.status_code} without a release; is it Label "
                "Studio?",
                f"set {setting} to Label Studio's URL, with the path below which it is served",
            )
            return
        yield Finding("ok", f"Label Studio {hide_secrets(release[:40])} answers at {where}")
        header = self.credentials.header()
        if not self.credentials.has_token:
            yield Finding(
                "fail",
                "no token is set; uploads cannot be fetched",
                f"set {self.credentials.token_setting}",
            )
            return
        kind = "personal access token" if self.credentials.is_personal else "legacy token"
        whoami = self._get("/api/current-user/whoami", header)
        if whoami.status_code == HTTPStatus.UNAUTHORIZED:
            self.credentials.forget()
            header = self.credentials.header()
            whoami = self._get("/api/current-user/whoami", header)
        if not whoami.ok:
            yield Finding(
                "fail",
                f"Label Studio refuses the {kind} (HTTP {whoami.status_code})",
                f"{self.credentials.advice}. Copy it again from Account & Settings; if legacy "
                "tokens are disabled for your organisation, use a personal access token",
            )
            return
        yield Finding("ok", f"the {kind} belongs to {_json(whoami).get('email', '?')}")
        if project is not None:
            yield from self._examine_project(header, project)

    def _examine_project(self, header: dict[str, str], project: int) -> Iterator[Finding]:
        response = self._get(f"/api/projects/{project}", header)
        if response.status_code != HTTPStatus.OK:
            yield Finding(
                "fail",
                f"project {project} cannot be read (HTTP {response.status_code})",
                "check the id in the project's URL, and that the token's owner may see the project",
            )
            return
        try:
            texts = check(str(_json(response).get("label_config", "")))
        except EdgeFlowError as error:
            texts = [f"{error.message}; {error.hint}."]
        for text in texts:
            yield Finding("fail", f"project {project}: {text}")
        if texts:
            yield Finding("warn", "a labelling config that works", RECOMMENDED)
        else:
            yield Finding("ok", f"project {project}: the labelling config works with this backend")

    def _get(self, path: str, header: dict[str, str]) -> requests.Response:
        """Ask for a path.

        Raises:
            FetchError: It gives no answer, or redirects.
        """
        url, setting = f"{self.url}{path}", self.credentials.url_setting
        try:
            with timed_session(sum(self.timeout), Guard([self.url]), self.uplink) as session:
                response = session.get(
                    url, headers=header, timeout=self.timeout, allow_redirects=False
                )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            reason = unreachable(error, self.url, setting)
            raise FetchError(
                f"Label Studio does not answer: {reason.message}", hint=reason.hint
            ) from error
        if response.is_redirect:
            raise moved(url, response.headers["Location"], setting)
        return response


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
