"""A project's versions as the status page, the metrics and the command tell of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from edgeflow.learning.gate.comparison import Comparison
from edgeflow.learning.gate.verdict import Verdict
from edgeflow_backend.status.learning.versions import LearntVersion, Measured
from edgeflow_backend.versions.store import Versions
from edgeflow_backend.versions.version import Version


def told_versions(versions: Versions) -> tuple[LearntVersion, ...]:
    """All versions of a project, the newest first."""
    return tuple(told_version(version) for version in reversed(versions.all()))


def told_version(version: Version) -> LearntVersion:
    """A version."""
    return LearntVersion(
        number=version.number,
        name=version.checkpoint.version,
        state=version.state,
        made_at=version.made_at,
        objects=version.objects,
        reason=version.reason,
        measured=tuple(_measured(version.verdict)),
    )


def _measured(data: Mapping[str, Any]) -> Iterator[Measured]:
    """The figures of a verdict; none where it is of another form."""
    try:
        verdict = Verdict.from_json(data)
    except ValueError:
        return
    for what, comparison in (("held out", verdict.held_out), ("general", verdict.general)):
        if comparison is not None:
            yield _of(what, comparison)


def _of(what: str, comparison: Comparison) -> Measured:
    before, after = comparison.before, comparison.after
    return Measured(
        what,
        comparison.objects,
        {
            target: (clicks, after.clicks[target])
            for target, clicks in before.clicks.items()
            if target in after.clicks
        },
        tuple(zip(before.curve, after.curve, strict=False)),
    )
