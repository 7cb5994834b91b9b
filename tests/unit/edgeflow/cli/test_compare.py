"""``edgeflow compare``."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from edgeflow.cli import app
from edgeflow.cli.export import INCOMPLETE
from tests.unit.edgeflow.data.making import encoded, image_file, put, put_json
from tests.unit.edgeflow.data.test_label_studio import brush, polygon, region, task
from tests.unit.edgeflow.export.exported import serve_project
from tests.unit.edgeflow.label_studio.api.test_client import LEGACY
from tests.unit.edgeflow_backend.loopback import Host, Reply

CONFIG = '<View><Image name="image" value="$image"/></View>'


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
    put(tmp_path, {"images/a.jpg": image_file()})


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["compare", *map(str, arguments)])


def annotated(**annotations: list[Any]) -> dict[str, Any]:
    """A task with annotations by annotators ``by<number>``."""
    made = [
        {
            "id": int(by[2:]),
            "completed_by": {"id": int(by[2:]), "email": f"{by}@example.com"},
            "result": results,
        }
        for by, results in annotations.items()
    ]
    return {**task(31), "annotations": made}


BOTH = annotated(
    by3=[brush(1, id="a"), brush(2, id="b")],
    by7=[brush(1, id="c"), {**polygon([[60, 25], [99, 25], [99, 75]]), "id": "d"}],
)


def project(name: str, *tasks: Any) -> str:
    put_json(Path(name), list(tasks))
    return name


TWO = ("--annotator", 3, "--annotator", 7)


def test_two_annotators_of_an_export_are_compared() -> None:
    result = run(project("pets.json", BOTH), *TWO, "-o", "out.json", "--sheet", "worst.png")
    assert result.exit_code == 0, result.output
    assert "A: pets, annotator 3\nB: pets, annotator 7\n1 images in both" in result.stdout
    assert "Cat       2     2     1       1       1  1.000         1.000" in result.stdout
    document = json.loads(Path("out.json").read_bytes())
    sides = [[each[side] and each[side]["key"] for side in "ab"] for each in document["objects"]]
    assert sides == [["a", "c"], ["b", None], [None, "d"]]
    with Image.open("worst.png") as sheet:
        assert sheet.width == 6 * 320
    assert "worst.png: the worst 3 objects, A yellow, B blue" in result.stdout
    assert "grey" not in result.stdout


def test_no_address_is_written() -> None:
    who = ("--annotator", "by3@example.com", "--annotator", "by7@example.com")
    result = run(project("pets.json", BOTH), *who, "-o", "out.json")
    assert result.exit_code == 0, result.output
    assert "@" not in Path("out.json").read_text()
    assert json.loads(Path("out.json").read_bytes())["all"]["both"] == 1


def test_an_annotator_is_compared_with_the_vote() -> None:
    result = run(project("pets.json", BOTH), "--annotator", 3, "--annotator", "vote")
    assert result.exit_code == 0, result.output
    assert "B: pets, vote" in result.stdout
    assert "B: left out: objects that no more than half of the annotators drew (2)" in result.stdout


def test_an_export_is_compared_with_another_layout() -> None:
    source = project("pets.json", task(31, brush(1), brush(2)))
    assert CliRunner().invoke(app, ["export", source, "-o", "coco"]).exit_code == 0
    put(Path("coco"), {"images/a.jpg": image_file()})
    result = run(source, "coco", "-o", "out.csv", "--sheet", "worst.jpg", "--worst", 1)
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(io.StringIO(Path("out.csv").read_text(), newline="")))
    assert [(row["iou"], row["boundary_iou"]) for row in rows] == [("1.0", "1.0")] * 2
    assert "the worst 1 objects" in result.stdout


def test_the_annotator_of_a_version_that_has_some_comes_first() -> None:
    project("pets.json", BOTH)
    old = project("old.json", task(31, brush(1, id="a")))
    result = run("pets.json", old, "--annotator", 7)
    assert result.exit_code == 0, result.output
    assert "A: pets, annotator 7\nB: old\n" in result.stdout


def test_images_that_are_not_at_hand_are_told() -> None:
    Path("images/a.jpg").unlink()
    result = run(project("pets.json", BOTH), *TWO, "--sheet", "worst.png")
    assert result.exit_code == 0, result.output
    assert "3 of them on grey, since the image is not at hand" in result.stdout


def test_objects_that_cannot_be_read_are_told_and_the_exit_code_says_so() -> None:
    torn = region("brushlabels", {})
    result = run(project("pets.json", annotated(by3=[brush(1), torn], by7=[brush(1)])), *TWO)
    assert result.exit_code == INCOMPLETE
    assert "A:   task 31: a brush region without `rle`" in result.stdout


def test_a_project_is_compared_over_the_api(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    serve_project(host, 7, CONFIG, [BOTH])
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", LEGACY)
    served = ("--url", host.url, "--project", 7)
    result = run(*served, *TWO)
    assert result.exit_code == 0, result.output
    assert "A: project 7, annotator 3" in result.stdout
    assert LEGACY not in result.output
    result = run(project("old.json", task(31, brush(1, id="a"))), *served)
    assert result.exit_code == 0, result.output
    assert "A: old\nB: project 7\n" in result.stdout


def test_pictures_of_a_project_are_fetched_for_the_sheet_alone(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve_project(host, 7, CONFIG, [BOTH])
    upload = "/data/upload/1/0a1b2c3d-a.jpg"
    host.routes[upload] = Reply(body=image_file())
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", LEGACY)
    served = ("--url", host.url, "--project", 7, *TWO)
    assert run(*served).exit_code == 0
    assert not host.asked(upload)
    result = run(*served, "--sheet", "worst.png")
    assert result.exit_code == 0, result.output
    assert "grey" not in result.stdout
    assert host.asked(upload)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "not clear"),
        (["pets.json"], "not clear"),
        (["pets.json", "--annotator", "3"], "not clear"),
        (["pets.json", *TWO, "--annotator", "5"], "not clear"),
        (["pets.json", "pets.json", "--project", "3"], "--url"),
        (["pets.json", "--annotator", "3", "--annotator", "all"], "at once"),
        (["pets.json", "--annotator", "3", "--annotator", "9"], "annotator 9: there is no"),
        (["pets.json", "other.json"], "no image in common"),
        (["pets.json", "nowhere.json"], "missing"),
        (["pets.json", *TWO, "-o", "out.txt"], ".json, .csv"),
        (["pets.json", *TWO, "-o", "pets.json"], "is read"),
        (["pets.json", *TWO, "--sheet", "worst.gif"], "ending"),
        (["pets.json", *TWO, "-o", "x.json", "--sheet", "x.json"], "ending"),
    ],
    ids=lambda each: " ".join(map(str, each)) if isinstance(each, list) else "",
)
def test_what_cannot_be_done_is_refused(arguments: list[Any], said: str) -> None:
    project("pets.json", BOTH)
    project("other.json", task(2, brush(1), image="b.jpg"))
    before = Path("pets.json").read_bytes()
    result = run(*arguments)
    assert result.exit_code == 1, result.output
    assert said in result.output
    assert "hint: " in result.output
    assert Path("pets.json").read_bytes() == before


def test_images_without_objects_make_no_sheet() -> None:
    for folder in ("one", "other"):
        masks = encoded(np.zeros((4, 6), dtype=np.uint8))
        put(Path(folder), {"images/a.jpg": image_file(), "masks/a.png": masks})
    result = run("one", "other", "--sheet", "worst.png")
    assert result.exit_code == 0, result.output
    assert "no object to draw" in result.stdout
    assert not Path("worst.png").exists()
