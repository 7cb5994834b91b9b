"""A network that parts between hosts, in the middle of requests; namespaces stand in for machines.

The side whose cable is pulled is the far one, so that nothing tells the near one of it: its packets
are lost.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from functools import partial

import pytest

from tests.contract.images import TOKEN
from tests.faults.annotators import ANSWER_S, Task, at_once, clicks_on
from tests.faults.backends import OneProcess, descriptors, health, until
from tests.faults.hosts import NAMES, picture
from tests.faults.networks import Network, can_make_networks, inside, network
from tests.faults.oracle import RIGHT, Oracle
from tests.faults.pending import Pending
from tests.faults.world import SETTINGS, check_log

APART_S = 1.0
VANISHED = 20
DOWNLOAD_S = 10.0
"""The limit of a download in these tests, and some more."""

BACKEND_PORT = 24100


@pytest.fixture(scope="module")
def parted() -> Iterator[Network]:
    if not can_make_networks():
        assert not os.environ.get("CI"), "CI needs root, and to make network namespaces"
        pytest.skip("needs root, and to make network namespaces")
    with network() as made:
        yield made


@pytest.fixture(scope="module")
def backend(parted: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneProcess]:
    settings = {
        **SETTINGS,
        "EDGEFLOW_ALLOWED_HOSTS": parted.hosts_address,
        "LABEL_STUDIO_URL": parted.studio,
        "LABEL_STUDIO_API_KEY": TOKEN,
    }
    folder = tmp_path_factory.mktemp("partition")
    address, port = parted.backend_address, BACKEND_PORT
    with OneProcess(
        folder, settings, before=inside(parted.backend), address=address, port=port
    ) as started:
        yield started
    check_log(started.log)


@pytest.fixture(scope="module")
def oracle(backend: OneProcess) -> Oracle:
    return Oracle(health(backend.url).json()["runtime"])


def open_task(backend: OneProcess, number: int, image: str, name: str = "cat") -> Task:
    return Task(backend.url, number, f"{image}/{name}.png", (picture(name),))


def is_right(oracle: Oracle, task: Task) -> bool:
    return oracle.judge(task.ask(), within_s=ANSWER_S) == RIGHT


def test_without_its_hosts_it_answers_for_what_it_has_and_says_what_it_lacks(
    backend: OneProcess, parted: Network, oracle: Oracle
) -> None:
    first, then = clicks_on("cat", 0, 0)[:2]
    known = open_task(backend, 1, parted.pictures)
    assert oracle.judge(known.click(*first), within_s=ANSWER_S) == RIGHT
    under_way = open_task(backend, 2, f"{parted.pictures}/slow")
    under_way.place(*first)
    others = [
        open_task(backend, 3, f"{parted.pictures}/later"),
        open_task(backend, 4, "/data/upload/1"),
    ]
    for task in others:
        task.place(*first)
    begun = Pending(under_way)
    time.sleep(0.15)  # the picture is on its way
    with parted.without_hosts():
        assert oracle.judge(known.click(*then), within_s=ANSWER_S) == RIGHT
        asked = [*at_once([task.ask for task in others]), begun.read()]
    for each in asked:
        assert oracle.judge(each, within_s=DOWNLOAD_S) == "image_fetch"
    for task in (*others, under_way):
        until(partial(is_right, oracle, task))


def test_annotators_who_were_cut_off_for_a_while_get_their_answers(
    backend: OneProcess, parted: Network, oracle: Oracle
) -> None:
    tasks = [open_task(backend, 10 + number, parted.pictures, NAMES[number]) for number in range(4)]
    for task in tasks:
        task.place(50, 45)
    pending = [Pending(task) for task in tasks]
    with parted.without_annotators():
        time.sleep(APART_S)
    for each in pending:
        assert oracle.judge(each.read(), within_s=ANSWER_S) == RIGHT


def test_connections_of_those_who_never_come_back_are_given_up(
    backend: OneProcess, parted: Network
) -> None:
    """Half-open ones: the other end is gone, and nothing will ever say so."""
    before = descriptors(backend)
    clients = []
    for _ in range(VANISHED):
        client = socket.create_connection((parted.backend_address, BACKEND_PORT), timeout=10)
        client.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\n")
        clients.append(client)
    until(lambda: descriptors(backend) >= before + VANISHED)
    with parted.without_annotators():
        until(lambda: descriptors(backend) < before + VANISHED // 2, 40)
    for client in clients:
        client.close()
