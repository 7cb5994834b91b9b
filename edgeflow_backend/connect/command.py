"""The command's arguments, from the settings' point of view."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgeflow.errors import EdgeFlowError
from edgeflow_backend.connect.connect import connect
from edgeflow_backend.connect.sample import TITLE, sample_project
from edgeflow_backend.doctor.finding import Finding
from edgeflow_backend.label_studio.access import open_api
from edgeflow_backend.label_studio.connection import Address
from edgeflow_backend.net.label_studio_host import http_url
from edgeflow_backend.settings import Settings

PATIENCE_S = 60.0
"""Label Studio asks a project's ML backends, and waits some seconds for each that is down."""


def run(
    settings: Settings,
    project: int | None,
    *,
    sample: Path | None = None,
    url: str = "",
    host: str = "",
) -> Iterator[Finding]:
    """Connect a project, or the sample project.

    Args:
        settings: The backend's.
        project: Id of the project; None for the sample project.
        sample: Folder of the sample project's pictures; None for the project named by its id.
        url: URL under which Label Studio reaches this backend; empty for the setting's.
        host: Name of the Label Studio; empty for the default one.

    Yields:
        What was done; the first failure ends it.
    """
    problem = _misuse(settings, project, sample, url, host)
    if problem is not None:
        yield problem
        return
    address = Address.of(settings, host, http_url(url) if url else "")
    api = open_api(settings, host, patience_s=PATIENCE_S)
    if sample is not None:
        try:
            project = sample_project(api, sample)
        except EdgeFlowError as error:
            yield Finding("fail", error.message, error.hint)
            return
        except OSError as error:
            yield Finding(
                "fail", f"{sample} cannot be read ({error.strerror})", "name a folder of pictures"
            )
            return
        if project is None:
            yield Finding("ok", "Label Studio has other projects; no sample project was made")
            return
        yield Finding("ok", f"project {project} is '{TITLE}'")
    if project is not None:
        yield from connect(api, project, address)


def _misuse(
    settings: Settings, project: int | None, sample: Path | None, url: str, host: str
) -> Finding | None:
    """What keeps the command from beginning; None if nothing does."""
    if (project is None) == (sample is None):
        return Finding("fail", "which project?", "name it by --project, or a folder by --sample")
    studio = settings.label_studios.get(host)
    if studio is None:
        return Finding(
            "fail",
            "the settings know no Label Studio of this name",
            "add it to EDGEFLOW_LABEL_STUDIO_HOSTS, or leave --host out",
        )
    if not studio.url or not studio.api_key.get_secret_value():
        return Finding(
            "fail",
            "the URL of Label Studio, or its token, is not set",
            "set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY",
        )
    try:
        known = http_url(url) if url else settings.backend_url
    except ValueError as error:
        return Finding("fail", f"--url {error}", "name this backend's URL, without a password")
    if not known:
        return Finding(
            "fail",
            "the URL under which Label Studio reaches this backend is not known",
            "name it by --url, or set EDGEFLOW_BACKEND_URL; in Compose it is http://backend:9090",
        )
    return None
