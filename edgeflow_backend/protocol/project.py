"""Which project of which Label Studio a request is about."""

from __future__ import annotations

from typing import NamedTuple

MAX_ID_LENGTH = 64
"""Characters of a project's id that count; real ones have a few digits."""


class ProjectRef(NamedTuple):
    """A project; as text ``12``, or ``team-b/12`` where there are several Label Studios.

    Attributes:
        host: Name of the Label Studio; empty for the default one.
        id: The project's id; empty where a request names none.
    """

    host: str
    id: str

    @classmethod
    def parse(cls, project: object, host: str = "") -> ProjectRef:
        """Read a request's ``project``.

        Args:
            project: ``<id>.<time of creation>``, an id, or nothing; one that was read already is
                returned as it is.
            host: Name of the Label Studio that asks.
        """
        if isinstance(project, ProjectRef):
            return project
        return cls(host, str(project or "").partition(".")[0][:MAX_ID_LENGTH])

    def __str__(self) -> str:
        return f"{self.host}/{self.id}" if self.host else self.id


NO_PROJECT = ProjectRef("", "")
"""Of requests that name none."""
