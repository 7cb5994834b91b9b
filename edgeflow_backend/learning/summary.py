"""What a store holds, in numbers, for the status page, the metrics and the command."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone

from edgeflow.learning.accepted import AcceptedObject
from edgeflow.learning.effort import cost, effort
from edgeflow.learning.split import is_held_out
from edgeflow_backend.learning.pictures import Files
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.status.learning.entry import Learned


class Entries:
    """What was last known of each project. Thread-safe.

    Args:
        projects: The projects.
    """

    def __init__(self, projects: Iterable[ProjectRef]) -> None:
        self._lock = threading.Lock()
        self._entries = {project: Learned(str(project)) for project in projects}

    def of(self, project: ProjectRef) -> Learned:
        """What is known of a project."""
        with self._lock:
            return self._entries[project]

    def put(self, project: ProjectRef, learned: Learned) -> None:
        """Take note of a project."""
        with self._lock:
            self._entries[project] = learned

    def all(self) -> tuple[Learned, ...]:
        """What is known of all of them, in the order of the settings."""
        with self._lock:
            return tuple(self._entries.values())


def summary(
    project: str, files: Files, objects: Sequence[AcceptedObject], *, message: str = ""
) -> Learned:
    """What is kept of a project.

    Args:
        project: Project key.
        files: Its store, and its copies of images.
        objects: Those in the store.
        message: What a person should know.

    Raises:
        StoreError: The store cannot be read.
    """
    read_at = files.store.notes().get("read_at")
    costs = (cost(each.origin, each.label, each.start, each.clicks) for each in objects)
    return Learned(
        project=project,
        read_at=datetime.fromtimestamp(read_at, timezone.utc) if read_at else None,
        message=message,
        tasks=len(files.store.stamps()),
        objects=len(objects),
        held_out=sum(is_held_out(each.origin.task) for each in objects),
        objects_bytes=files.store.nbytes(),
        pictures_bytes=files.cache.nbytes,
        effort=effort(each for each in costs if each is not None),
    )
