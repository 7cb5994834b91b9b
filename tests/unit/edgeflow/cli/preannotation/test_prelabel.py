"""``edgeflow prelabel``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from edgeflow.cli import app
from edgeflow.cli.preannotation.options import INCOMPLETE
from edgeflow.cli.preannotation.prelabel import journal_of
from edgeflow.label_studio.config.label_config import parse_label_config
from tests.unit.edgeflow.data.making import put
from tests.unit.edgeflow.label_studio.api.test_client import LEGACY
from tests.unit.edgeflow.preannotation.studio import PROJECT, FakeStudio
from tests.unit.edgeflow.samples import PHOTOS
from tests.unit.edgeflow_backend.loopback import Host

TABLE = b"image,label,x1,y1,x2,y2,score\ncoins.jpg,coin,21,20,77,79,0.9\ncoins,cup,1,1,9,9,0.1\n"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    shutil.copy(PHOTOS / "coins.jpg", tmp_path / "photos")
    put(tmp_path, {"boxes.csv": TABLE, "lost.csv": TABLE + b"nobody.jpg,coin,1,1,9,9,1\n"})


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["prelabel", *map(str, arguments)])


def test_tasks_and_a_config_are_written_and_the_journal_goes() -> None:
    result = run("boxes.csv", "--images", "photos", "--min-score", 0.5)
    assert result.exit_code == 0, result.output
    assert "tasks.json: 1 tasks, 1 masks" in result.stdout
    assert "boxes and points below --min-score (1)" in result.stdout
    (task,) = json.loads(Path("tasks.json").read_bytes())
    (prediction,) = task["predictions"]
    assert prediction["model_version"].startswith(f"prelabel {DEFAULT_MODEL}")
    assert 0 < prediction["score"] <= 1
    assert not journal_of(Path("tasks.json")).exists()
    config = parse_label_config(Path("tasks.xml").read_text()).for_task(None)
    assert [each.value for each in config.controls[0].labels] == ["coin", "cup"]


def test_a_second_run_tries_only_what_failed() -> None:
    result = run("lost.csv", "--images", "photos", "--min-score", 0.5, "--control", "polygon")
    assert result.exit_code == INCOMPLETE
    assert "nobody.jpg: there is no such image" in result.output
    assert journal_of(Path("tasks.json")).exists()
    shutil.copy(PHOTOS / "cat.jpg", "photos/nobody.jpg")
    again = run("lost.csv", "--images", "photos", "--min-score", 0.5, "--control", "polygon")
    assert "tasks.json: 2 tasks" in again.output
    assert "1 of them by an earlier run" in again.output


def test_other_options_are_another_run() -> None:
    assert run("lost.csv", "--images", "photos").exit_code == INCOMPLETE
    again = run("lost.csv", "--images", "photos", "--label-config", "tasks.xml", "--tolerance", 2)
    assert "earlier run" not in again.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--images"),
        (["--images", "nowhere"], "no folder"),
        (["--images", "photos", "-o", "boxes.csv"], "is read"),
        (["--images", "photos", "--control", "x"], "brush, bitmask, polygon"),
        (["--images", "photos", "--model", "none"], "none"),
        (["--project", "3"], "--url"),
        (["--project", "3", "--label-config", "tasks.xml"], "of its own"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_what_cannot_be_done_is_refused(options: list[str], said: str) -> None:
    result = run("boxes.csv", *options)
    assert result.exit_code == 1
    assert "hint: " in result.output
    assert said in result.output
    assert not Path("tasks.json").exists()


def test_a_project_gets_predictions_and_is_told_what_it_shows(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = FakeStudio(host, model_version="other")
    path = f"upload/{PROJECT}/0a1b2c3d-coins.jpg"
    studio.files[path] = (PHOTOS / "coins.jpg").read_bytes()
    studio.show(f"/data/{path}")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", LEGACY)
    options = ("--url", host.url, "--project", PROJECT, "--label", "cat")
    put(Path(), {"points.csv": b"image,x,y\ncoins.jpg,49,49\n"})
    result = run("points.csv", *options)
    assert result.exit_code == 0, result.output
    assert "1 masks; predictions for 1 tasks, 0 new tasks, 0 were there" in result.stdout
    assert "the project shows the predictions of 'other'" in result.stdout
    assert LEGACY not in result.output
    assert studio.results() == [1]
