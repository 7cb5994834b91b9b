"""Weights that are missing, cut short, or another model's."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, shipped_folder
from tests.faults.annotators import Task
from tests.faults.backends import OneProcess, health, until
from tests.faults.hosts import NAMES, picture
from tests.faults.oracle import Oracle

NAME = DEFAULT_MODEL
FILE = f"{NAME}.safetensors"
OTHER = "edgeflow_lite_v2.safetensors"
START_S = 60.0


def _missing(folder: Path) -> None:
    (folder / FILE).unlink()


def _cut_short(folder: Path) -> None:
    os.truncate(folder / FILE, 1_000_000)


def _of_another(folder: Path) -> None:
    shutil.copy(folder / OTHER, folder / FILE)


SPOILT: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing": (_missing, FILE),
    "cut short": (_cut_short, "has sha256"),
    "of another": (_of_another, "has sha256"),
}
"""What is done to the weights, and what the reason names."""


@pytest.fixture(scope="module")
def backends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, OneProcess]]:
    """A backend for each, started at the same time."""
    with ExitStack() as stack:
        started = {}
        for name, (spoil, _) in SPOILT.items():
            folder = tmp_path_factory.mktemp("weights")
            shutil.copytree(shipped_folder(), folder / "weights")
            spoil(folder / "weights")
            settings = {"EDGEFLOW_MODEL": str(folder / "weights" / FILE)}
            backend = OneProcess(folder, settings)
            stack.callback(backend.stop)
            backend.launch()
            started[name] = backend
        yield started


@pytest.mark.parametrize("name", SPOILT)
def test_a_backend_with_spoilt_weights_says_so_and_answers_nothing(
    backends: dict[str, OneProcess], name: str
) -> None:
    backend, (_, reason) = backends[name], SPOILT[name]
    until(lambda: backend.listens and health(backend.url).json()["status"] == "DOWN", START_S)
    down = health(backend.url)
    assert down.status_code == 503
    assert reason in down.json()["error"]["message"]
    assert down.json()["error"]["hint"]
    task = Task(backend.url, 1, "data:,", (picture(NAMES[0]),))
    asked = task.click(50, 45)
    assert asked.status == 503
    assert Oracle("none").judge(asked, within_s=5) == "not_ready"
    report = requests.get(f"{backend.url}/status?format=json", timeout=10).json()
    assert report["model"]["state"] == "failed"
    assert reason in report["model"]["message"]
    assert backend.alive
