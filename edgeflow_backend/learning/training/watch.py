"""Withdraws a version that makes annotators work more than they did before it."""

from __future__ import annotations

from collections.abc import Sequence

from edgeflow.checkpoints.checkpoint import Checkpoint, find
from edgeflow.learning.accepted import AcceptedObject
from edgeflow.learning.rollback import reason_to_roll_back
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.settings import Settings
from edgeflow_backend.versions.folders import versions_of


def base_of(settings: Settings, project: ProjectRef) -> Checkpoint:
    """The weights that a project's versions are made from.

    Raises:
        CheckpointError: There are none of that name.
    """
    name = settings.project_models.get(project.id, settings.model)
    return find(name, settings.models_folder)


def watch(settings: Settings, project: ProjectRef, objects: Sequence[AcceptedObject]) -> str:
    """Withdraw a project's version if what annotators accept says so.

    Args:
        settings: The backend's.
        project: The project.
        objects: Its accepted objects that count.

    Returns:
        Why it was withdrawn; empty if it was not.

    Raises:
        EdgeFlowError: The base weights are not there, or what is served cannot be written.
    """
    versions = versions_of(settings, project)
    version = versions.serving(base_of(settings, project).entry.sha256)
    if version is None:
        return ""
    reason = reason_to_roll_back(objects, version.checkpoint.version, version.made_at)
    if reason:
        versions.roll_back(reason, version.number)
    return reason
