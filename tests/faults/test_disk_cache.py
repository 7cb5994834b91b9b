"""A disk that is full, cannot be written, or gives back something else: no click is lost."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.faults.annotators import ANSWER_S, Task, at_once
from tests.faults.backends import OneProcess
from tests.faults.hosts import NAMES, picture
from tests.faults.injectors import entries, spoil
from tests.faults.oracle import RIGHT
from tests.faults.world import World, world

WARNING = "images are not cached on disk"
MOUNT = 'mkdir -p "$0" && mount -t tmpfs -o size=64k none "$0" && exec "$@"'
UNSHARE = ["unshare", "--mount", "--map-root-user", "sh", "-c", MOUNT]
"""A file system of one's own, which no one else sees and which goes with the process."""


@pytest.fixture(scope="module")
def on_a_disk() -> Iterator[World]:
    """A world whose backend has its cache on a small disk of its own."""
    mounts = (
        shutil.which("unshare")
        and not subprocess.run(
            [*UNSHARE, "/mnt", "true"], capture_output=True, check=False
        ).returncode
    )
    if not mounts:
        assert not os.environ.get("CI"), "CI needs namespaces in which it may mount"
        pytest.skip("no namespaces in which one may mount")

    def make(folder: Path, environment: Mapping[str, str]) -> OneProcess:
        cache = environment["EDGEFLOW_IMAGE_DISK_CACHE_DIR"]
        return OneProcess(folder, environment, before=[*UNSHARE, cache])

    with world(make, disk_cache_mb=64, settings={"EDGEFLOW_IMAGE_CACHE_MB": "0"}) as made:
        yield made


def remount(world: World, options: str) -> None:
    """Change the disk under the running backend."""
    enter = ["nsenter", "--target", str(world.backend.pids[0]), "--user", "--mount"]
    mount = ["mount", "-o", f"remount,{options}", str(world.cache)]
    subprocess.run([*enter, *mount], check=True, capture_output=True)


def fetches_of_clicks(world: World, visit: str) -> int:
    """Click on each photograph, under a URL of this visit; how many were fetched for it."""
    before = len(world.pictures.fetched)
    tasks = []
    for number, name in enumerate(NAMES):
        image = f"{world.pictures.url}/{name}.png?{visit}"
        task = Task(world.backend.url, number, image, (picture(name),), visit)
        task.place(50, 45)
        tasks.append(task)
    for asked in at_once([task.ask for task in tasks]):
        assert world.oracle.judge(asked, within_s=ANSWER_S) == RIGHT
    return len(world.pictures.fetched) - before


def test_a_disk_that_takes_nothing_costs_no_click_and_one_warning(on_a_disk: World) -> None:
    for options in ("size=64k", "ro"):  # full with the first picture
        remount(on_a_disk, options)
        for _ in range(2):
            assert fetches_of_clicks(on_a_disk, options) == len(NAMES)
    assert on_a_disk.backend.log.read_text().count(WARNING) == 1
    remount(on_a_disk, "rw,size=64m")
    assert fetches_of_clicks(on_a_disk, "mended") == len(NAMES)
    assert fetches_of_clicks(on_a_disk, "mended") == 0


def test_an_entry_that_was_changed_is_fetched_again_and_mended(on_a_disk: World) -> None:
    remount(on_a_disk, "rw,size=64m")
    assert fetches_of_clicks(on_a_disk, "changed") == len(NAMES)
    inside = Path(f"/proc/{on_a_disk.backend.pids[0]}/root{on_a_disk.cache}")
    chance = random.Random(1)
    for _ in range(3):
        for path in entries(inside):
            spoil(path, chance)
        assert fetches_of_clicks(on_a_disk, "changed") == len(NAMES)
    assert fetches_of_clicks(on_a_disk, "changed") == 0
