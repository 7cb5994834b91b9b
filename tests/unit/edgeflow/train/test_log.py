from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from edgeflow.train.log import Log


def lines(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_figures_are_written_as_json_lines_and_for_tensorboard(tmp_path: Path) -> None:
    with Log(tmp_path, 0) as log:
        log.write(1, {"loss": 0.5})
        log.write(2, {"loss": 0.25, "iou": 0.75})
    assert lines(tmp_path) == [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25, "iou": 0.75}]
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(1, 0.5), (2, 0.25)]


def test_lines_after_the_step_that_a_run_goes_on_from_are_dropped(tmp_path: Path) -> None:
    with Log(tmp_path, 0) as log:
        for step in range(1, 5):
            log.write(step, {"loss": 1.0})
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 5, "lo')  # cut short by a kill
    with Log(tmp_path, 3) as log:
        log.write(4, {"loss": 2.0})
    assert [(each["step"], each["loss"]) for each in lines(tmp_path)] == [
        (1, 1.0), (2, 1.0), (3, 1.0), (4, 2.0),
    ]  # fmt: skip


def test_without_tensorboard_there_are_the_json_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with Log(tmp_path, 0) as log:
        log.write(1, {"loss": 0.5})
    assert len(lines(tmp_path)) == 1
    assert not (tmp_path / "tensorboard").exists()
