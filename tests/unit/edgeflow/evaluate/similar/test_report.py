from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
from PIL import Image

from edgeflow.evaluate.similar.report import groups_of, write_report
from edgeflow.evaluate.similar.results import (
    SimilarEvaluation,
    SimilarResultsError,
    check_results,
    to_json,
    write_json,
)
from edgeflow.evaluate.similar.sheet import (
    CELL,
    EXAMPLE,
    MISSED,
    RIGHT,
    WRONG,
    contact_sheet,
    worst_of,
)
from edgeflow.evaluate.similar.trials import try_dataset
from tests.unit.edgeflow.evaluate.scripted import Images, ScriptedPredictor, sample
from tests.unit.edgeflow.evaluate.similar.scripted_finder import (
    ScriptedFinder,
    block,
    conditions,
)

ONE, TWO, THREE, NONE = block(0, 0), block(8, 0), block(8, 10), block(14, 20)
DATASET = Images(
    sample("<b>x</b>/several", ONE, TWO, THREE), sample("x/alone", ONE), sample("y/alone", ONE)
)


@pytest.fixture(params=[0, 2], ids=["without clicks", "with clicks"])
def evaluation(request: pytest.FixtureRequest) -> SimilarEvaluation:
    predictor = ScriptedPredictor(lambda _clicks: (ONE | TWO).astype(np.float32))
    what = conditions(max_clicks=request.param)
    return SimilarEvaluation(
        dataset="<i>images</i>",
        model=predictor.version,
        zoom="edgeflow",
        machine={"processor": "abacus"},
        conditions=what,
        trials=list(try_dataset(predictor, ScriptedFinder(TWO, NONE), DATASET, what)),
    )


def test_the_json_has_the_figures_of_all_and_of_each_set(evaluation: SimilarEvaluation) -> None:
    data = orjson.loads(orjson.dumps(to_json(evaluation), option=orjson.OPT_NON_STR_KEYS))
    assert set(data["sets"]) == {"<b>x</b>", "x", "y"}
    assert data["all"]["alone"]["images"] == 2
    assert data["all"]["alone"]["false"] == {"mean": 2.0, "low": 2.0, "high": 2.0}
    assert 0 < data["all"]["several"]["accuracy"]["50"]["f1"]["mean"] < 1
    assert data["machine"] == {"processor": "abacus"}
    assert data["conditions"]["options"]["limit"] > 0
    first = next(each for each in data["trials"] if each["example"] == 1 and each["others"])
    assert first["suggestion_ious"] == [1.0, 0.0]
    assert first["object_ious"] == [1.0, 0.0]
    clicked = bool(evaluation.conditions.max_clicks)
    assert len(first["object_clicks"]) == (2 if clicked else 0)
    assert (data["all"]["several"]["savings"] is not None) == clicked


def test_a_file_written_is_known_again(evaluation: SimilarEvaluation, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "result.json"
    write_json(evaluation, path)
    check_results(path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 1}', "\x00"])
def test_another_file_is_refused_by_name(content: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(SimilarResultsError, match=r"other\.json") as caught:
        check_results(path)
    assert "evaluate-similar --json" in caught.value.hint


def test_the_worst_image_comes_first_with_its_worst_trial(evaluation: SimilarEvaluation) -> None:
    worst = worst_of(evaluation.trials, 9)
    assert {trial.sample for trial in worst[:2]} | {worst[2].sample} == set(DATASET.sample_names)
    several = next(trial for trial in worst if trial.others)
    assert several.example == 2  # nothing is right: the suggestion is the example itself
    assert len(worst_of(evaluation.trials, 1)) == 1
    silent = [replace(each, matching=each.matching.__class__((), (), ())) for each in worst]
    assert worst_of([each for each in silent if not each.others], 9) == []


def test_the_sheet_shows_example_right_wrong_and_missed(evaluation: SimilarEvaluation) -> None:
    trial = next(each for each in evaluation.trials if each.example == 1 and each.others)
    cell = contact_sheet([trial], DATASET)[:CELL, :CELL].astype(int)

    def outlined(row: int, col: int, colour: tuple[int, int, int]) -> bool:
        """Whether a block's upper edge has the colour; 15 pixels of a cell are one of the image."""
        scale = CELL / 30
        edge = cell[round(row * scale) : round(row * scale) + 3, round((col + 2) * scale)]
        return bool((np.abs(edge - colour).sum(axis=1) < 30).any())

    assert outlined(0, 0, EXAMPLE)
    assert outlined(8, 0, RIGHT)
    assert outlined(14, 20, WRONG)
    assert outlined(8, 10, MISSED)


def test_the_report_is_a_page_with_tables_and_the_sheet(
    evaluation: SimilarEvaluation, tmp_path: Path
) -> None:
    page = write_report(tmp_path / "report", evaluation, DATASET)
    text = page.read_text(encoding="utf-8")
    assert "<b>x" not in text
    assert "<i>pic" not in text
    assert "abacus" in text
    assert "precision" in text
    assert "Images with one object" in text
    assert ("What it saves" in text) == bool(evaluation.conditions.max_clicks)
    with Image.open(page.with_name("worst.png")) as sheet:
        assert sheet.width == 6 * CELL
    check_results(page.with_name("results.json"))


def test_without_a_fault_there_is_no_sheet(evaluation: SimilarEvaluation, tmp_path: Path) -> None:
    (tmp_path / "worst.png").write_bytes(b"of an earlier report")
    alone = [each for each in evaluation.trials if not each.others]
    silent = [replace(each, matching=each.matching.__class__((), (), ())) for each in alone]
    page = write_report(tmp_path, replace(evaluation, trials=silent), DATASET)
    assert "worst.png" not in page.read_text(encoding="utf-8")
    assert not (tmp_path / "worst.png").exists()


def test_all_sets_together_are_told_where_there_are_several(evaluation: SimilarEvaluation) -> None:
    assert list(groups_of(evaluation)) == ["<b>x</b>", "x", "y", "all"]
    one = [trial for trial in evaluation.trials if trial.sample == "y/alone"]
    assert list(groups_of(replace(evaluation, trials=one))) == ["y"]
    nameless = [replace(trial, sample="a") for trial in one]
    assert list(groups_of(replace(evaluation, trials=nameless))) == ["<i>images</i>"]
