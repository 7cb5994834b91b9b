"""Annotations that were submitted with prompts whose masks nobody accepted."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from edgeflow_backend.redact.texts import NAME_LENGTH, clean
from edgeflow_backend.status.failures import Clock, utc_now

MAX_PROJECTS = 200

MAX_ANNOTATIONS = 1000
"""Annotations remembered of one project."""

MAX_TASKS = 20
"""Tasks named of one project; the rest are only counted."""


_Annotations = OrderedDict[str, tuple[str, datetime]]
"""By an annotation's id, its task's and when it was stored; the newest last."""


@dataclass(frozen=True)
class LostOfProject:
    """A project's annotations that hold prompts without their masks.

    Attributes:
        project: Project key.
        annotations: How many.
        tasks: Ids of their tasks, the newest first, at most :data:`MAX_TASKS`.
        more: Further tasks.
        last: When the last one was stored, UTC.
    """

    project: str
    annotations: int
    tasks: tuple[str, ...]
    more: int
    last: datetime


class LostMasks:
    """Annotations with prompts but without their masks, by project. Thread-safe."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._projects: OrderedDict[str, _Annotations] = OrderedDict()

    def note(self, project: str, annotation: object, task: object) -> None:
        """Remember an annotation that holds prompts without their masks.

        Args:
            project: Project key.
            annotation: The annotation's id.
            task: Its task's id.
        """
        project, key, of = (clean(str(name), NAME_LENGTH) for name in (project, annotation, task))
        with self._lock:
            annotations = self._projects.setdefault(project, _Annotations())
            self._projects.move_to_end(project)
            annotations[key] = (of, self._clock())
            annotations.move_to_end(key)
            if len(annotations) > MAX_ANNOTATIONS:
                annotations.popitem(last=False)
            if len(self._projects) > MAX_PROJECTS:
                self._projects.popitem(last=False)

    def forget(self, project: str, annotations: Iterable[object]) -> None:
        """Forget annotations that have their masks now, or are gone.

        Args:
            project: Project key.
            annotations: Their ids; unknown ones do no harm.
        """
        gone = {str(annotation)[:NAME_LENGTH] for annotation in annotations}
        self._forget(project, lambda annotation, _: annotation in gone)

    def forget_tasks(self, project: str, tasks: Iterable[object]) -> None:
        """Forget all annotations of tasks that are gone.

        Args:
            project: Project key.
            tasks: Their ids.
        """
        gone = {str(task)[:NAME_LENGTH] for task in tasks}
        self._forget(project, lambda _, task: task in gone)

    def recent(self) -> list[LostOfProject]:
        """What is remembered, the project with the newest annotation first."""
        with self._lock:
            return [_summed(name, found) for name, found in reversed(self._projects.items())]

    def _forget(self, project: str, gone: Callable[[str, str], bool]) -> None:
        """Forget a project's annotations by their own and their tasks' ids."""
        project = clean(project, NAME_LENGTH)
        with self._lock:
            known = self._projects.get(project, _Annotations())
            kept = ((key, found) for key, found in known.items() if not gone(key, found[0]))
            if left := _Annotations(kept):
                self._projects[project] = left
            else:
                self._projects.pop(project, None)


def _summed(project: str, annotations: _Annotations) -> LostOfProject:
    newest = list(reversed(annotations.values()))
    tasks = list(dict.fromkeys(task for task, _ in newest))
    return LostOfProject(
        project=project,
        annotations=len(newest),
        tasks=tuple(tasks[:MAX_TASKS]),
        more=len(tasks) - len(tasks[:MAX_TASKS]),
        last=newest[0][1],
    )
