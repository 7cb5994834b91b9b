"""``edgeflow propagate`` over a folder that an earlier run wrote to, or was killed at."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeflow.cli.sequences.run_folder import OWN
from tests.unit.edgeflow.cli.test_propagate import numbers_in, propagate, scores_in
from tests.unit.edgeflow.sequences.moving import disk, picture

pytestmark = pytest.mark.slow

FRAMES = 9


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frames")
    for number in range(FRAMES):
        Image.fromarray(picture(number)).save(folder / f"f{number}.png")
    return folder


def masks(folder: Path, pages: dict[int, bool]) -> Path:
    """Masks of the disk on those frames; empty ones where it is said not to be there."""
    folder.mkdir()
    for number, there in pages.items():
        mask = disk(number) if there else np.zeros_like(disk(number))
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / f"f{number}.png")
    return folder


def results(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != OWN}


def steps(folder: Path) -> int:
    return len(list((folder / OWN / "steps").glob("*.npz")))


def test_a_killed_run_is_taken_up_and_ends_in_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    arguments = [folder, "--click", "55,60", "--mask", masks(tmp_path / "given", {4: True})]
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert propagate(*arguments, "-o", whole).exit_code == 0
    command = [sys.executable, "-m", "edgeflow.cli", "propagate", *arguments, "-o", out]
    with subprocess.Popen(
        list(map(str, command)),
        stdout=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        patience = time.monotonic() + 300
        while steps(out) < 4 and process.poll() is None and time.monotonic() < patience:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    kept = steps(out)
    assert 4 <= kept < steps(whole)
    assert not (out / "scores.json").exists()
    (out / ".writing-torn").mkdir()
    result = propagate(*arguments, "-o", out)
    assert result.exit_code == 0, result.output
    assert f"{kept} steps of an earlier run kept" in result.output
    assert results(out) == results(whole)


def test_a_correction_replaces_what_follows_from_it_and_nothing_else(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = masks(tmp_path / "first", {0: True})
    assert propagate(folder, "--mask", first, "-o", out).exit_code == 0
    assert steps(out) == FRAMES
    for name, pages, kept in (
        ("corrected", {0: True, 6: True}, 1 + 3),  # frames 1 to 3 are nearer to the first
        ("gone", {0: True, 3: False}, 1 + 2),
    ):
        given = masks(tmp_path / name, pages)
        result = propagate(folder, "--mask", given, "-o", out)
        assert result.exit_code == 0, result.output
        assert f"{kept} steps of an earlier run kept" in result.output
        assert propagate(folder, "--mask", given, "-o", tmp_path / f"{name}-new").exit_code == 0
        assert results(out) == results(tmp_path / f"{name}-new")
    assert list(scores_in(out)) == ["f0.png", "f1.png", "f2.png"]


def test_steps_that_are_damaged_are_taken_anew(folder: Path, tmp_path: Path) -> None:
    out, given = tmp_path / "out", masks(tmp_path / "given", {0: True})
    arguments = (folder, "--mask", given, "--most-pages", 3, "-o", out)
    assert propagate(*arguments).exit_code == 0
    before = results(out)
    for path in (out / OWN / "steps").iterdir():
        path.write_bytes(path.read_bytes()[:99])
    result = propagate(*arguments)
    assert result.exit_code == 0, result.output
    assert "earlier run" not in result.output
    assert results(out) == before


def test_masks_that_a_run_would_lose_are_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, given = tmp_path / "out", masks(tmp_path / "given", {0: True})
    assert propagate(folder, "--mask", given, "--most-pages", 1, "-o", out).exit_code == 0
    monkeypatch.setattr("edgeflow.cli.sequences.propagate.load_predictor", None)
    other = tmp_path / "other"
    other.mkdir()
    for name in ("f0.png", "f1.png"):
        Image.fromarray(picture(0)).save(other / name)
    for arguments, reason in (
        ((other, "--mask", given), "holds masks of other frames or clicks"),
        ((folder, "--mask", given, "--click", "3,3"), "holds masks of other frames or clicks"),
        ((folder, "--mask", out / "f1.png"), "lies where masks are written"),
    ):
        result = propagate(*arguments, "-o", out)
        assert result.exit_code == 1
        assert reason in " ".join(result.output.split())
    changed = numbers_in(out / "f1.png").astype(np.uint8)
    changed[:9] = 1
    Image.fromarray(changed).save(out / "f1.png")
    result = propagate(folder, "--mask", given, "-o", out)
    assert result.exit_code == 1
    assert "was changed by hand" in " ".join(result.output.split())
    assert (numbers_in(out / "f1.png") == changed).all()
