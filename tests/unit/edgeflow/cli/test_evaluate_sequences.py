from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from edgeflow.cli import app


def evaluate(*options: object) -> Result:
    fixed = ["--runtime", "torch", "--device", "cpu"]
    return CliRunner().invoke(app, ["evaluate-sequences", *fixed, *map(str, options)])


def test_generated_sequences_give_figures_and_a_report(tmp_path: Path) -> None:
    json, report = tmp_path / "out.json", tmp_path / "report"
    outputs = ("--json", json, "--report", report)
    options = ("--generate", 1, "--pages", 3, "--max-clicks", 2, "--first", "clicks")
    result = evaluate(*options, "--max-sequences", 1, *outputs)
    assert result.exit_code == 0, result.output
    assert "shapes: 1 sequences, 2 pages behind the first" in result.output
    assert "each page by itself" in result.output
    figures = orjson.loads(json.read_bytes())
    (trial,) = figures["trials"]
    assert trial["sequence"] == "shapes/000"
    assert len(trial["ious"]) == len(trial["scores"]) == 2
    assert min(trial["ious"]) > 0.8
    assert trial["stack"]["carried"] < trial["stack"]["clicked"]
    assert figures["sets"]["shapes"]["iou"]["1"]["sequences"] == 1
    assert {path.name for path in report.iterdir()} == {"index.html", "worst.png", "results.json"}
    assert "shapes" in (report / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ((), "either a folder or generated sequences"),
        (("--generate", 1, "--first", "clicks", "--max-clicks", 0), "no clicked first mask"),
        (("--generate", 1, "--first", "guess"), "is not a first mask"),
    ],
)
def test_what_makes_no_sense_is_refused(options: tuple[object, ...], reason: str) -> None:
    result = evaluate(*options)
    assert result.exit_code
    assert reason in result.output


def test_a_foreign_file_is_not_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    kept = folder / "notes.json"
    kept.write_text("{}", encoding="utf-8")
    result = evaluate("--data", folder, "--json", kept)
    assert result.exit_code
    assert kept.read_text(encoding="utf-8") == "{}"
