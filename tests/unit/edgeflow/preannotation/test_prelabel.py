"""Boxes on a folder's images to tasks: every image once, whatever is broken or interrupted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeflow.data.base import DatasetError
from edgeflow.data.boxes import FloatBox, FoundBox, FoundPoint, ImageBoxes
from edgeflow.data.drawn_regions import read_regions, render
from edgeflow.geometry import Size
from edgeflow.inference.predictor import Predictor
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.label_studio.config.labels import Label
from edgeflow.label_studio.config.recommended import recommended_config
from edgeflow.masks.patch import MaskPatch
from edgeflow.preannotation.image_urls import BelowPrefix
from edgeflow.preannotation.journal import Journal
from edgeflow.preannotation.mask_controls import mask_controls
from edgeflow.preannotation.name_index import folder_index
from edgeflow.preannotation.prelabel import (
    FolderPrelabel,
    labels_in,
    mean_score,
    one_each,
    read_prompts,
)
from edgeflow.preannotation.regions import MaskedObject
from edgeflow.preannotation.segmenter import Segmenter
from edgeflow.preannotation.tasks import Report, TaskForm
from tests.unit.edgeflow.data.making import encoded, put
from tests.unit.edgeflow.samples import disk_image

DISK = FoundBox("disk", FloatBox(28, 18, 72, 62), 0.5)
NAMES = ("a.png", "b.png", "c.png")
CONFIG = recommended_config("Brush", [Label("disk")])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    image = encoded(disk_image(80, 100))
    return put(tmp_path / "photos", dict.fromkeys(NAMES, image))


def prompts(*names: str) -> list[ImageBoxes]:
    return [ImageBoxes(name, None, (DISK,)) for name in names or NAMES]


class Run:
    """A command's run."""

    def __init__(self, folder: Path, predictor: Predictor) -> None:
        controls = mask_controls(parse_label_config(CONFIG).for_task(None))
        self.segmenter = Segmenter(predictor)
        self.report = Report()
        self._folder = folder
        self._run = FolderPrelabel(
            folder, folder_index(folder), self.segmenter, controls, BelowPrefix("/"), TaskForm()
        )

    def steps(self, found: list[ImageBoxes], journal: Journal) -> Iterator[ImageBoxes]:
        return self._run.run(found, journal, self.report)

    def tasks(self, found: list[ImageBoxes]) -> list[dict[str, Any]]:
        """Run to the end; the tasks that were written."""
        output = self._folder.parent / "tasks.json"
        with Journal(self._folder.parent / "journal", "run") as journal:
            assert list(self.steps(found, journal)) == found
            self._run.write(found, journal, output)
        tasks: list[dict[str, Any]] = json.loads(output.read_bytes())
        return tasks


def test_each_box_becomes_a_region_with_its_scores(folder: Path, predictor: Predictor) -> None:
    run = Run(folder, predictor)
    tasks = run.tasks(prompts())
    assert [each["data"] for each in tasks] == [{"image": f"/{name}"} for name in NAMES]
    assert (run.report.count["tasks"], run.report.count["objects"]) == (3, 3)
    for each in tasks:
        (prediction,) = each["predictions"]
        (region,) = prediction["result"]
        assert region["meta"] == {"detection": {"score": 0.5}}
        assert prediction["score"] == region["score"]
        (drawn,) = read_regions([region], "").regions
        mask = render(drawn, Size(80, 100), "")
        assert isinstance(mask, np.ndarray)
        disk = disk_image(80, 100)[..., 0] == 220
        assert (mask & disk).sum() / (mask | disk).sum() > 0.8
    assert len({each["predictions"][0]["result"][0]["id"] for each in tasks}) == 3


def test_one_broken_image_never_stops_the_run(folder: Path, predictor: Predictor) -> None:
    (folder / "b.png").write_bytes(b"torn")
    (folder / "other").mkdir()
    (folder / "other" / "c.png").write_bytes(b"")
    run = Run(folder, predictor)
    found = [*prompts("missing.png", "b.png", "c.png", "a.png"), ImageBoxes("none.png", None, ())]
    tasks = run.tasks(found)
    assert [each["data"]["image"] for each in tasks] == ["/a.png"]
    reasons = {each.fault: each.reason for each in run.report.left_out}
    assert "no such image" in reasons["missing.png"]
    assert "not a readable image" in reasons["b.png"]
    assert "2 images are called" in reasons["c.png"]
    assert reasons[""] == "images without a box or point"
    assert not run.report.complete


