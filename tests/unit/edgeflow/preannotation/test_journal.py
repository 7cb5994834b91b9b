from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeflow.errors import FileWriteError
from edgeflow.preannotation.journal import Journal

TASKS: dict[str, dict[str, Any]] = {
    "a\tb\n.jpg": {"data": {"image": "x\ty\né"}},
    "b.jpg": {"data": {}},
    "c": {"n": [1, 2]},
}


def fill(path: Path, fingerprint: str = "run") -> bytes:
    with Journal(path, fingerprint) as journal:
        for number, (key, task) in enumerate(TASKS.items()):
            journal.add(key, {"number": number}, task)
    return path.read_bytes()


def read(path: Path, fingerprint: str = "run") -> dict[str, object]:
    with Journal(path, fingerprint) as journal:
        return {key: json.loads(b"".join(journal.tasks([key]))) for key in TASKS if key in journal}


def test_finished_tasks_are_there_again_with_their_notes(tmp_path: Path) -> None:
    path = tmp_path / "new" / "journal"
    fill(path)
    assert read(path) == TASKS
    with Journal(path, "run") as journal:
        assert [journal.note(key)["number"] for key in TASKS] == [0, 1, 2]
        order = ["c", "missing", "b.jpg"]
        assert list(map(json.loads, journal.tasks(order))) == [TASKS["c"], TASKS["b.jpg"]]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_wherever_a_crash_cuts_it_off_whole_lines_stay_and_work_goes_on(
    tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "journal"
    path.unlink(missing_ok=True)
    whole = fill(path)
    end = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:end])
    kept = read(path)
    assert list(kept) == list(TASKS)[: len(kept)]
    assert len(kept) == max(whole[:end].count(b"\n") - 1, 0)
    assert fill(path).count(b"\n") == 1 + len(kept) + len(TASKS)
    assert read(path) == TASKS


@pytest.mark.parametrize("before", [b"", b"[]", b"something else\nin lines\n"])
def test_anything_else_is_begun_afresh(tmp_path: Path, before: bytes) -> None:
    path = tmp_path / "journal"
    path.write_bytes(before)
    assert read(path) == {}
    assert path.read_bytes().startswith(b'{"journal"')


def test_another_run_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    fill(path, "other")
    assert read(path) == {}


def test_a_finished_journal_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    fill(path)
    with Journal(path, "run") as journal:
        journal.remove()
    assert not path.exists()


def test_a_folder_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(FileWriteError, match="cannot write"):
        Journal(tmp_path, "run")
