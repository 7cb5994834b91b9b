"""``edgeflow-backend doctor``: checks the whole setup and says how to fix what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from edgeflow.checkpoints.checkpoint import find
from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.runtime.devices import pick_device
from edgeflow_backend.label_studio.access import open_api
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
    for name, host in settings.label_studios.items():
        if not host.url:
            continue
        own_project = None if name else project  # its id belongs to the default Label Studio
        try:
            yield from _examine_label_studio(open_api(settings, name), host.url, own_project)
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


def _examine_label_studio(api: LabelStudioAPI, url: str, project: int | None) -> Iterator[Finding]:
    """Check that a Label Studio answers, whose token it is, and a project.

    Raises:
        EdgeFlowError: It cannot be reached, or the token is unusable.
    """
    release, credentials = api.release(), api.credentials
    yield Finding("ok", f"Label Studio {hide_secrets(release[:40])} answers at {describe_url(url)}")
    if not credentials.has_token:
        yield Finding(
            "fail",
            "no token is set; uploads cannot be fetched",
            f"set {credentials.token_setting}",
        )
        return
    kind = "personal access token" if credentials.is_personal else "legacy token"
    credentials.header()  # raises if the token itself is unusable
    try:
        owner = api.whoami()
    except LabelStudioError as error:
        if error.status is None:
            raise
        yield Finding(
            "fail",
            f"Label Studio refuses the {kind} (HTTP {error.status})",
            f"{credentials.advice}. Copy it again from Account & Settings; if legacy tokens are "
            "disabled for your organisation, use a personal access token",
        )
        return
    yield Finding("ok", f"the {kind} belongs to {owner.get('email', '?')}")
    if project is not None:
        yield from _examine_project(api, project)


def _examine_project(api: LabelStudioAPI, number: int) -> Iterator[Finding]:
    try:
        project = api.project(number)
    except LabelStudioError as error:
        if error.status is None:
            raise
        yield Finding(
            "fail",
            f"project {number} cannot be read (HTTP {error.status})",
            "check the id in the project's URL, and that the token's owner may see the project",
        )
        return
    try:
        texts = check(project.label_config)
    except EdgeFlowError as error:
        texts = [f"{error.message}; {error.hint}."]
    for text in texts:
        yield Finding("fail", f"project {number}: {text}")
    if texts:
        yield Finding("warn", "a labelling config that works", RECOMMENDED)
    else:
        yield Finding("ok", f"project {number}: the labelling config works with this backend")
