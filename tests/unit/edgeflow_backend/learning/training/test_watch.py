from __future__ import annotations

from collections.abc import Callable

import pytest

from edgeflow.learning.accepted import AcceptedObject, PercentClick
from edgeflow_backend.learning.training.watch import base_of, watch
from edgeflow_backend.settings import Settings
from edgeflow_backend.versions.folders import project_folder, versions_of
from tests.unit.edgeflow.learning.learning_samples import accepted, origin
from tests.unit.edgeflow_backend.learning.learning import REF


def objects(model: str, clicks: int, day: str) -> list[AcceptedObject]:
    return [
        accepted(
            number,
            origin=origin(number, created_at=f"{day}T09:00:{number:02}Z"),
            model=model,
            clicks=(PercentClick(30.0, 40.0, True),) * (clicks + number % 2),
        )
        for number in range(30)
    ]


@pytest.mark.parametrize(("clicks", "withdrawn"), [(2, False), (6, True)])
def test_what_annotators_accept_decides_whether_a_version_stays(
    learning_settings: Callable[..., Settings], clicks: int, withdrawn: bool
) -> None:
    settings = learning_settings()
    base, versions = base_of(settings, REF), versions_of(settings, REF)
    before = objects(base.version, 3, "2020-01-01")
    assert watch(settings, REF, before) == ""
    project_folder(settings, REF).mkdir(parents=True)
    version = versions.add(base.load().state_dict(), base, objects=30, verdict={}, accepted=True)
    versions.serve(version.number)
    after = objects(version.checkpoint.version, clicks, "2090-01-01")
    assert bool(watch(settings, REF, [*before, *after])) is withdrawn
    assert (versions.serving(base.entry.sha256) is None) is withdrawn
    if withdrawn:
        (left,) = versions.all()
        assert left.state == "rolled back"
        assert "clicks per accepted object rose" in left.reason
