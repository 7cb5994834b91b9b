"""Which version of the model answers a project, as Label Studio is told."""

from __future__ import annotations

import contextlib

from edgeflow.errors import EdgeFlowError
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.segmenter.segmenter import Segmenter
from edgeflow_backend.settings import Settings
from edgeflow_backend.versions.folders import versions_of


def version_of(settings: Settings, segmenter: Segmenter, project: ProjectRef) -> str:
    """Version of the model that answers a project whose labelling config names none.

    Args:
        settings: The backend's.
        segmenter: Knows what answers.
        project: The project; of one that learns nothing it is the default model's.
    """
    if tuple(project) in settings.learning:
        with contextlib.suppress(EdgeFlowError):
            return segmenter.choose(project, None).version
    return segmenter.default.version


def versions_for(settings: Settings, segmenter: Segmenter, project: ProjectRef) -> list[str]:
    """Versions that may answer: the one that does, the default model's, then those learnt.

    Args:
        settings: The backend's.
        segmenter: Knows what answers.
        project: The project; without an id, all of its Label Studio's are meant.
    """
    asked = [
        ProjectRef(*each)
        for each in settings.learning
        if each[0] == project.host and project.id in ("", each[1])
    ]
    answering = version_of(settings, segmenter, project)
    learnt = [
        version.checkpoint.version
        for ref in asked
        for version in reversed(versions_of(settings, ref).all())
        if version.state != "refused"
    ]
    return list(dict.fromkeys([answering, segmenter.default.version, *learnt]))
