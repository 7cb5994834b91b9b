"""Disks that are full, cannot be written, or give back something else: no click is lost."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from tests.faults.annotators import ANSWER_S, Task, at_once
from tests.faults.backends import OneProcess
from tests.faults.hosts import NAMES, picture
from tests.faults.injectors import entries, spoil
from tests.faults.oracle import RIGHT
from tests.faults.world import World, world

WARNING = "images are not cached on disk"
MOUNT = 'mkdir -p "$0" && mount -t tmpfs -o {} none "$0" && exec "$@"'
UNSHARE = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
"""A file system of one's own, which no one else sees and which goes with the process."""

DISKS = {"full": "size=64k", "read-only": "ro"}


@pytest.fixture(scope="module", autouse=True)
def _mounts() -> None:
    mounts = (
        shutil.which("unshare") is not None
        and not subprocess.run(
            [*UNSHARE, MOUNT.format("size=64k"), "/mnt", "true"], capture_output=True, check=False
        ).returncode
    )
    if not mounts:
        assert not os.environ.get("CI"), "CI needs namespaces in which it may mount"
        pytest.skip("no namespaces in which one may mount")


def on_a_disk(disk: str, folder: Path, environment: Mapping[str, str]) -> OneProcess:
    """A backend whose cache is on a disk of its own."""
    cache = environment["EDGEFLOW_IMAGE_DISK_CACHE_DIR"]
    return OneProcess(folder, environment, before=[*UNSHARE, MOUNT.format(disk), cache])


def click_on_all(world: World, visit: str) -> None:
    """A first click on each photograph, under a URL of this visit."""
    tasks = []
    for number, name in enumerate(NAMES):
        image = f"{world.pictures.url}/{name}.png?{visit}"
        task = Task(world.backend.url, number, image, (picture(name),), visit)
        task.place(50, 45)
        tasks.append(task)
    for asked in at_once([task.ask for task in tasks]):
        assert world.oracle.judge(asked, within_s=ANSWER_S) == RIGHT


@pytest.mark.parametrize("disk", DISKS)
def test_a_disk_that_takes_nothing_costs_no_click_and_one_warning(disk: str) -> None:
    with world(partial(on_a_disk, DISKS[disk]), settings={"EDGEFLOW_IMAGE_CACHE_MB": "0"}) as made:
        for visit in ("first", "second"):
            click_on_all(made, visit)
        click_on_all(made, "first")
        assert made.backend.log.read_text().count(WARNING) == 1
        assert len(made.pictures.fetched) == 3 * len(NAMES)


def test_an_entry_that_was_changed_is_fetched_again_and_mended() -> None:
    with world(disk_cache_mb=64, settings={"EDGEFLOW_IMAGE_CACHE_MB": "0"}) as made:
        click_on_all(made, "v")
        click_on_all(made, "v")
        assert len(made.pictures.fetched) == len(NAMES)
        chance = random.Random(1)
        for _ in range(3):
            before = len(made.pictures.fetched)
            for path in entries(made.cache):
                spoil(path, chance)
            click_on_all(made, "v")
            assert len(made.pictures.fetched) == before + len(NAMES)
        click_on_all(made, "v")
        assert len(made.pictures.fetched) == 4 * len(NAMES)
        assert WARNING not in made.backend.log.read_text()
