"""``edgeflow export`` and the lines of ``edgeflow datasets`` about what is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from edgeflow.cli import app
from edgeflow.cli.export import INCOMPLETE
from edgeflow.export.formats.coco import PATH
from tests.unit.edgeflow.data.making import image_file, put, put_json
from tests.unit.edgeflow.data.test_label_studio import brush, region, task
from tests.unit.edgeflow.data.test_left_out import POINT
from tests.unit.edgeflow.export.exported import serve_project
from tests.unit.edgeflow.label_studio.api.test_client import LEGACY
from tests.unit.edgeflow_backend.loopback import Host

CONFIG = '<View><Image name="image" value="$image"/></View>'


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
    put(tmp_path, {"images/a.jpg": image_file()})


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def project(*results: Any) -> str:
    put_json(Path("project.json"), [task(31, *results)])
    return "project.json"


def test_an_export_is_written_and_counted() -> None:
    result = run("export", project(brush(1), region("keypoint", POINT)), "-o", "out")
    assert result.exit_code == 0, result.output
    assert len(json.loads(Path("out", PATH).read_bytes())["annotations"]) == 1
    assert f"out/{PATH}" in result.stdout
    assert "1 images, 1 objects, 1 categories" in result.stdout
    assert "left out: results of type 'keypoint' (1)" in result.stdout


def test_a_mask_that_cannot_be_read_is_named_and_the_exit_code_says_so() -> None:
    source = project(brush(1), region("brushlabels", {}))
    result = run("export", source, "-o", "out")
    assert result.exit_code == INCOMPLETE
    assert "task 31: a brush region without `rle`" in result.output
    assert Path("out", PATH).is_file()


def test_a_second_run_writes_the_same_bytes() -> None:
    source = project(brush(1), brush(2))
    runs = []
    for _ in range(2):
        assert run("export", source, "-o", "out").exit_code == 0
        runs.append(Path("out", PATH).read_bytes())
    assert runs[0] == runs[1]


def test_nothing_to_export_is_an_error_that_says_what_was_there() -> None:
    result = run("export", project(region("keypoint", POINT)), "-o", "out")
    assert result.exit_code == 1
    assert "nothing to export" in result.output
    assert "results of type 'keypoint' (1)" in result.output
    assert not Path("out").exists()


def test_a_project_without_tasks_has_nothing_to_export() -> None:
    put_json(Path("project.json"), [])
    result = run("export", "project.json", "-o", "out")
    assert result.exit_code == 1
    assert "there is nothing to export\n0 images" in result.output
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["export"], "not clear"),
        (["export", "project.json", "--project", "3"], "not clear"),
        (["export", "--project", "3"], "--url"),
        (["export", "--project", "3", "--url", "http://127.0.0.1:1"], "no token"),
        (["export", "project.json", "--format", "coko"], "choose coco"),
        (["export", "project.json", "--annotator", "9"], "nothing to export"),
        (["export", "nowhere.json"], "missing"),
        (["export", "project.json", "-o", "project.json"], "folder"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_what_cannot_be_done_is_refused(arguments: list[str], said: str) -> None:
    project(brush(1))
    result = run(*arguments)
    assert result.exit_code == 1, result.output
    assert said in result.output
    assert "hint: " in result.output


def test_an_export_never_replaces_what_it_reads() -> None:
    assert run("export", project(brush(1)), "-o", "data").exit_code == 0
    put(Path("data"), {"images/a.jpg": image_file()})
    before = Path("data", PATH).read_bytes()
    for source in ("data", f"data/{PATH}"):
        result = run("export", source, "-o", "data")
        assert result.exit_code == 1
        assert "is read" in result.output
    assert Path("data", PATH).read_bytes() == before


def test_a_project_is_exported_with_the_token_of_the_environment(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve_project(host, 7, CONFIG, [task(1, brush(1))])
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", LEGACY)
    result = run("export", "--url", host.url, "--project", 7, "-o", "out")
    assert result.exit_code == 0, result.output
    assert {each.headers["authorization"] for each in host.received} == {f"Token {LEGACY}"}
    assert Path("out", PATH).is_file()
    assert LEGACY not in result.output


def test_datasets_tells_what_it_leaves_out_beside_its_counts() -> None:
    torn = [region("brushlabels", {}), region("brushlabels", {"rle": [1, 2]})]
    result = run("datasets", project(brush(1), *torn, region("text", POINT)))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "all: 1 pictures, 1 objects"
    assert "left out: results of type 'text' (1)" in result.stderr
    assert "task 31: a brush region without `rle`" in result.stderr
    assert "task 31: the brush RLE is truncated" in result.stderr


def test_pictures_that_an_export_copied_stay_while_they_are_read() -> None:
    source = project(brush(1))
    assert run("export", source, "-o", "out", "--pictures", "copy").exit_code == 0
    assert run("export", source, "--images", "out/images", "-o", "out").exit_code == 0
    assert Path("out/images/a.jpg").is_file()


def test_an_export_beside_its_source_can_be_run_again() -> None:
    arguments = (project(brush(1)), "--images", "images", "-o", ".", "--format", "yolo-seg")
    for _ in range(2):
        assert run("export", *arguments).exit_code == 0
        assert Path("images/train/a.jpg").is_file()
        assert Path("images/a.jpg").is_file()
