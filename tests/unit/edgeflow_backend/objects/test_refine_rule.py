from __future__ import annotations

import pytest

from edgeflow.label_studio.api.records import Project
from edgeflow_backend.label_studio.projects import Unknown
from edgeflow_backend.objects.refine_rule import Setting, refine_rule

MUTE = Unknown("no token is set (set LABEL_STUDIO_API_KEY)")


def project(overlap: int | None) -> Project:
    return Project(1, "coins", "", overlap)


@pytest.mark.parametrize(
    ("setting", "told", "where", "says"),
    [
        ("auto", project(1), "annotations", "one person annotates each task"),
        ("auto", project(2), "drafts", "2 people annotate each task"),
        ("auto", project(0), "drafts", "does not say"),
        ("auto", project(None), "drafts", "does not say"),
        ("auto", MUTE, "drafts", "LABEL_STUDIO_API_KEY"),
        ("drafts", project(1), "drafts", "EDGEFLOW_REFINE=drafts"),
        ("off", project(1), "off", "EDGEFLOW_REFINE=off"),
        ("annotations", MUTE, "annotations", "EDGEFLOW_REFINE=annotations"),
        ("annotations", project(1), "annotations", "EDGEFLOW_REFINE=annotations"),
        ("annotations", project(3), "annotations", "although 3 people annotate each task"),
    ],
    ids=str,
)
def test_where_a_click_looks_and_why(
    setting: Setting, told: Project | Unknown, where: str, says: str
) -> None:
    rule = refine_rule(setting, told)
    assert rule.where == where
    assert rule.remembers == (where == "annotations")
    assert says in rule.text
    assert rule.text.endswith(".")


@pytest.mark.parametrize(
    ("setting", "told", "advised"),
    [
        ("auto", project(1), False),
        ("auto", project(2), False),
        ("auto", MUTE, True),
        ("annotations", project(1), False),
        ("annotations", project(2), True),
        ("drafts", project(2), False),
    ],
    ids=str,
)
def test_what_is_not_well_comes_with_advice(
    setting: Setting, told: Project | Unknown, advised: bool
) -> None:
    assert bool(refine_rule(setting, told).advice) == advised
