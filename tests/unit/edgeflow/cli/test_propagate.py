"""``edgeflow propagate`` over a folder of frames, with the shipped weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, find
from edgeflow.cli import app
from edgeflow.cli.image_output import encode_numbers
from tests.unit.edgeflow.preannotation.studio import PROJECT, FakeStudio
from tests.unit.edgeflow.sequences.moving import COUNT, disk, iou, picture
from tests.unit.edgeflow.sequences.test_project import PAGES, annotate, region
from tests.unit.edgeflow_backend.loopback import Host


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames called f1.png, f2.png … f10.png …: the fourth in the folder is the last in order."""
    folder = tmp_path_factory.mktemp("frames")
    for number in range(COUNT):
        Image.fromarray(picture(number)).save(folder / f"f{7 + number}.png")
    (folder / "tasks.json").write_text("[]")
    return folder


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """An index mask of the third frame: the disk is 2, a corner 7, the rest 0."""
    numbers = np.where(disk(2), 2, 0).astype(np.uint8)
    numbers[90:115, 5:40] = 7
    (tmp_path / "f9.png").write_bytes(encode_numbers(numbers))
    return tmp_path / "f9.png"


def propagate(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["propagate", *map(str, arguments)])


def numbers_in(path: Path) -> npt.NDArray[np.integer[Any]]:
    with Image.open(path) as image:
        return np.asarray(image)


def scores_in(folder: Path) -> dict[str, dict[str, float | None]]:
    document = json.loads((folder / "scores.json").read_text())
    return {each["frame"]: each["scores"] for each in document["frames"]}


def test_clicks_on_one_frame_give_masks_of_all(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = propagate(folder, "--frame", "f8", "--click", "55,60", "-o", out)
    assert result.exit_code == 0, result.output
    assert "1 object on 5 of 5 frames" in result.output
    scores = scores_in(out)
    assert list(scores) == [f"f{number}.png" for number in range(7, 12)]
    for number in range(COUNT):
        assert iou(numbers_in(out / f"f{7 + number}.png") == 1, disk(number)) > 0.85
        score = scores[f"f{7 + number}.png"]["1"]
        assert score is not None
        assert 0.4 <= score <= 1
    before = {path.name for path in folder.iterdir()}
    assert before == {"tasks.json", *(f"f{number}.png" for number in range(7, 12))}


def test_objects_of_an_index_mask_keep_their_numbers(
    folder: Path, masks: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = ("--direction", "forward", "--least-score", 0.1, "-o", out)
    result = propagate(folder, "--mask", masks, *options)
    assert result.exit_code == 0, result.output
    assert not (out / "f8.png").exists()
    assert (numbers_in(out / "f9.png") == numbers_in(masks)).all()
    assert scores_in(out)["f9.png"] == {"2": None, "7": None}
    last = numbers_in(out / "f11.png")
    assert set(np.unique(last).tolist()) <= {0, 2, 7}
    assert iou(last == 2, disk(4)) > 0.85


def test_a_correction_ends_the_way_of_an_earlier_mask(folder: Path, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    for number, mask in ((0, disk(0)), (3, np.zeros_like(disk(0)))):
        Image.fromarray(mask.astype(np.uint8) * 255).save(given / f"f{7 + number}.png")
    result = propagate(folder, "--mask", given, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert list(scores_in(tmp_path / "out")) == ["f7.png", "f8.png", "f9.png"]


def test_a_frame_that_is_torn_ends_the_way_and_is_told(
    folder: Path, masks: Path, tmp_path: Path
) -> None:
    torn = tmp_path / "torn"
    torn.mkdir()
    for path in folder.glob("*.png"):
        data = path.read_bytes()
        (torn / path.name).write_bytes(data[:99] if path.name == "f10.png" else data)
    result = propagate(torn, "--mask", masks, "-o", tmp_path / "out")
    assert result.exit_code == 3, result.output
    assert "f10.png" in result.output
    assert {"f7.png", "f8.png", "f9.png"} == set(scores_in(tmp_path / "out"))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ((), "there is no object to carry"),
        (("--mask", "MASKS"), "there is no frame 'other'"),
        (("--click", "3,3", "--frame", "f99"), "there is no frame 'f99'"),
        (("--click", "3,3", "--dry-run"), "--dry-run is for a project"),
        (("--click", "3,3", "-o", "FRAMES"), "is not empty"),
        (("--click", "3,3", "--project", "4"), "is not clear"),
    ],
)
def test_what_says_too_little_is_refused_before_the_model_is_loaded(
    options: tuple[str, ...],
    reason: str,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edgeflow.cli.sequences.propagate.load_predictor", None)
    (tmp_path / "other.png").write_bytes(encode_numbers(disk(0).astype(np.uint8)))
    named = {"MASKS": str(tmp_path / "other.png"), "FRAMES": str(folder)}
    result = propagate(folder, "-o", tmp_path / "out", *(named.get(each, each) for each in options))
    assert result.exit_code == 1
    assert reason in result.output.replace("\n", " ")
    assert not (tmp_path / "out").exists()


def test_a_mask_of_another_size_or_without_an_object_is_told(folder: Path, tmp_path: Path) -> None:
    Image.new("L", (9, 9), 255).save(tmp_path / "f7.png")
    result = propagate(folder, "--mask", tmp_path / "f7.png", "-o", tmp_path / "out")
    assert result.exit_code == 3
    assert "the mask of page 1 is 9×9" in result.output
    Image.new("L", (160, 120)).save(tmp_path / "f7.png")
    result = propagate(folder, "--mask", tmp_path / "f7.png", "-o", tmp_path / "more")
    assert result.exit_code == 1
    assert "the masks hold no object" in result.output


def test_a_project_is_told_and_needs_a_token(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    FakeStudio(host, PAGES)
    project = ("--url", host.url, "--project", PROJECT, "--dry-run")
    assert "there is no token" in propagate(*project).output
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "t" * 40)
    result = propagate(*project)
    assert result.exit_code == 0, result.output
    assert "project 7: nothing was changed; 0 tasks had theirs already" in result.output


def test_a_dry_run_counts_what_this_model_has_predicted_and_loads_no_weights(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = FakeStudio(host, PAGES)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "t" * 40)
    made = {"model_version": f"propagate {find(DEFAULT_MODEL).version}", "result": []}
    annotate(studio, region(1))
    annotate(studio, region(1))
    studio.tasks[0]["predictions"] = [made]
    monkeypatch.setattr("edgeflow.cli.sequences.propagate.load_predictor", None)
    result = propagate("--url", host.url, "--project", PROJECT, "--dry-run")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[0] == "task 2: 1 object on 1 of 5 pages"
    assert "project 7: nothing was changed; 1 task had theirs already" in result.output
    result = propagate("--url", host.url, "--project", PROJECT, "--dry-run", "--model", "none")
    assert "no model named 'none'" in result.output
