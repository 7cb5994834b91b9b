"""A video becomes a task of a real Label Studio, and one page's mask predictions for the others."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from typer.testing import CliRunner

from demo.label_studio import TOKEN
from edgeflow.cli import app
from edgeflow.geometry import Size
from edgeflow.label_studio.bitmask_png import OPAQUE
from edgeflow.label_studio.brush_rle import decode_brush, encode_brush
from tests.e2e.conftest import ROOT, Studio
from tests.e2e.test_import import run, stored
from tests.unit.edgeflow.sequences.videos import SIZE, write_video

pytestmark = pytest.mark.e2e

COUNT = 8
WIDTH, HEIGHT = SIZE


@pytest.fixture
def served() -> Iterator[Path]:
    """A folder below the one whose files this Label Studio serves."""
    with tempfile.TemporaryDirectory(dir=ROOT / "tests" / "e2e", prefix=".frames-") as folder:
        yield Path(folder)


def region(page: int) -> dict[str, Any]:
    """The video's square on a page."""
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    mask[20:40, 10 + 2 * page : 30 + 2 * page] = True
    value = {"format": "rle", "rle": list(encode_brush(mask)), "brushlabels": ["Square"]}
    return {
        "id": f"square{page}",
        "type": "brushlabels",
        "from_name": "mask",
        "to_name": "image",
        "item_index": page,
        "original_width": WIDTH,
        "original_height": HEIGHT,
        "image_rotation": 0,
        "value": value,
    }


def test_a_mask_of_one_frame_becomes_predictions_for_the_others_once(
    studio: Studio, served: Path, tmp_path: Path
) -> None:
    video, out = write_video(tmp_path / "walk.mp4", COUNT), served / "walk"
    options = ("--local-files", ROOT, "--label", "Square", "--format", "png")
    made = CliRunner().invoke(app, [*map(str, ("frames", video, out, *options))])
    assert "8 frames of 96×64; 1 task" in made.output
    (task,) = json.loads((out / "tasks.json").read_text())
    config = (out / "config.xml").read_text()
    project = studio.client.create_project("frames", config)["id"]
    storage = {"project": project, "path": str(out), "use_blob_urls": True}
    studio.client.call("POST", "storages/localfiles", json=storage)
    annotated = {"annotations": [{"result": [region(2)]}], **task}
    studio.client.call("POST", f"projects/{project}/import", json=[annotated, task])
    page = requests.get(
        studio.url + task["data"]["pages"][3],
        headers={"Authorization": f"Token {TOKEN}"},
        timeout=60,
    )
    assert page.content == (out / "frame-000003.png").read_bytes()

    dry = run(studio, "propagate", "--project", project, "--dry-run")
    assert dry.exit_code == 0, dry.output
    number = stored(studio, project)[0]["id"]
    assert f"task {number}: 1 object on 1 of 8 pages" in dry.output
    assert stored(studio, project)[0]["predictions"] == []

    first = run(studio, "propagate", "--project", project)
    assert first.exit_code == 0, first.output
    assert "7 masks; predictions for 1 task, 0 tasks had theirs already" in first.output
    tasks = stored(studio, project)
    assert [len(task["predictions"]) for task in tasks] == [1, 0]
    (prediction,) = tasks[0]["predictions"]
    found = {each["item_index"]: each for each in prediction["result"]}
    assert sorted(found) == [0, 1, 3, 4, 5, 6, 7]
    for number, each in found.items():
        mask = decode_brush(bytes(each["value"]["rle"]), Size(HEIGHT, WIDTH)) > OPAQUE
        truth = decode_brush(bytes(region(number)["value"]["rle"]), Size(HEIGHT, WIDTH)) > OPAQUE
        assert (mask & truth).sum() / (mask | truth).sum() > 0.8
    scores = [each["score"] for each in found.values()]
    assert prediction["score"] == pytest.approx(sum(scores) / len(scores))
    assert prediction["model_version"].startswith("propagate edgeflow_lite-")

    again = run(studio, "propagate", "--project", project)
    assert "0 masks; predictions for 0 tasks, 1 task had theirs already" in again.output
    assert stored(studio, project) == tasks
