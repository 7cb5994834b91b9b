"""What tells projects apart."""

from __future__ import annotations

ID_LENGTH = 64
"""Characters kept of a project's id; real ones have a few digits."""


def project_key(project: object, host: str = "") -> str:
    """What tells projects apart: ``12``, or ``team-b/12`` where there are several Label Studios.

    Args:
        project: as requests have it: ``<id>.<time of creation>``, an id, or nothing.
        host: name of the Label Studio that asks.
    """
    number = str(project or "").partition(".")[0][:ID_LENGTH]
    return f"{host}/{number}" if host else number
