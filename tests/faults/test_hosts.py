"""Hosts of pictures, and Label Studio as one, that do anything but send the picture."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.annotators import ANSWER_S, Task, at_once
from tests.faults.hosts import BEHAVIOURS, NAMES, OTHER, picture
from tests.faults.oracle import RIGHT, Asked
from tests.faults.world import World, world

FETCH = "image_fetch"
EXPECTED = {
    "well": RIGHT,
    "text": RIGHT,
    "slow": RIGHT,
    "change": RIGHT,
    "short": RIGHT,
    "silent": FETCH,
    "stall": FETCH,
    "drip": FETCH,
    "reset": FETCH,
    "truncate": FETCH,
    "lengths": FETCH,
    "unzipped": FETCH,
    "zip-bomb": FETCH,
    "chunks": FETCH,
    "flood": FETCH,
    "html": "image_unreadable",
    "damaged": "image_unreadable",
    "nothing": "image_unreadable",
    "not-http": FETCH,
    "size": "prompt_unusable",
    "circle": FETCH,
    "inside": FETCH,
    "401": FETCH,
    "404": FETCH,
    "429": FETCH,
    "500": FETCH,
    "503": FETCH,
}
"""What a click gets on a picture of a host that behaves so."""

AT_LABEL_STUDIO = {"html": FETCH}
"""Where it is different: there, a page is most likely a login."""

NAME = NAMES[0]
WHOLE = picture(NAME)
PICTURES = {"change": (WHOLE, picture(OTHER[NAME])), "short": (WHOLE[: len(WHOLE) // 2],)}
"""What a host may have sent where that is not the picture."""


@pytest.fixture(scope="module")
def hosts() -> Iterator[World]:
    with world(settings={"EDGEFLOW_IMAGE_CACHE_MB": "0"}) as made:
        yield made


@pytest.fixture(scope="module")
def answers(hosts: World) -> dict[tuple[str, str], Asked]:
    """A click for each behaviour of each host, all at the same time."""
    places = {"pictures": hosts.pictures.url, "studio": "/data/upload/1"}
    asks = {}
    for number, (place, url) in enumerate(places.items()):
        for order, behaviour in enumerate(BEHAVIOURS):
            pictures = PICTURES.get(behaviour, (WHOLE,))
            image = f"{url}/{behaviour}/{NAME}.png"
            task = Task(hosts.backend.url, 100 * number + order, image, pictures)
            task.place(45, 20)
            asks[place, behaviour] = task.ask
    return dict(zip(asks, at_once(list(asks.values())), strict=True))


@pytest.mark.parametrize("place", ["pictures", "studio"])
@pytest.mark.parametrize("behaviour", EXPECTED)
def test_a_click_gets_its_mask_or_the_reason(
    hosts: World, answers: dict[tuple[str, str], Asked], place: str, behaviour: str
) -> None:
    expected = EXPECTED[behaviour]
    if place == "studio":
        expected = AT_LABEL_STUDIO.get(behaviour, expected)
    assert hosts.oracle.judge(answers[place, behaviour], within_s=ANSWER_S) == expected


def test_every_behaviour_has_its_row() -> None:
    assert EXPECTED.keys() == BEHAVIOURS.keys()


def test_each_answer_is_of_one_picture_where_the_host_changes_it(hosts: World) -> None:
    """Never the states of one with the pixels of the other."""
    image = f"{hosts.pictures.url}/change/{NAME}.png?again"
    task = Task(hosts.backend.url, 1000, image, PICTURES["change"])
    for place in ((45, 20, True), (45, 60, True), (60, 40, True), (88, 30, False)):
        assert hosts.oracle.judge(task.click(*place), within_s=ANSWER_S) == RIGHT
