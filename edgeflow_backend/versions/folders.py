"""Where what is kept of a project lies."""

from __future__ import annotations

import hashlib
from pathlib import Path

from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.settings import Settings
from edgeflow_backend.versions.store import Versions


def project_folder(settings: Settings, project: ProjectRef) -> Path:
    """A project's folder, which may not exist; its name tells nothing of the project.

    Raises:
        KeyError: There is no Label Studio of that name.
    """
    studio = settings.label_studios[project.host]
    name = hashlib.sha256(f"{studio.url}\n{project.id}".encode()).hexdigest()[:32]
    return settings.learn_folder / name


def versions_of(settings: Settings, project: ProjectRef) -> Versions:
    """A project's versions.

    Raises:
        KeyError: There is no Label Studio of that name.
    """
    return Versions(project_folder(settings, project), project.id)