def test_an_interrupted_run_goes_on_and_writes_what_a_whole_one_does(
    folder: Path, predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Run(folder, predictor).tasks(prompts())
    (folder.parent / "journal").unlink()
    (folder / "b.png").rename(folder / "away")
    first = Run(folder, predictor)
    with Journal(folder.parent / "journal", "run") as journal:
        steps = first.steps(prompts(), journal)
        next(steps), next(steps)
    (folder / "away").rename(folder / "b.png")
    second = Run(folder, predictor)
    encode = second.segmenter.predictor.encode
    seen: list[int] = []

    def counting(_: Predictor, *args: Any, **kwargs: Any) -> Any:
        seen.append(1)
        return encode(*args, **kwargs)

    monkeypatch.setattr(Predictor, "encode", counting)
    assert second.tasks(prompts()) == whole
    assert len(seen) == 2
    assert (second.report.count["there"], second.report.count["tasks"]) == (1, 2)
    assert second.report.count["objects"] == 3


def test_what_was_lost_earlier_is_told_again(folder: Path, predictor: Predictor) -> None:
    outside = FoundBox("disk", FloatBox(500, 0, 600, 10))
    found = [ImageBoxes("a.png", None, (DISK, outside))]
    reports = []
    for _ in range(2):
        run = Run(folder, predictor)
        run.tasks(found)
        reports.append(run.report)
    assert reports[0].left_out == reports[1].left_out != []
    assert reports[0].count["objects"] == reports[1].count["objects"] == 1


def test_boxes_of_several_files_on_one_image_come_together(tmp_path: Path) -> None:
    shape = '{"label": "%s", "shape_type": "rectangle", "points": [[1, 2], [3, 4]]}'
    text = '{"shapes": [%s], "imagePath": "a.jpg", "imageHeight": %d, "imageWidth": 60}'
    files = {
        "1.json": text % (shape % "x", 40),
        "2.json": text % (shape % "y", 40),
        "3.json": text % (shape % "z", 99),
        "4.json": "torn",
    }
    put(tmp_path, {name: data.encode() for name, data in files.items()})
    report = Report()
    (found,) = read_prompts(tmp_path, None, report)
    assert labels_in([found]) == ["x", "y"]
    assert [each.fault for each in report.left_out] == ["a.jpg", "4.json"]


def test_a_table_is_read_by_its_ending(tmp_path: Path) -> None:
    put(tmp_path, {"t.CSV": b"image,label,x,y\na.jpg,cat,1,2\n", "empty.csv": b"image,x,y\n"})
    (found,) = read_prompts(tmp_path / "t.CSV", None, Report())
    assert found.points == (FoundPoint("cat", 1, 2),)
    with pytest.raises(DatasetError, match="no box or point"):
        read_prompts(tmp_path / "empty.csv", None, Report())


def test_the_score_of_a_prediction_is_the_mean() -> None:
    mask = MaskPatch.of(np.ones((1, 1), dtype=np.bool_))
    objects = [MaskedObject(str(score), (), mask, score) for score in (0.25, 0.75, None)]
    assert mean_score(objects) == 0.5
    assert mean_score(objects[2:]) is None


def test_an_image_that_changed_is_done_again(folder: Path, predictor: Predictor) -> None:
    before = Run(folder, predictor).tasks(prompts())
    put(folder, {"a.png": encoded(disk_image(90, 100))})
    (folder / "c.png").unlink()
    again = Run(folder, predictor)
    after = again.tasks(prompts())
    assert (again.report.count["there"], again.report.count["tasks"]) == (1, 1)
    assert [each.fault for each in again.report.left_out] == ["c.png"]
    assert [each["data"]["image"] for each in after] == ["/a.png", "/b.png"]
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_names_of_one_image_are_one(folder: Path) -> None:
    report = Report()
    found = [*prompts("a.png", "photos/a.png", "a", "b.png", "none.png", "x/none.png")]
    found.append(ImageBoxes("x/b.png", Size(1, 1), (DISK,)))
    joined = one_each(found, folder_index(folder).find, report)
    names = [(each.file_name, len(each.boxes)) for each in joined]
    assert names == [("a.png", 3), ("b.png", 1), ("none.png", 1), ("x/none.png", 1)]
    assert [each.fault for each in report.left_out] == ["x/b.png"]
