"""Clicks needed on the benchmarks."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from edgeflow.cli import app
from tests.data_folder import DATA, needs_data

ARTIFACTS = Path(__file__).parents[2] / "artifacts"


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "objects", "published"), [("grabcut", 50, 1.76), ("berkeley", 100, 3.47)]
)
def test_the_shipped_weights_need_no_more_clicks_than_their_training_measured(
    name: str, objects: int, published: float
) -> None:
    report = ARTIFACTS / f"evaluation-{name}"
    options = ["--data", str(DATA / "benchmarks" / name), "--runtime", "auto", "--device", "cpu"]
    result = CliRunner().invoke(app, ["evaluate", *options, "--report", str(report)])
    assert result.exit_code == 0, result.output
    figures = orjson.loads((report / "results.json").read_bytes())
    assert figures["objects"] == objects
    assert figures["noc"]["90"] <= published + 0.06
    assert {path.name for path in report.iterdir()} >= {"index.html", "curves.png", "worst.png"}
