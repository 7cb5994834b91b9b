from __future__ import annotations

import pytest

from edgeflow_backend.protocol.project import MAX_ID_LENGTH, ProjectRef


@pytest.mark.parametrize(
    ("project", "host", "key"),
    [
        ("12.1714816000", "", "12"),
        ("12", "team-b", "team-b/12"),
        (12, "", "12"),
        (None, "", ""),
        ("", "team-b", "team-b/"),
        ("9" * 1000, "", "9" * MAX_ID_LENGTH),
    ],
)
def test_projects_of_several_label_studios_are_told_apart(
    project: object, host: str, key: str
) -> None:
    assert str(ProjectRef.parse(project, host)) == key
