from __future__ import annotations

from pathlib import Path

import pytest

from edgeflow.learning.due import LastTraining
from edgeflow_backend.learning.store import StoreError
from edgeflow_backend.learning.training.record import (
    RECORD,
    TrainingRecord,
    read_record,
    told_training,
    write_record,
)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = TrainingRecord(state="refused", objects=40, verdict={"accepted": False}, version=2)
    write_record(tmp_path, record)
    assert read_record(tmp_path) == record
    assert record.last == LastTraining(40, finished=True, attempts=1, learnt=True)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"state": "odd"}', b"\xff", b"[" * 99999])
def test_a_damaged_one_counts_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / RECORD).write_bytes(content)
    assert read_record(tmp_path) is None
    assert told_training(tmp_path) == ""


def test_a_project_that_was_erased_gets_none(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no folder"):
        write_record(tmp_path / "gone", TrainingRecord(state="running", objects=1))


def test_why_no_version_was_made_is_told(tmp_path: Path) -> None:
    write_record(tmp_path, TrainingRecord(state="refused", objects=30, message="too few"))
    assert told_training(tmp_path) == "the last training was refused: too few"
    write_record(tmp_path, TrainingRecord(state="failed", objects=30, message="a full disk"))
    assert told_training(tmp_path) == "the last training failed: a full disk"
    write_record(tmp_path, TrainingRecord(state="refused", objects=30, message="x", version=3))
    assert told_training(tmp_path) == ""
