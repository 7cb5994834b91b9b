from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from edgeflow_backend.learning.rows import SpoiledRowError, pack, unpack
from edgeflow_backend.learning.store import Seen, Store, StoreError
from tests.unit.edgeflow.learning.learning_samples import accepted

ROOT = Path(__file__).parents[4]

KILLED = """
import json, os, random, signal, sqlite3, sys, time
from pathlib import Path
from edgeflow_backend.learning.store import Store
from tests.unit.edgeflow.learning.learning_samples import accepted
path = Path(sys.argv[1])
store, moments = Store(path), random.Random(5)
for kill in range(20):
    begun, begins = os.pipe()
    writer = os.fork()
    number = kill * 1000
    while not writer:
        number += 1
        task = number % 7 + 1
        store.put(task, str(number), [accepted(task, id=f"{number}-{n}") for n in range(30)])
        if number % 5 == 0:
            store.drop([task])
        os.write(begins, b"x")
    os.read(begun, 1)
    time.sleep(moments.uniform(0.0, 0.15))
    os.kill(writer, signal.SIGKILL)
    os.waitpid(writer, 0)
    with sqlite3.connect(path) as rows:
        (sound,) = rows.execute("PRAGMA integrity_check").fetchone()
    ids = [each.id for each in store.objects()]
    print(json.dumps([sound, sorted(store.stamps().items()), ids]), flush=True)
"""
"""Kills processes that write tasks of thirty objects each; says what is found after each."""

FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from edgeflow_backend.learning.store import Store, StoreError
from tests.unit.edgeflow.learning.learning_samples import accepted
store = Store(Path(sys.argv[1]))
store.put(1, "first", [accepted(1)])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
try:
    store.put(1, "second", [accepted(1, id=f"{number} " + "x" * 400) for number in range(400)])
except StoreError as error:
    print(error.message)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "of a project" / "objects.sqlite"


@pytest.fixture
def store(path: Path) -> Store:
    return Store(path)


def test_objects_come_back_as_they_were_also_in_another_process(store: Store, path: Path) -> None:
    odd = accepted(2, labels=("naïve 名",), clicks=(), start="outline", model="")
    store.put(2, "b", [odd])
    store.put(1, "a", [accepted(1), accepted(1, id="two")])
    again = Store(path)
    assert again.objects() == [accepted(1), accepted(1, id="two"), odd]
    assert again.stamps() == {1: "a", 2: "b"}
    assert again.nbytes() > 1000


def test_a_task_that_is_put_again_takes_the_place_of_what_it_was(store: Store) -> None:
    store.put(1, "a", [accepted(1), accepted(1, id="two")])
    store.put(1, "b", [accepted(1, id="three")])
    assert [each.id for each in store.objects()] == ["three"]
    store.drop([1, 99])
    assert (store.objects(), store.stamps(), store.nbytes()) == ([], {}, 0)


def test_only_the_owner_reads_it(store: Store, path: Path) -> None:
    store.put(1, "a", [accepted(1)])
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_another_file_at_a_location_has_its_tasks_read_again(store: Store) -> None:
    mine, other = accepted(1), accepted(2)
    store.put(1, "a", [mine])
    store.put(2, "b", [other])
    store.see(Seen("here", mine.picture, 0.0))
    assert store.stamps() == {1: "a", 2: "b"}
    store.see(Seen("here", "e" * 64, 5.0))
    assert store.stamps() == {2: "b"}
    assert store.seen("here") == Seen("here", "e" * 64, 5.0)
    assert store.seen("there") is None


@pytest.mark.parametrize("column", ["facts", "mask", "digest"])
def test_a_row_that_has_changed_is_no_object_and_its_task_is_read_again(
    store: Store, path: Path, column: str
) -> None:
    store.put(1, "a", [accepted(1), accepted(1, id="two")])
    store.put(2, "b", [accepted(2)])
    with sqlite3.connect(path) as rows:
        rows.execute(
            f"UPDATE objects SET {column} = replace({column}, substr({column}, 9, 1), 'Z') "
            "WHERE rowid = 1"
        )
    assert store.objects() == [accepted(2)]
    assert store.stamps() == {2: "b"}


def test_a_row_of_another_form_is_refused() -> None:
    row = pack(accepted())
    assert unpack(row) == accepted()
    with pytest.raises(SpoiledRowError):
        unpack(row._replace(facts=row.facts.replace("}", ',"more":1}')))


@pytest.mark.parametrize("damage", ["noise", "layout"])
def test_a_damaged_file_is_removed_and_begun_anew(store: Store, path: Path, damage: str) -> None:
    store.put(1, "a", [accepted(1)])
    if damage == "noise":
        path.write_bytes(b"no database" * 1000)
    else:
        with sqlite3.connect(path) as rows:
            rows.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="damaged"):
        store.objects()
    assert store.stamps() == {}
    store.put(1, "a", [accepted(1)])
    assert store.objects() == [accepted(1)]


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot use") as caught:
        Store(tmp_path / "file" / "objects.sqlite").stamps()
    assert caught.value.hint


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def test_a_full_disk_changes_nothing(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)],
        env=environment(), cwd=ROOT, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "cannot use" in done.stdout
    store = Store(path)
    assert store.stamps() == {1: "first"}
    assert store.objects() == [accepted(1)]


def test_a_process_that_is_killed_at_any_moment_leaves_whole_tasks(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(path)],
        env=environment(), cwd=ROOT, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == 20
    for kill, (sound, stamps, ids) in enumerate(found):
        assert sound == "ok"
        assert max(int(stamp) for _, stamp in stamps) // 1000 == kill, "it was at work"
        assert ids == [f"{stamp}-{part}" for _, stamp in stamps for part in range(30)]
