"""What is kept of a project's accepted objects, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from edgeflow.label_studio.values import JSONObject
from edgeflow.learning.effort import Effort
from edgeflow_backend.redact.texts import NAME_LENGTH, clean
from edgeflow_backend.status.learning.versions import LearntVersion, listed_version


@dataclass(frozen=True)
class Learned:
    """What is kept of a project.

    Attributes:
        project: Project key.
        read_at: When its annotations were last read without a failure, UTC; None if never.
        failed: Whether the last reading failed.
        message: What a person should know of it; mostly nothing.
        hint: What can be done about it.
        tasks: Tasks that were read.
        objects: Accepted objects.
        held_out: Those of them that are never learnt from.
        objects_bytes: Bytes of the objects.
        pictures_bytes: Bytes of images' files.
        effort: Clicks per accepted object, of all labels first.
        answers: Version of the model that answers the project's clicks now.
        versions: What it has learnt, the newest first.
    """

    project: str
    read_at: datetime | None = None
    failed: bool = False
    message: str = ""
    hint: str = ""
    tasks: int = 0
    objects: int = 0
    held_out: int = 0
    objects_bytes: int = 0
    pictures_bytes: int = 0
    effort: tuple[Effort, ...] = ()
    answers: str = ""
    versions: tuple[LearntVersion, ...] = ()

    def failing(self, message: str, hint: str) -> Learned:
        """The same after a reading that failed."""
        return replace(self, failed=True, message=message, hint=hint)


def listed(learned: Learned) -> JSONObject:
    """As the page's JSON form has it."""
    return {
        "project": clean(learned.project, NAME_LENGTH),
        "read": learned.read_at.isoformat() if learned.read_at else None,
        "failed": learned.failed,
        "message": clean(learned.message),
        "hint": clean(learned.hint),
        "tasks": learned.tasks,
        "objects": learned.objects,
        "held_out": learned.held_out,
        "objects_bytes": learned.objects_bytes,
        "pictures_bytes": learned.pictures_bytes,
        "effort": [
            {
                "label": clean(each.label, NAME_LENGTH),
                "objects": each.objects,
                "clicks": each.prompts,
                "mean": each.mean,
                "newest": each.newest,
                "points": [
                    {"objects": point.objects, "at": point.at.isoformat(), "mean": point.mean}
                    for point in each.points
                ],
            }
            for each in learned.effort
        ],
        "answers": clean(learned.answers, NAME_LENGTH),
        "versions": [listed_version(each) for each in learned.versions],
    }
