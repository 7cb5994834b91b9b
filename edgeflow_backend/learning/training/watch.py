"""Sees to what is served, between trainings.

A version that makes annotators work more than they did before it is withdrawn; one that passed the
gate, and whose training was killed then, is served.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgeflow.checkpoints.checkpoint import Checkpoint, find
from edgeflow.learning.accepted import AcceptedObject
from edgeflow.learning.rollback import reason_to_roll_back
from edgeflow_backend.learning.training.record import TrainingRecord, read_record, write_record
from edgeflow_backend.learning.training.turn import BusyError, only_training
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.settings import Settings
from edgeflow_backend.versions.folders import project_folder, versions_of
from edgeflow_backend.versions.version import Version


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


def serve_unserved(settings: Settings, project: ProjectRef) -> Version | None:
    """Serve a version that passed the gate, and whose training was killed before it served it.

    Its training is on record as ended then: there is nothing to train anew. Whoever loads the
    version makes what it is executed from, where the training had not.

    Args:
        settings: The backend's.
        project: The project.

    Returns:
        The version; None where there is none, or a training runs, which serves its own.

    Raises:
        EdgeFlowError: The base weights are not there, or something cannot be written.
    """
    versions, base = versions_of(settings, project), base_of(settings, project).entry.sha256
    if versions.unserved(base) is None:
        return None
    try:
        with only_training(settings.learn_folder):
            version = versions.unserved(base)  # the training may have ended just now
            if version is not None:
                versions.serve(version.number)
                _end(settings, project, version)
            return version
    except BusyError:
        return None


def _end(settings: Settings, project: ProjectRef, version: Version) -> None:
    """Put on record that the training which made a version has ended."""
    folder = project_folder(settings, project)
    record = read_record(folder)
    if record is None or record.state != "running" or version.made_at < record.at:
        return
    write_record(
        folder,
        TrainingRecord(
            state="accepted",
            objects=record.objects,
            attempts=record.attempts,
            version=version.number,
            verdict=dict(version.verdict),
        ),
    )
