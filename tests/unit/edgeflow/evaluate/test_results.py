from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
from PIL import Image

from edgeflow.errors import EdgeFlowError
from edgeflow.evaluate.jitter.summary import summarise_jitter
from edgeflow.evaluate.report import contact_sheet, worst_of, write_report
from edgeflow.evaluate.results import (
    Curve,
    Evaluation,
    ResultsError,
    curve_of,
    read_curve,
    to_json,
    write_json,
)
from edgeflow.evaluate.summary import summarise
from edgeflow.evaluate.traces import Rules, click_dataset
from tests.unit.edgeflow.evaluate.scripted import Images, ScriptedPredictor, sample, square

OBJECT = square(30, 60, slice(5, 25), slice(10, 30))
IMAGES = Images(
    sample("easy", OBJECT), sample("<b>hard</b>", square(30, 60, slice(0, 3), slice(0, 60)))
)


@pytest.fixture
def evaluation() -> Evaluation:
    predictor = ScriptedPredictor(lambda _clicks: OBJECT.astype(np.float32))
    rules = Rules(max_clicks=4)
    traces = list(click_dataset(predictor, IMAGES, rules))
    return Evaluation(
        dataset="images",
        model=predictor.version,
        zoom="edgeflow",
        machine={"processor": "abacus"},
        rules=rules,
        summary=summarise(traces, rules),
        traces=traces,
    )


def test_the_json_has_the_figures_by_name(evaluation: Evaluation) -> None:
    data = orjson.loads(orjson.dumps(to_json(evaluation)))
    assert data["objects"] == 2
    assert data["clicks"] == 5
    assert data["noc"] == {"80": 2.5, "85": 2.5, "90": 2.5, "95": 2.5}
    assert data["failures"]["90"] == 1
    assert set(data["iou_at"]) == {"1", "2", "3", "5", "10"}
    assert data["iou_at"]["1"] == 0.5
    assert data["noc_interval"]["90"] == [1.0, 4.0]
    assert data["seconds_per_click"] > 0
    assert data["machine"] == {"processor": "abacus"}
    assert data["per_object"][0]["clicks"] == [[19.0, 14.0, True]]


def test_without_start_masks_and_jitter_the_json_says_so(evaluation: Evaluation) -> None:
    data = to_json(evaluation)
    assert data["start_masks"] is None
    assert data["jitter"] is None
    assert data["per_object"][0]["start_iou"] is None


@pytest.fixture
def from_masks(evaluation: Evaluation) -> Evaluation:
    """The same, as if clicks had begun from masks, and been made twice again."""
    traces = [replace(trace, start_iou=0.8) for trace in evaluation.traces]
    return replace(
        evaluation,
        traces=traces,
        summary=summarise(traces, evaluation.rules),
        start_masks="<i>drawn</i>",
        jitter=summarise_jitter(traces, [traces, traces], evaluation.rules),
    )


def test_the_json_tells_of_start_masks_and_jittered_clicks(from_masks: Evaluation) -> None:
    data = orjson.loads(orjson.dumps(to_json(from_masks)))
    start = {"kind": "<i>drawn</i>", "iou": pytest.approx(0.8), "iou_interval": [0.8, 0.8]}
    assert data["start_masks"] == start
    assert data["per_object"][1]["start_iou"] == 0.8
    assert data["jitter"]["runs"] == 2
    assert data["jitter"]["noc"] == data["noc"]
    assert data["jitter"]["noc_added"]["90"] == data["jitter"]["noc_spread"]["90"] == 0
    assert "depth" in data["jitter"]["kind"]
    ious = [each["ious"] for each in data["per_object"]]
    assert [each["ious"] for each in data["jitter"]["per_object"]] == [[x, x] for x in ious]


def test_a_curve_read_back_is_the_one_written(evaluation: Evaluation, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "result.json"
    write_json(evaluation, path)
    curve = read_curve(path)
    assert curve.ious == curve_of(evaluation).ious == (0.5,) * 4
    assert curve.label == "scripted-0 (result)"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"per_object": [{"ious": "x"}]}'])
def test_another_file_is_refused_by_name(content: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(ResultsError, match=r"other\.json") as caught:
        read_curve(path)
    assert "--json" in caught.value.hint


def test_the_worst_come_first(evaluation: Evaluation) -> None:
    assert [trace.sample for trace in worst_of(evaluation)] == ["<b>hard</b>", "easy"]
    assert len(worst_of(evaluation, 1)) == 1


def test_the_contact_sheet_shows_mask_truth_and_clicks(evaluation: Evaluation) -> None:
    sheet = contact_sheet(worst_of(evaluation), IMAGES)
    cell = sheet[:160, 320:640].astype(int)  # the easy one, second, 60×30 enlarged to 320×160
    red, _, blue = cell[40:60, 70:90].mean(axis=(0, 1))
    assert blue > red + 30  # the mask's tint
    assert (np.abs(cell - (255, 214, 0)).sum(axis=2) < 60).sum() > 100  # the truth's outline
    assert (np.abs(cell - (32, 200, 64)).sum(axis=2) < 60).sum() > 50  # the click


@pytest.mark.slow
def test_the_report_is_a_page_with_images(evaluation: Evaluation, tmp_path: Path) -> None:
    page = write_report(tmp_path / "report", evaluation, IMAGES, [Curve("before", (0.1, 0.2))])
    text = page.read_text(encoding="utf-8")
    assert "NoC@90" in text
    assert "abacus" in text
    assert "<b>hard" not in text
    for name in ("curves.png", "worst.png"):
        assert name in text
        with Image.open(page.with_name(name)) as image:
            assert image.width > 600
    assert read_curve(page.with_name("results.json")).ious[0] == 0.5


@pytest.mark.slow
def test_the_report_tells_of_start_masks_and_jittered_clicks(
    from_masks: Evaluation, tmp_path: Path
) -> None:
    text = write_report(tmp_path, from_masks, IMAGES).read_text(encoding="utf-8")
    assert "start masks (&lt;i&gt;drawn&lt;/i&gt;), IoU 0.800" in text
    assert "With jittered clicks, 2 times" in text


def test_without_matplotlib_the_way_out_is_named(
    evaluation: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(EdgeFlowError, match="matplotlib") as caught:
        write_report(tmp_path, evaluation, IMAGES)
    assert "pip install" in caught.value.hint
