"""Versions that a project has learnt, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.redact.texts import NAME_LENGTH, clean


@dataclass(frozen=True)
class Measured:
    """What a version takes on some objects, and what the weights take that it was made from.

    Attributes:
        what: Which objects.
        objects: How many.
        clicks: Target IoU in percent → mean clicks before and after.
        curve: Mean IoU after 1, 2, … clicks: before and after.
    """

    what: str
    objects: int
    clicks: Mapping[int, tuple[float, float]]
    curve: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class LearntVersion:
    """A version.

    Attributes:
        number: Its number.
        name: Name and digest, as answers say it.
        state: ``served``, ``accepted``, ``refused`` or ``rolled back``.
        made_at: When, ISO 8601 in UTC.
        objects: Accepted objects that it has learnt from.
        reason: Why it was refused or rolled back.
        measured: What the gate found.
    """

    number: int
    name: str
    state: str
    made_at: str
    objects: int
    reason: str = ""
    measured: tuple[Measured, ...] = ()


def listed_version(version: LearntVersion) -> JSONObject:
    """As the page's JSON form has it."""
    return {
        "number": version.number,
        "name": clean(version.name, NAME_LENGTH),
        "state": version.state,
        "made": version.made_at,
        "objects": version.objects,
        "reason": clean(version.reason),
        "measured": [
            {
                "what": each.what,
                "objects": each.objects,
                "clicks": [
                    {"target": target, "before": before, "after": after}
                    for target, (before, after) in each.clicks.items()
                ],
                "curve": [{"before": before, "after": after} for before, after in each.curve],
            }
            for each in version.measured
        ],
    }
