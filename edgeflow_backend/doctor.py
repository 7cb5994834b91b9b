"""``edgeflow-backend doctor``: checks the whole setup and says how to fix what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

import requests

from edgeflow.checkpoints.checkpoint import find
from edgeflow.errors import EdgeFlowError
from edgeflow.runtime.devices import pick_device
from edgeflow_backend.images.credentials import Credentials
from edgeflow_backend.net.sessions import isolated_session
from edgeflow_backend.protocol.config_check import RECOMMENDED, check
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
    timeout = (settings.connect_timeout_s, settings.read_timeout_s)
    for name, host in settings.label_studios.items():
        if not host.url:
            continue
        credentials = Credentials(
            host.url, host.api_key.get_secret_value(), timeout=timeout, host=name
        )
        try:
            own_project = None if name else project  # its id belongs to the default Label Studio
            yield from _examine_label_studio(host.url, credentials, timeout, own_project)
        except requests.RequestException as error:
            yield Finding(
                "fail",
                f"Label Studio at {host.url} does not answer ({type(error).__name__})",
                "check its URL from this machine; inside Docker, localhost is the container",
            )


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


def _examine_label_studio(
    url: str, credentials: Credentials, timeout: tuple[float, float], project: int | None
) -> Iterator[Finding]:
    version = _get(f"{url}/api/version", timeout=timeout)
    release = _json(version).get("release")
    if not version.ok or not release:
        yield Finding(
            "fail",
            f"{url} answers HTTP {version.status_code} without a release; is it Label Studio?",
            "set LABEL_STUDIO_URL to the URL that annotators open",
        )
        return
    yield Finding("ok", f"Label Studio {release} answers at {url}")
    try:
        header = credentials.header()
    except EdgeFlowError as error:
        yield Finding("fail", error.message, error.hint)
        return
    if not header:
        yield Finding(
            "fail", "no token is set; uploads cannot be fetched", "set LABEL_STUDIO_API_KEY"
        )
        return
    kind = "personal access token" if credentials.is_personal else "legacy token"
    whoami = _get(f"{url}/api/current-user/whoami", headers=header, timeout=timeout)
    if not whoami.ok:
        yield Finding(
            "fail",
            f"Label Studio refuses the {kind} (HTTP {whoami.status_code})",
            "copy it again from Account & Settings; if legacy tokens are disabled for your "
            "organisation, use a personal access token",
        )
        return
    yield Finding("ok", f"the {kind} belongs to {_json(whoami).get('email', '?')}")
    if project is not None:
        yield from _examine_project(url, header, timeout, project)


def _examine_project(
    url: str, header: dict[str, str], timeout: tuple[float, float], project: int
) -> Iterator[Finding]:
    response = _get(f"{url}/api/projects/{project}", headers=header, timeout=timeout)
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


def _get(
    url: str, timeout: tuple[float, float], headers: dict[str, str] | None = None
) -> requests.Response:
    with isolated_session() as session:
        return session.get(url, headers=headers, timeout=timeout)


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
