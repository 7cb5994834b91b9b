"""Another tool's boxes become masks in a real Label Studio, once each."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from edgeflow import load_predictor
from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from edgeflow.geometry import Box
from edgeflow.images import decode_image
from edgeflow.label_studio.bitmask_png import OPAQUE
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow.label_studio.config.labels import Label
from edgeflow.label_studio.config.recommended import recommended_config
from edgeflow.prompts.outline import Outline
from tests.e2e.conftest import PHOTOS, Studio
from tests.e2e.test_import import run, stored
from tests.unit.edgeflow.data.making import put_json

pytestmark = pytest.mark.e2e

BOXES = {
    "coins.jpg": (21, 20, 56, 59),
    "cat.jpg": (60, 20, 330, 270),
    "rocket.jpg": (200, 50, 100, 300),
}
"""x, y, width and height."""


def detections(folder: Path) -> Path:
    """Detections as COCO, one on each photograph, and one on a photograph that nobody has."""
    names = [*BOXES, "nobody.jpg"]
    boxes = [*BOXES.values(), (1, 1, 9, 9)]
    document = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(names)],
        "annotations": [
            {"id": number, "image_id": number, "category_id": 1, "bbox": list(box), "score": 0.75}
            for number, box in enumerate(boxes)
        ],
        "categories": [{"id": 1, "name": "Thing"}],
    }
    return put_json(folder / "boxes.json", document)


def expected(name: str) -> Any:
    """What the predictor itself makes of a photograph's box."""
    predictor = load_predictor()
    x, y, width, height = BOXES[name]
    image = predictor.encode(decode_image((PHOTOS / name).read_bytes()))
    return predictor.predict(image, [], start=Outline(Box(y, x, y + height, x + width)))


def test_detections_become_predictions_of_a_project_once(studio: Studio, tmp_path: Path) -> None:
    config = recommended_config("Brush", [Label("Thing")])
    project = studio.client.create_project("prelabel", config)["id"]
    studio.client.import_images(project, [PHOTOS / "coins.jpg", PHOTOS / "cat.jpg"])
    arguments = ("prelabel", detections(tmp_path), "--project", project)
    first = run(studio, *arguments)
    assert first.exit_code == 3, first.output
    assert "predictions for 2 tasks, 0 new tasks, 0 were there" in first.output
    for lost in ("rocket.jpg", "nobody.jpg"):
        assert f"{lost}: there is no such image in project {project}" in first.output
    tasks = stored(studio, project)
    for task, name in zip(tasks, ("coins.jpg", "cat.jpg"), strict=True):
        (prediction,) = task["predictions"]
        (region,) = prediction["result"]
        answer = expected(name)
        mask = decode_brush(bytes(region["value"]["rle"]), answer.patch.image_size) > OPAQUE
        assert (mask == answer.mask).all()
        assert region["score"] == pytest.approx(answer.score, abs=1e-6)
        assert prediction["score"] == pytest.approx(answer.score, abs=1e-6)
        assert prediction["model_version"].startswith(f"prelabel {DEFAULT_MODEL}-")
        assert region["value"]["brushlabels"] == ["Thing"]
        assert region["meta"] == {"detection": {"score": 0.75}}

    again = run(studio, *arguments)
    assert "0 masks; predictions for 0 tasks, 0 new tasks, 2 were there" in again.output
    assert stored(studio, project) == tasks


def test_a_folder_becomes_new_tasks_of_a_project_once(studio: Studio, tmp_path: Path) -> None:
    config = recommended_config("Polygon", [Label("Thing")])
    project = studio.client.create_project("prelabel a folder", config)["id"]
    studio.client.import_images(project, [PHOTOS / "coins.jpg"])
    folder = tmp_path / "my photos"
    folder.mkdir()
    for name in BOXES:
        shutil.copy(PHOTOS / name, folder)
    (folder / "cat.jpg").write_bytes(b"torn")
    arguments = ("prelabel", detections(tmp_path), "--project", project, "--images", folder)
    first = run(studio, *arguments)
    assert first.exit_code == 3, first.output
    assert "predictions for 1 tasks, 1 new tasks, 0 were there" in first.output
    assert "cat.jpg: not a readable image" in first.output
    tasks = stored(studio, project)
    assert [len(task["predictions"]) for task in tasks] == [1, 1]
    assert {region["type"] for task in tasks for region in task["predictions"][0]["result"]} == {
        "polygonlabels"
    }
    shutil.copy(PHOTOS / "cat.jpg", folder)
    again = run(studio, *arguments)
    assert "predictions for 0 tasks, 1 new tasks, 2 were there" in again.output
    assert stored(studio, project)[:2] == tasks
