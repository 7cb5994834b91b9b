from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import orjson
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from edgeflow.cli import app
from tests.training.shapes import write_shapes


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two images of two objects, one of six disks, and one of a disk alone."""
    folder = write_shapes(tmp_path_factory.mktemp("data") / "shapes", 2, seed=1)
    for name, count in (("disks", 6), ("disk", 1)):
        rgb = np.full((120, 180, 3), 40, dtype=np.uint8)
        labels = np.zeros((120, 180), dtype=np.uint8)
        for number in range(count):
            centre = (30 + 60 * (number % 3), 30 + 60 * (number // 3))
            cv2.circle(rgb, centre, 18, (220, 180, 40), -1)
            cv2.circle(labels, centre, 18, number + 1, -1)
        Image.fromarray(rgb).save(folder / "images" / f"{name}.png")
        Image.fromarray(labels).save(folder / "masks" / f"{name}.png")
    return folder


def evaluate(*options: object) -> Result:
    fixed = ["--runtime", "torch", "--device", "cpu", "--seconds", "100"]
    return CliRunner().invoke(app, ["evaluate-similar", *fixed, *map(str, options)])


@pytest.mark.slow
def test_it_prints_and_writes_figures_and_a_report(shapes: Path, tmp_path: Path) -> None:
    json, report = tmp_path / "out.json", tmp_path / "report"
    outputs = ("--json", json, "--report", report)
    result = evaluate("--data", shapes, "--examples", 1, "--max-clicks", 1, *outputs)
    assert result.exit_code == 0, result.output
    assert "shapes: 1 images, 1 examples, 5.0 others to find" in result.output
    assert "1 images with one object" in result.output
    assert "actions: 6.0 to click each; suggestions" in result.output
    figures = orjson.loads(json.read_bytes())
    assert {each["sample"] for each in figures["trials"]} == {"disks", "disk"}
    assert figures["all"]["several"]["accuracy"]["50"]["recall"]["mean"] > 0
    assert figures["conditions"]["choice"]["examples"] == 1
    assert (report / "index.html").is_file()
    again = evaluate("--data", shapes, "--max-images", 0, "--report", report)
    assert again.exit_code == 0, again.output


@pytest.mark.slow
def test_without_clicks_nothing_is_said_about_cost(shapes: Path, tmp_path: Path) -> None:
    options = ("--examples", 1, "--max-alone", 0, "--example", "truth", "--max-clicks", 0)
    result = evaluate("--data", shapes, *options, "--json", tmp_path / "out.json")
    assert result.exit_code == 0, result.output
    assert "actions" not in result.output
    figures = orjson.loads((tmp_path / "out.json").read_bytes())
    assert [each["example_iou"] for each in figures["trials"]] == [1.0]


def test_a_dataset_without_such_images_is_refused(shapes: Path, tmp_path: Path) -> None:
    json = tmp_path / "out.json"
    result = evaluate("--data", shapes, "--objects", 7, "--max-alone", 0, "--json", json)
    assert result.exit_code == 1
    assert "no image to try" in result.output
    assert "7 objects" in result.output
    assert not json.exists()


def test_no_output_replaces_what_is_read(shapes: Path) -> None:
    mask = shapes / "masks" / "disk.png"
    before = mask.read_bytes()
    result = evaluate("--data", shapes, "--json", mask)
    assert result.exit_code == 1
    assert mask.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--model", "no-such-model"], "no-such-model"),
        (["--layout", "no-such-layout"], "no-such-layout"),
        (["--example", "guess"], "guess"),
        (["--objects", "1"], "--objects"),
        (["--limit", "0"], "--limit"),
    ],
)
def test_what_does_not_exist_is_named_without_a_traceback(
    shapes: Path, options: list[str], named: str
) -> None:
    result = evaluate("--data", shapes, *options)
    assert result.exit_code != 0
    assert named in result.output
    assert "Traceback" not in result.output
