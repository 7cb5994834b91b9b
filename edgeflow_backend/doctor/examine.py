"""The whole examination: model, Label Studios, one project."""

from __future__ import annotations

from collections.abc import Iterator

from edgeflow.errors import EdgeFlowError
from edgeflow_backend.doctor.finding import Finding
from edgeflow_backend.doctor.label_studio import examine_label_studio
from edgeflow_backend.doctor.model import examine_model
from edgeflow_backend.doctor.project import examine_project
from edgeflow_backend.label_studio.access import open_api
from edgeflow_backend.settings import Settings

PATIENCE_S = 30.0
"""Label Studio asks a project's ML backends, and waits some seconds for each that is down."""


def examine(settings: Settings, project: int | None = None) -> Iterator[Finding]:
    """Check weights, device, model, Label Studio, token and a project.

    Args:
        settings: Settings of the backend.
        project: Id of a Label Studio project that is checked, too; None for none.
    """
    yield from examine_model(settings)
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
        api = open_api(settings, name, patience_s=PATIENCE_S if project else None)
        try:
            usable = yield from examine_label_studio(api, host.url)
            # The project's id belongs to the default Label Studio.
            if usable and project is not None and not name:
                yield from examine_project(api, project, settings)
        except EdgeFlowError as error:
            yield Finding("fail", error.message, error.hint)
