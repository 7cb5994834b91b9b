"""``edgeflow-backend learn versions``, ``rollback`` and ``serve``."""

from __future__ import annotations

from collections.abc import Iterator

from edgeflow.errors import counted
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow_backend.learning.told import told_version
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.redact.texts import clean
from edgeflow_backend.settings import Settings
from edgeflow_backend.versions.folders import versions_of
from edgeflow_backend.versions.store import Versions, VersionsError

BY_HAND = "rolled back by hand"


def list_versions(settings: Settings, project: ProjectRef) -> Iterator[str]:
    """What a project has learnt, the newest first, and what lies there and is no version.

    Raises:
        EdgeFlowError: There is no Label Studio of that name.
    """
    versions = _versions(settings, project)
    found = versions.all()
    if not found:
        yield f"project {project}: no version is kept; the base weights answer"
    for version in reversed(found):
        told = told_version(version)
        yield clean(f"version {told.number}, {told.state}: {told.name}")
        yield f"   {told.made_at}, from {counted(told.objects, 'object')}"
        if told.reason:
            yield f"   {clean(told.reason)}"
        for each in told.measured:
            clicks = ", ".join(
                f"{before:.2f} → {after:.2f} clicks to {target} %"
                for target, (before, after) in each.clicks.items()
            )
            yield f"   {each.what}, {counted(each.objects, 'object')}: {clicks}"
        yield f"   {version.checkpoint.path.parent}"
    for name, reason in versions.ignored().items():
        yield clean(f"{name}: left out, {reason}")


def roll_back(settings: Settings, project: ProjectRef, reason: str = "") -> Iterator[str]:
    """Withdraw the version that is served: the one before answers, or else the base weights.

    Raises:
        EdgeFlowError: There is no Label Studio of that name, no version is served, or it cannot be
            written.
    """
    versions = _versions(settings, project)
    served = next((each for each in versions.all() if each.state == "served"), None)
    if served is None:
        raise VersionsError(
            f"no version of project {project} is served", hint="the base weights answer already"
        )
    now = versions.roll_back(reason or BY_HAND, served.number)
    yield clean(f"version {served.number} ({served.checkpoint.version}) is withdrawn")
    yield _answering(project, now.checkpoint.version if now else "")


def serve_version(settings: Settings, project: ProjectRef, number: int) -> Iterator[str]:
    """Have a version answer a project's clicks.

    Raises:
        EdgeFlowError: There is no Label Studio of that name or no such version, it was refused, or
            it cannot be written.
    """
    versions = _versions(settings, project)
    versions.serve(number)
    version = versions.find(number)
    yield _answering(project, version.checkpoint.version if version else "")
    if tuple(project) not in settings.learning:
        yield "  not yet: EDGEFLOW_LEARN_PROJECTS does not name the project"


def _answering(project: ProjectRef, version: str) -> str:
    what = clean(version) or "the base weights"
    return f"project {project}: within seconds, clicks are answered by {what}"


def _versions(settings: Settings, project: ProjectRef) -> Versions:
    if project.host not in settings.label_studios:
        raise LabelStudioError(
            f"no Label Studio is called '{project.host}'",
            hint="EDGEFLOW_LABEL_STUDIO_HOSTS has the names",
        )
    return versions_of(settings, project)
