from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from edgeflow.cli import app
from edgeflow.evaluate.traces import Trace, click_dataset
from edgeflow.inference.predictor import Predictor
from edgeflow.masks.cleanup import UNTOUCHED, Cleanup
from tests.training.shapes import write_shapes

command = sys.modules["edgeflow.cli.evaluate"]  # the package has a function of that name


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shapes(tmp_path_factory.mktemp("data") / "shapes", 2, seed=1)


def evaluate(*options: str | Path) -> Result:
    fixed = ["--runtime", "torch", "--device", "cpu", "--max-clicks", "3"]
    return CliRunner().invoke(app, ["evaluate", *fixed, *map(str, options)])


@pytest.mark.slow
def test_it_prints_and_writes_figures_and_a_report(shapes: Path, tmp_path: Path) -> None:
    json, report = tmp_path / "out.json", tmp_path / "report"
    result = evaluate("--data", shapes, "--json", json, "--report", report)
    assert result.exit_code == 0, result.output
    assert "NoC@90" in result.output
    figures = orjson.loads(json.read_bytes())
    assert figures["objects"] == 4
    assert set(figures["noc"]) == {"80", "85", "90", "95"}
    assert figures["protocol"]["max_clicks"] == 3
    assert "torch" in figures["machine"]["runtime and precision"]
    assert (report / "index.html").is_file()
    again = evaluate("--data", shapes, "--compare", json, "--report", report)
    assert again.exit_code == 0, again.output


@pytest.mark.slow
def test_all_clicks_are_made_where_that_is_wanted(shapes: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    assert evaluate("--data", shapes, "--all-clicks", "--json", path).exit_code == 0
    assert orjson.loads(path.read_bytes())["clicks"] == 4 * 3


@pytest.mark.slow
@pytest.mark.parametrize(("options", "cleanup"), [((), UNTOUCHED), (("--as-served",), Cleanup())])
def test_masks_are_cleaned_up_where_those_that_are_served_are_wanted(
    shapes: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    cleanup: Cleanup,
) -> None:
    clicked: list[Predictor] = []

    def click(predictor: Predictor, *args: Any, **kwargs: Any) -> Iterator[Trace]:
        clicked.append(predictor)
        return click_dataset(predictor, *args, **kwargs)

    monkeypatch.setattr(command, "click_dataset", click)
    path = tmp_path / "out.json"
    result = evaluate("--data", shapes, "--max-clicks", "1", "--json", path, *options)
    assert result.exit_code == 0, result.output
    assert [predictor.cleanup for predictor in clicked] == [cleanup]
    assert orjson.loads(path.read_bytes())["as_served"] == bool(options)
    assert ("masks as served" in result.output) == bool(options)


@pytest.mark.slow
def test_the_quality_is_said_beside_the_figures(shapes: Path) -> None:
    said = evaluate("--data", shapes, "--quality", "best", "--max-clicks", "1").output
    assert "quality best" in said


@pytest.mark.slow
def test_clicks_from_start_masks_and_jittered_clicks_are_counted_beside(
    shapes: Path, tmp_path: Path
) -> None:
    path = tmp_path / "out.json"
    jitter = ("--jitter", "2", "--max-clicks", "1")
    result = evaluate("--data", shapes, "--start-masks", "generated", *jitter, "--json", path)
    assert result.exit_code == 0, result.output
    assert "from start masks: generated, seed 0; mean IoU 0.8" in result.output
    assert "with jittered clicks, 2 times:" in result.output
    assert "spread of one object" in result.output
    figures = orjson.loads(path.read_bytes())
    assert figures["start_masks"]["kind"] == "generated, seed 0"
    assert figures["jitter"]["runs"] == 2
    assert all(0.75 <= each["start_iou"] <= 0.85 for each in figures["per_object"])


def test_start_masks_that_have_no_error_leave_nothing_to_measure(
    shapes: Path, tmp_path: Path
) -> None:
    json = tmp_path / "out.json"
    result = evaluate("--data", shapes, "--start-masks", shapes / "masks", "--json", json)
    assert result.exit_code == 1
    assert "objects whose start mask has no error (4)" in result.output
    assert "nothing to click" in result.output
    assert "Traceback" not in result.output
    assert not json.exists()


def test_no_output_replaces_a_start_mask(shapes: Path, tmp_path: Path) -> None:
    mask = next(copytree(shapes / "masks", tmp_path / "starts").iterdir())
    before = mask.read_bytes()
    result = evaluate("--data", shapes, "--start-masks", mask.parent, "--json", mask)
    assert result.exit_code == 1
    assert mask.name in result.output
    assert mask.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--model", "no-such-model"], "no-such-model"),
        (["--layout", "no-such-layout"], "no-such-layout"),
        (["--zoom", "no-such-zoom"], "no-such-zoom"),
        (["--quality", "no-such-quality"], "no-such-quality"),
        (["--compare", "no-such.json"], "no-such.json"),
        (["--start-masks", "no-such-folder"], "no-such-folder"),
        (["--start-masks", "sp"], "no start masks beside its image"),
        (["--jitter", "1"], "--jitter"),
    ],
)
def test_what_does_not_exist_is_named_without_a_traceback(
    shapes: Path, options: list[str], named: str
) -> None:
    result = evaluate("--data", shapes, *options)
    assert result.exit_code != 0
    assert named in result.output
    assert "Traceback" not in result.output
