"""Requests that come twice, out of order or not at all; people who meet; clients who hold on."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.faults.annotators import ANSWER_S, Task, at_once, clicks_on
from tests.faults.backends import OneProcess, descriptors, has_read_all, until
from tests.faults.hosts import NAMES, picture
from tests.faults.oracle import RIGHT, Asked
from tests.faults.pending import Pending
from tests.faults.world import PATIENT, World, world

ONE_PERSON, TWO_PEOPLE = 1, 2
"""Projects, by how many people annotate their tasks."""

CROWD = 500
CROWD_S = 60.0
HANG_UP = 100
BEGUN = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"


@pytest.fixture(scope="module")
def calm() -> Iterator[World]:
    """A world in which nothing is spoiled but the requests."""
    with world(settings=PATIENT) as made:
        yield made


def open_task(world: World, number: int, name: str, person: str, project: int) -> Task:
    image = f"{world.pictures.url}/{name}.png"
    return Task(world.backend.url, number, image, (picture(name),), person, project)


def judged(world: World, asked: Asked) -> str:
    return world.oracle.judge(asked, within_s=ANSWER_S)


@pytest.mark.parametrize("project", [ONE_PERSON, TWO_PEOPLE])
def test_requests_twice_out_of_order_or_given_up_get_their_own_masks(
    calm: World, project: int
) -> None:
    """Two people on each of two tasks that show the same photograph."""
    chance = random.Random(project)
    sent: list[Pending] = []
    for number in (10 * project, 10 * project + 1):
        for person in ("ann", "ben"):
            task = open_task(calm, number, "astronaut", person, project)
            for place in clicks_on("astronaut", number % 3, len(sent)):
                task.place(*place)
            counts = [1, 1, 2, 3, 3]
            chance.shuffle(counts)
            sent += [Pending(task, count) for count in counts]
    chance.shuffle(sent)
    for given_up in sent[::4]:
        given_up.give_up()
    kept = [each for order, each in enumerate(sent) if order % 4]
    outcomes = [judged(calm, each.read()) for each in kept]
    assert set(outcomes) <= {RIGHT, "superseded"}, outcomes
    assert outcomes.count(RIGHT) >= 4, outcomes  # the newest of each person in each task


def test_two_people_take_turns_on_one_task_and_get_their_own_objects(calm: World) -> None:
    people = [open_task(calm, 50, "astronaut", person, TWO_PEOPLE) for person in ("ann", "ben")]
    objects = [clicks_on("astronaut", number, number) for number in range(2)]
    for order in range(3):
        for person, places in zip(people, objects, strict=True):
            asked = person.click(*places[order])
            assert judged(calm, asked) == RIGHT
            (region,) = asked.answer["results"][0]["result"]
            assert len(region["meta"]["edgeflow"]["clicks"]) == order + 1


def test_one_picture_in_two_tasks_has_two_objects_with_ids_of_their_own(calm: World) -> None:
    tasks = [open_task(calm, number, "cat", "ann", ONE_PERSON) for number in (60, 61)]
    for order in range(2):
        for variant, task in enumerate(tasks):
            task.place(*clicks_on("cat", 0, variant)[order])
        answers = at_once([task.ask for task in tasks])
        assert [judged(calm, asked) for asked in answers] == [RIGHT, RIGHT]
        regions = [asked.answer["results"][0]["result"][0] for asked in answers]
        assert regions[0]["id"] != regions[1]["id"]


def test_five_hundred_at_once_are_each_answered_or_told_to_come_again(calm: World) -> None:
    name = NAMES[0]
    task = open_task(calm, 70, name, "first", TWO_PEOPLE)
    assert judged(calm, task.click(45, 20)) == RIGHT  # the picture is there
    pending = []
    for number in range(CROWD):
        each = open_task(calm, 1000 + number, name, f"p{number}", TWO_PEOPLE)
        each.place(*clicks_on(name, number % 3, number % 4)[0])
        pending.append(Pending(each))
    outcomes = [calm.oracle.judge(each.read(), within_s=CROWD_S) for each in pending]
    assert set(outcomes) <= {RIGHT, "overloaded"}
    assert outcomes.count(RIGHT) >= 48  # as many as may wait
    assert judged(calm, replace(task, person="after", made={}, points=[]).click(45, 20)) == RIGHT


def test_clients_who_hang_up_in_the_middle_of_a_request_leave_nothing_behind(calm: World) -> None:
    backend = calm.backend
    assert isinstance(backend, OneProcess)
    before = descriptors(backend)
    address = ("127.0.0.1", backend.port)
    clients = []
    for number in range(HANG_UP):
        client = socket.create_connection(address, timeout=10)
        client.sendall(BEGUN[: number % len(BEGUN)])
        clients.append(client)
    until(lambda: has_read_all(backend.port))
    task = open_task(calm, 80, "cat", "ann", ONE_PERSON)
    assert judged(calm, task.click(*clicks_on("cat", 0, 0)[0])) == RIGHT
    for client in clients:
        client.close()
    until(lambda: descriptors(backend) <= before + 8)
