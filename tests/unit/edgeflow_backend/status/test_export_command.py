from __future__ import annotations

import shlex

import pytest
import typer

from edgeflow.cli.main import app
from edgeflow_backend.status.export_command import FROM_ENVIRONMENT, export_command

STUDIOS = {
    "": "https://labels.example",
    "team-b": "http://10.0.0.7:8080",
    "below": "https://example.org/t/3f9c8e/labels",
    "nowhere": "",
}


@pytest.mark.parametrize(
    ("project", "url"),
    [
        ("12", "https://labels.example"),
        ("team-b/7", "http://10.0.0.7:8080"),
        ("below/7", FROM_ENVIRONMENT),
        ("nowhere/7", FROM_ENVIRONMENT),
        ("gone/7", FROM_ENVIRONMENT),
    ],
)
def test_it_names_the_projects_own_label_studio(project: str, url: str) -> None:
    number = project.rpartition("/")[2]
    expected = f"edgeflow export --url {url} --project {number} -o project-{number}"
    assert export_command(project, STUDIOS) == expected


@pytest.mark.parametrize("project", ["", "team-b/", "x", "1;reboot", "$(id)", "1 2", "٣", "-1"])
def test_a_project_without_a_number_has_none(project: str) -> None:
    assert export_command(project, STUDIOS) == ""


@pytest.mark.parametrize(
    "url", ["http://a;reboot", "http://a`id`", "http://a$(id)", "javascript:x"]
)
def test_nothing_but_a_url_gets_into_a_shell(url: str) -> None:
    words = shlex.split(export_command("3", {"": url}).replace(FROM_ENVIRONMENT, "URL"))
    assert len(words) == 8
    assert words[3] in (url, "URL")
    for forbidden in (";", "`", "$("):
        assert forbidden not in words[0] + words[2] + "".join(words[4:])


def test_the_command_line_knows_every_option_of_it() -> None:
    program = typer.main.get_command(app)
    words = shlex.split(export_command("12", STUDIOS))
    command = program.commands[words[1]]  # type: ignore[attr-defined]  # a group
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= known
