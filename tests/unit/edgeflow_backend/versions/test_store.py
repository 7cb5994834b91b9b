from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from edgeflow.checkpoints.checkpoint import Checkpoint, models_in
from edgeflow_backend.versions import store as module
from edgeflow_backend.versions.lock import alone
from edgeflow_backend.versions.store import MOST_KEPT, Versions, VersionsError
from tests.unit.edgeflow_backend.versions.version_samples import (
    VERDICT,
    add,
    tensors_of,
    tree,
)

ROOT = Path(__file__).parents[4]

BEGIN = """
import json, os, random, resource, signal, sys, time
from pathlib import Path
from edgeflow.checkpoints.checkpoint import find
from edgeflow_backend.versions.store import Versions, VersionsError
from tests.unit.edgeflow_backend.versions.version_samples import add
base = find(sys.argv[2])
versions = Versions(Path(sys.argv[1]), "7")
"""

KILLED = """
moments = random.Random(5)
versions.serve(add(versions, base).number)
for kill in range(12):
    begun, begins = os.pipe()
    writer = os.fork()
    while not writer:
        made = add(versions, base, 0.001 * kill)
        os.write(begins, b"x")
        versions.serve(made.number)
        if made.number % 3 == 0:
            versions.roll_back("not better")
    os.read(begun, 1)
    time.sleep(moments.uniform(0.0, 0.1))
    os.kill(writer, signal.SIGKILL)
    os.waitpid(writer, 0)
    found = versions.all()
    for each in found:
        each.checkpoint.load()
    served = versions.serving(base.entry.sha256)
    numbers = [each.number for each in found]
    print(json.dumps([numbers, served and served.number, versions.ignored()]), flush=True)
"""
"""Kills processes that add, serve and roll back; says what is found after each."""

FULL_DISK = """
versions.serve(add(versions, base).number)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
changes = {"add": lambda: add(versions, base, 0.01), "roll back": lambda: versions.roll_back("x")}
for limit, change in ((0, "add"), (100, "add"), (4000, "add"), (0, "roll back"), (20, "roll back")):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        changes[change]()
    except VersionsError as error:
        print("refused:", error.message)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""


@pytest.fixture
def base(checkpoints: dict[str, Checkpoint]) -> Checkpoint:
    """A tiny network's weights."""
    return checkpoints["ritm_hrnet"]


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return Versions(tmp_path, "7")


def numbers(versions: Versions) -> list[int]:
    return [each.number for each in versions.all()]


def run(script: str, folder: Path, base: Checkpoint) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + script, str(folder), str(base.path)],
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_a_version_comes_back_as_it_was_also_in_another_process(
    versions: Versions, base: Checkpoint, tmp_path: Path
) -> None:
    made = add(versions, base, 0.25, objects=50)
    assert Versions(tmp_path, "7").all() == [made]
    assert (made.number, made.objects, made.base) == (1, 50, base.entry.sha256)
    assert (made.state, made.reason, made.verdict) == ("accepted", "", VERDICT)
    assert made.checkpoint.name == f"{base.name}.7.1"
    expected = tensors_of(base, 0.25)
    for name, tensor in made.checkpoint.load().state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(tensor, expected[name].half().float()), name


def test_a_version_is_a_standard_model_folder(versions: Versions, base: Checkpoint) -> None:
    made = add(versions, base)
    folder = made.checkpoint.path.parent
    (found,) = models_in(folder)
    assert found == made.checkpoint
    assert found.entry.calibration == base.entry.calibration
    card = (folder / "MODEL_CARD.md").read_text()
    assert base.version in card
    assert found.entry.sha256 in card


def test_the_base_answers_until_a_version_is_served(versions: Versions, base: Checkpoint) -> None:
    digest = base.entry.sha256
    first, second = add(versions, base), add(versions, base, 0.1)
    assert versions.serving(digest) is None
    stamps = [versions.stamp()]
    versions.serve(first.number)
    stamps.append(versions.stamp())
    assert versions.serving(digest) == replace(first, state="served")
    versions.serve(second.number)
    stamps.append(versions.stamp())
    assert versions.serving(digest) == replace(second, state="served")
    assert [each.state for each in versions.all()] == ["accepted", "served"]
    assert len(set(stamps)) == len(stamps)


