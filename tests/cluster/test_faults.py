"""A door in front of Ray's replicas: whichever process dies, answers are right or honest."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import torch

from demo.ray_head import Head, ray_head
from tests.faults.annotators import ANSWER_S, Task, at_once
from tests.faults.backends import OneProcess, frozen, until
from tests.faults.enduring import endure
from tests.faults.hosts import picture
from tests.faults.injectors import FAULTS, Fault
from tests.faults.oracle import RIGHT
from tests.faults.world import PATIENT, World, world

FIRST_PORT = 24000
REPLICAS = 2
START_S = 180.0


@pytest.fixture(scope="module")
def head() -> Iterator[Head]:
    with ray_head(FIRST_PORT, dashboard=False) as running:
        yield running


@pytest.fixture(scope="module")
def clustered(head: Head) -> Iterator[World]:
    def make(folder: Path, environment: Mapping[str, str]) -> OneProcess:
        joined = {**environment, **head.environment, "EDGEFLOW_CLUSTER_REPLICAS": str(REPLICAS)}
        # With the clock of these tests, which Ray's own environment leaves out.
        joined["PYTHONPATH"] = environment["PYTHONPATH"]
        options = ("--cluster", head.address)
        return OneProcess(folder, joined, options=options, start_s=START_S)

    # As many threads as the oracle has: others add up in another order.
    threads = {"EDGEFLOW_CPU_THREADS": str(torch.get_num_threads())}
    with world(make, settings=PATIENT | threads) as made:
        until(lambda: len(head.replicas()) == REPLICAS, START_S)
        yield made


def brain_of(head: Head) -> int:
    """The process that knows what is in the cluster."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = path.read_bytes()
            if b"gcs_server\0" in command and b"port=%d\0" % head.port in command:
                return int(path.parent.name)
    raise LookupError("no gcs_server")


def test_a_replica_that_stands_still_for_a_moment_costs_no_click(
    clustered: World, head: Head
) -> None:
    endure(clustered, Fault("a replica is frozen", lambda _: frozen(head.replicas()[:1])))


def test_a_door_that_dies_comes_back_to_the_same_replicas(clustered: World, head: Head) -> None:
    before = head.replicas()
    endure(clustered, FAULTS["kill"])
    assert head.replicas() == before


def test_without_its_head_it_answers_rightly_or_honestly(clustered: World, head: Head) -> None:
    """The last: a head that died takes its cluster with it, after a minute the door, too."""
    image = f"{clustered.pictures.url}/cat.png"
    tasks = [
        Task(clustered.backend.url, 500 + number, image, (picture("cat"),)) for number in range(4)
    ]
    for number, task in enumerate(tasks):
        task.place(50, 45 + number)
    os.kill(brain_of(head), signal.SIGKILL)
    for asked in at_once([task.ask for task in tasks]):
        outcome = clustered.oracle.judge(asked, within_s=ANSWER_S)
        assert outcome in (RIGHT, "deadline", "not_ready", "overloaded", "replica_lost")
