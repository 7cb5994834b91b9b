"""``edgeflow import``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from edgeflow.cli import app
from edgeflow.cli.preannotation.options import INCOMPLETE
from edgeflow.label_studio.config.label_config import parse_label_config
from tests.unit.edgeflow.data.making import encoded, image_file, put
from tests.unit.edgeflow.data.test_opening import TREES, make
from tests.unit.edgeflow.label_studio.api.test_client import LEGACY
from tests.unit.edgeflow.preannotation.studio import PROJECT, FakeStudio
from tests.unit.edgeflow.samples import disk_image
from tests.unit.edgeflow_backend.loopback import Host

CONFIG = (
    '<View><Image name="photo" value="$url"/>'
    '<PolygonLabels name="outline" toName="photo"><Label value="cat"/></PolygonLabels>'
    '<BrushLabels name="paint" toName="photo"><Label value="cat"/></BrushLabels></View>'
)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "data", "coco")
    put(tmp_path, {"config.xml": CONFIG.encode()})


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, arguments)])


def test_tasks_and_a_config_are_written_and_counted() -> None:
    result = run("data")
    assert result.exit_code == 0, result.output
    assert "tasks.json: 1 tasks, 1 objects" in result.stdout
    assert "tasks.xml: the labelling config" in result.stdout
    (task,) = json.loads(Path("tasks.json").read_bytes())
    assert task["data"] == {"image": "/data/local-files/?d=a.jpg"}
    assert task["predictions"][0]["model_version"] == "import"
    parse_label_config(Path("tasks.xml").read_text())


@pytest.mark.parametrize(
    ("control", "name"), [("polygon", "outline"), ("brush", "paint"), (None, "paint")]
)
def test_names_are_those_of_the_config(control: str | None, name: str) -> None:
    options = ["--control", control] if control else []
    result = run("data", "--label-config", "config.xml", "--image-url-prefix", "s3://b/", *options)
    assert result.exit_code == 0, result.output
    (task,) = json.loads(Path("tasks.json").read_bytes())
    assert task["data"] == {"url": "s3://b/a.jpg"}
    (region,) = task["predictions"][0]["result"]
    assert (region["from_name"], region["to_name"]) == (name, "photo")
    assert not Path("tasks.xml").exists()


def test_annotations_and_local_files() -> None:
    result = run("data", "--as", "annotations", "--local-files", ".")
    assert result.exit_code == 0, result.output
    (task,) = json.loads(Path("tasks.json").read_bytes())
    assert task["data"] == {"image": "/data/local-files/?d=data/val/a.jpg"}
    assert len(task["annotations"][0]["result"]) == 1


def test_what_is_lost_is_named_and_the_exit_code_says_so() -> None:
    masks = {f"f/masks/{name}.png": TREES["folder"]["masks/a.png"] for name in "ab"}
    put(Path(), {**masks, "f/images/a.jpg": image_file(), "f/images/b.jpg": b"torn"})
    result = run("f")
    assert result.exit_code == INCOMPLETE
    assert "  b: " in result.output
    assert len(json.loads(Path("tasks.json").read_bytes())) == 1


def test_polygons_tell_what_they_keep() -> None:
    disk = (disk_image(80, 100)[..., 0] == 220).astype(np.uint8)
    put(Path("f"), {"images/a.jpg": image_file(80, 100), "masks/a.png": encoded(disk)})
    result = run("f", "--control", "polygon", "--tolerance", 5)
    (kept,) = re.findall(r"polygons keep at least (0\.\d+) of their masks", result.stdout)
    assert 0.95 < float(kept) < 1
    assert "0 of 1 less than 0.95" in result.stdout


def test_earlier_tasks_are_replaced_and_nothing_else() -> None:
    for _ in range(2):
        assert run("data", "-o", "data/tasks.json").exit_code == 0
    for output in ("data/annotations/instances_val.json", "config.xml"):
        before = Path(output).read_bytes()
        result = run("data", "--label-config", "config.xml", "-o", output)
        assert result.exit_code == 1
        assert "is read" in result.output
        assert Path(output).read_bytes() == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--control", "keypoint"], "brush, bitmask, polygon"),
        (["--as", "drafts"], "predictions, annotations"),
        (["--image-url-prefix", "x", "--local-files", "."], "one URL"),
        (["--local-files", "config.xml"], "no folder"),
        (["--project", "3"], "--url"),
        (["--project", "3", "--url", "http://127.0.0.1:1"], "no token"),
        (["--project", "3", "--label-config", "config.xml"], "of its own"),
        (["--label-config", "data/val/a.jpg"], "not a labelling config"),
        (["--layout", "voc"], "hint"),
        (["--label-config", "config.xml", "--control", "bitmask"], "no Bitmask control"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_what_cannot_be_done_is_refused(options: list[str], said: str) -> None:
    result = run("data", *options)
    assert result.exit_code == 1
    assert "hint: " in result.output
    assert said in result.output
    assert not Path("tasks.json").exists()


def test_a_project_gets_the_tasks_with_the_token_of_the_environment(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = FakeStudio(host, CONFIG, model_version="other")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", LEGACY)
    said = []
    for _ in range(2):
        result = run("data", "--url", host.url, "--project", PROJECT)
        assert result.exit_code == 0, result.output
        assert LEGACY not in result.output
        said.append(result.stdout)
    assert "1 tasks made with 1 objects, 0 were there" in said[0]
    assert "0 tasks made with 0 objects, 1 were there" in said[1]
    assert "the project shows the predictions of 'other': choose 'import'" in said[0]
    assert studio.results() == [1]
    assert not Path("tasks.json").exists()