def test_a_version_of_other_weights_does_not_answer(versions: Versions, base: Checkpoint) -> None:
    versions.serve(add(versions, base).number)
    assert versions.serving("0" * 64) is None


def test_a_rollback_leads_back_step_by_step_to_the_base(
    versions: Versions, base: Checkpoint
) -> None:
    for change in (0.0, 0.1, 0.2):
        versions.serve(add(versions, base, change).number)
    before = versions.roll_back("more clicks")
    assert before is not None
    assert before.number == 2
    assert [(each.state, each.reason) for each in versions.all()] == [
        ("accepted", ""), ("served", ""), ("rolled back", "more clicks"),
    ]  # fmt: skip
    assert versions.roll_back("again", number=3) == before, "another one was meant"
    found = versions.roll_back("again")
    assert found is not None
    assert found.number == 1
    assert versions.roll_back("once more") is None
    assert versions.serving(base.entry.sha256) is None
    assert versions.roll_back("nothing is served") is None
    versions.serve(3)
    assert versions.all()[2].state == "served"


def test_only_what_is_newer_than_all_that_was_served_still_waits_for_it(
    versions: Versions, base: Checkpoint
) -> None:
    digest = base.entry.sha256
    assert versions.unserved(digest) is None
    first = add(versions, base)
    add(versions, base, reason="not better")
    assert versions.unserved(digest) == first
    assert versions.unserved("0" * 64) is None, "it was made from other weights"
    versions.serve(add(versions, base).number)
    assert versions.unserved(digest) is None, "the first was superseded"
    versions.roll_back("more clicks")
    assert versions.unserved(digest) is None, "the third was withdrawn"
    last = add(versions, base)
    assert versions.unserved(digest) == last


def test_where_it_cannot_be_read_what_was_served_nothing_waits_for_it(
    versions: Versions, base: Checkpoint, tmp_path: Path
) -> None:
    add(versions, base)
    (tmp_path / "versions" / "served.json").write_text("{")
    assert versions.unserved(base.entry.sha256) is None


def test_a_refused_version_is_kept_with_its_reason_and_never_served(
    versions: Versions, base: Checkpoint
) -> None:
    refused = add(versions, base, reason="NoC@85 rose from 4.1 to 4.4")
    with pytest.raises(VersionsError, match=r"NoC@85 rose from 4\.1 to 4\.4"):
        versions.serve(refused.number)
    assert versions.all() == [refused]
    assert (refused.state, refused.reason) == ("refused", "NoC@85 rose from 4.1 to 4.4")
    with pytest.raises(VersionsError, match="no version 9") as caught:
        versions.serve(9)
    assert caught.value.hint == "versions that may be served: none"


def test_the_oldest_leave_but_not_the_served_one_nor_the_one_before(
    versions: Versions, base: Checkpoint
) -> None:
    for _ in range(3):
        add(versions, base)
    versions.serve(1)
    versions.serve(2)
    for _ in range(7):
        add(versions, base, reason="not better")
    assert numbers(versions) == [1, 2, 7, 8, 9, 10]
    assert len(numbers(versions)) == MOST_KEPT + 1
    assert add(versions, base).number == 11


def test_a_number_is_not_given_twice(versions: Versions, base: Checkpoint) -> None:
    made = add(versions, base)
    (made.checkpoint.path.parent / "version.json").unlink()
    assert numbers(versions) == []
    assert add(versions, base).number == 2


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("version.json", None, "cannot be read"),
        ("version.json", b'{"number": 1', "damaged"),
        ("version.json", b'{"number": "x"}', "damaged"),
        ("version.json", b"[" * 100_000, "damaged"),
        ("manifest.json", b"{}", "manifest"),
        ("manifest.json", None, "weights are missing"),
        ("tiny", None, "weights are missing"),
    ],
)
def test_a_damaged_version_is_passed_over_with_a_reason(
    versions: Versions, base: Checkpoint, file: str, content: bytes | None, reason: str
) -> None:
    folder = add(versions, base).checkpoint.path.parent
    sound = add(versions, base)
    versions.serve(1)
    path = next(folder.glob("*.safetensors")) if file == "tiny" else folder / file
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert versions.all() == [sound]
    assert reason in versions.ignored()["1"]
    assert versions.serving(base.entry.sha256) is None
    versions.serve(2)
    assert numbers(versions) == [2]


