from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeflow_backend.connect.command import run
from edgeflow_backend.connect.sample import TITLE
from edgeflow_backend.doctor.finding import Finding
from edgeflow_backend.settings import Settings
from tests.unit.edgeflow_backend.loopback import Host
from tests.unit.edgeflow_backend.studio import LEGACY, PROJECT, Studio

URL = "http://backend:9090"


@pytest.fixture
def studio(host: Host) -> Studio:
    return Studio(host)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for name in ("b.JPG", "a.png", "notes.txt"):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def report(studio: Studio, project: int | None = None, **arguments: Any) -> list[Finding]:
    settings = Settings(
        label_studio_url=studio.host.url, label_studio_api_key=LEGACY, backend_url=URL
    )
    return list(run(settings, project, **arguments))


def test_a_project_is_connected_under_the_settings_url(studio: Studio) -> None:
    findings = report(studio, PROJECT)
    assert {finding.verdict for finding in findings} == {"ok"}
    assert studio.backends[0]["url"] == URL


def test_the_url_may_be_named(studio: Studio) -> None:
    report(studio, PROJECT, url="http://there:9091/")
    assert studio.backends[0]["url"] == "http://there:9091"


def test_a_further_label_studio_gets_its_route(studio: Studio) -> None:
    studios = {"team-b": {"url": studio.host.url, "api_key": LEGACY}}
    settings = Settings(label_studio_hosts=studios, backend_url=URL)
    assert {each.verdict for each in run(settings, PROJECT, host="team-b")} == {"ok"}
    assert studio.backends[0]["url"] == f"{URL}/hosts/team-b"


def test_a_first_project_is_made_with_pictures_and_connected(
    studio: Studio, pictures: Path
) -> None:
    studio.projects.clear()
    findings = report(studio, sample=pictures)
    assert {finding.verdict for finding in findings} == {"ok"}
    (project,) = studio.projects
    assert project["title"] == TITLE
    (upload,) = studio.host.asked(f"/api/projects/{project['id']}/import")
    assert b'filename="a.png"' in upload.body
    assert b'filename="b.JPG"' in upload.body
    assert b"notes.txt" not in upload.body
    assert len(studio.backends) == len(studio.webhooks) == 1
    again = report(studio, sample=pictures)
    assert {finding.verdict for finding in again} == {"ok"}
    assert len(studio.projects) == len(studio.backends) == len(studio.webhooks) == 1


def test_beside_other_projects_no_sample_appears(studio: Studio, pictures: Path) -> None:
    (finding,) = report(studio, sample=pictures)
    assert finding.verdict == "ok"
    assert "other projects" in finding.text
    assert studio.writes() == []


def test_a_sample_without_its_pictures_is_not_left_behind(studio: Studio, pictures: Path) -> None:
    studio.projects.clear()
    studio.uploads_fail = True
    (failure,) = report(studio, sample=pictures)
    assert failure.verdict == "fail"
    assert studio.projects == []


def test_pictures_that_are_not_there_are_told(studio: Studio, tmp_path: Path) -> None:
    studio.projects.clear()
    (failure,) = report(studio, sample=tmp_path / "none")
    assert "cannot be read" in failure.text
    assert studio.projects == []


@pytest.mark.parametrize(
    ("changes", "arguments", "said"),
    [
        ({}, {}, "--project"),
        ({}, {"project": 1, "sample": Path()}, "--sample"),
        ({}, {"project": 1, "host": "nobody"}, "EDGEFLOW_LABEL_STUDIO_HOSTS"),
        ({"label_studio_url": ""}, {"project": 1}, "LABEL_STUDIO_URL"),
        ({"label_studio_api_key": ""}, {"project": 1}, "LABEL_STUDIO_API_KEY"),
        ({"backend_url": ""}, {"project": 1}, "EDGEFLOW_BACKEND_URL"),
        ({}, {"project": 1, "url": "backend:9090"}, "without a password"),
    ],
    ids=["none", "both", "host", "studio", "token", "url", "no-url"],
)
def test_what_is_missing_is_told(
    host: Host, changes: dict[str, Any], arguments: dict[str, Any], said: str
) -> None:
    fields = {"label_studio_url": host.url, "label_studio_api_key": LEGACY, "backend_url": URL}
    settings = Settings(**{**fields, **changes})
    (failure,) = run(settings, arguments.pop("project", None), **arguments)
    assert failure.verdict == "fail"
    assert said in failure.advice
    assert host.received == []