def test_foreign_files_are_passed_over_and_left_alone(
    versions: Versions, base: Checkpoint, tmp_path: Path
) -> None:
    made = add(versions, base)
    folder = tmp_path / "versions"
    (folder / "notes.txt").write_text("mine")
    shutil.copytree(folder / "1", folder / "5")
    (folder / "01").mkdir()
    assert versions.all() == [made]
    assert versions.ignored() == {
        "01": "it is no version", "5": "it holds version 1", "notes.txt": "it is no version",
    }  # fmt: skip
    assert add(versions, base).number == 6
    assert (folder / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("content", [b"", b"[]", b'{"number": 0}', b'{"number": 1, "more": 2}'])
def test_where_it_is_damaged_what_is_served_the_base_answers(
    versions: Versions, base: Checkpoint, tmp_path: Path, content: bytes
) -> None:
    versions.serve(add(versions, base).number)
    (tmp_path / "versions" / "served.json").write_bytes(content)
    assert versions.serving(base.entry.sha256) is None
    assert "damaged" in versions.ignored()["served.json"]
    versions.serve(1)
    assert versions.ignored() == {}


@pytest.mark.parametrize("fault", ["shape", "missing", "infinite", "verdict"])
def test_what_is_no_version_is_refused_whole(
    versions: Versions, base: Checkpoint, tmp_path: Path, fault: str
) -> None:
    add(versions, base)
    before = tree(tmp_path)
    tensors, verdict = tensors_of(base), VERDICT
    name = next(iter(tensors))
    if fault == "shape":
        tensors[name] = torch.zeros(3)
    elif fault == "missing":
        del tensors[name]
    elif fault == "infinite":
        tensors[name] = tensors[name] + 1e6
    else:
        verdict = {"NoC@85": float("nan")}
    with pytest.raises(ValueError if fault == "verdict" else VersionsError):
        versions.add(tensors, base, objects=1, verdict=verdict, accepted=True)
    assert tree(tmp_path) == before


def test_what_has_been_erased_is_not_made_anew(base: Checkpoint, tmp_path: Path) -> None:
    folder = tmp_path / "erased"
    versions = Versions(folder)
    with pytest.raises(VersionsError, match="no folder"):
        add(versions, base)
    assert not folder.exists()
    assert versions.all() == []
    assert versions.stamp() == ()
    assert versions.roll_back("nothing is there") is None


def test_writers_take_turns(base: Checkpoint, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: add(Versions(tmp_path), base), range(4)))
    assert sorted(each.number for each in made) == [1, 2, 3, 4]
    assert numbers(Versions(tmp_path)) == [1, 2, 3, 4]


def test_a_writer_does_not_wait_forever(
    versions: Versions, base: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(versions, base)
    monkeypatch.setattr(module, "PATIENCE_S", 0.1)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with alone(tmp_path / "versions" / ".lock") as mine:
            assert mine
            held.set()
            done.wait(60)

    with ThreadPoolExecutor(1) as threads:
        holding = threads.submit(hold)
        held.wait(60)
        try:
            with pytest.raises(VersionsError, match="another process"):
                versions.serve(1)
        finally:
            done.set()
        holding.result()
    versions.serve(1)


def test_a_full_disk_changes_nothing(base: Checkpoint, tmp_path: Path) -> None:
    said = [each for each in run(FULL_DISK, tmp_path, base) if each.startswith("refused:")]
    assert len(said) == 5
    assert all("cannot write" in line for line in said)
    versions = Versions(tmp_path)
    assert [(each.number, each.state) for each in versions.all()] == [(1, "served")]
    assert versions.ignored() == {}


def test_a_process_that_is_killed_at_any_moment_leaves_whole_versions(
    base: Checkpoint, tmp_path: Path
) -> None:
    found = [json.loads(line) for line in run(KILLED, tmp_path, base) if line.startswith("[")]
    assert len(found) == 12
    newest = 1
    for kept, served, ignored in found:
        assert ignored == {}
        assert kept[-1] > newest, "it was at work"
        newest = kept[-1]
        assert served in kept
    versions = Versions(tmp_path, "7")
    add(versions, base)
    assert [path.name for path in (tmp_path / "versions").glob(".[mw]*")] == []
