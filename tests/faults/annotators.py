"""People at work: streams of clicks on photographs, and each answer as the oracle wants it."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import requests

from tests.contract.wire import JSONObject, keypoint, request
from tests.faults.hosts import NAMES, SHARED_PROJECT, SIZE, picture
from tests.faults.oracle import RIGHT, Asked, Oracle, RecordedClick

Place = tuple[float, float, bool]
"""x and y in percent, and whether the click is positive."""

OBJECTS: dict[str, list[list[Place]]] = {
    "astronaut": [
        [(45, 60, True), (50, 25, True), (88, 30, False)],
        [(43, 20, True), (45, 30, True), (45, 75, False)],
        [(85, 30, True), (78, 20, True), (45, 20, False)],
    ],
    "cat": [
        [(35, 45, True), (60, 70, True), (90, 10, False)],
        [(28, 35, True), (38, 20, True), (80, 80, False)],
    ],
    "coffee": [
        [(50, 45, True), (60, 60, True), (10, 90, False)],
        [(75, 75, True), (70, 70, True), (50, 30, False)],
    ],
    "rocket": [
        [(50, 45, True), (50, 25, True), (15, 50, False)],
        [(25, 60, True), (27, 40, True), (60, 20, False)],
    ],
}
"""Clicks on objects of the photographs, the first on the object."""

VARIANTS = 4
"""So many ways to click on each object, a little apart."""

TASKS = 8
"""Fewer than people, who so meet on tasks; two tasks show the same photograph."""

COPIES = 6
"""So many URLs has each photograph, more than the caches hold."""

ANSWER_S = 25.0
"""The longest time to an answer: ``EDGEFLOW_REQUEST_TIMEOUT_S`` in these tests, and some more."""

AT_ANY_TIME = {"prompt_unusable", "superseded", "overloaded"}
"""What clicks may get without a fault: nothing is there, a newer click came, too many came at once.
"""

PAUSE_S = 0.3
"""Until somebody whose click failed clicks again."""


def clicks_on(name: str, number: int, variant: int) -> list[Place]:
    """Clicks on an object of a photograph."""
    chance = random.Random(f"{name} {number} {variant}")
    return [
        (x + chance.uniform(-3, 3), y + chance.uniform(-3, 3), positive)
        for x, y, positive in OBJECTS[name][number]
    ]


@dataclass
class Task:
    """A task that is open before somebody.

    Attributes:
        url: The backend's, or of one of its hosts.
        number: The task's id.
        image: URL of the picture as the task has it.
        pictures: Files, any of which may come from there.
        person: Distinguishes the ids of this person's clicks.
        project: The task's.
    """

    url: str
    number: int
    image: str
    pictures: tuple[bytes, ...]
    person: str = "a"
    project: int = SHARED_PROJECT
    made: dict[str, RecordedClick] = field(default_factory=dict)
    points: list[JSONObject] = field(default_factory=list)
    drafts: list[JSONObject] = field(default_factory=list)

    def click(self, x: float, y: float, positive: bool = True) -> Asked:
        """Click, and wait for the answer."""
        self.place(x, y, positive)
        return self.ask()

    def place(self, x: float, y: float, positive: bool = True) -> None:
        """Click without asking."""
        key = f"{self.person}-{self.number}-{len(self.made)}"
        shown = {"original_width": SIZE[0], "original_height": SIZE[1], "id": key}
        self.points.append({**keypoint(x, y, positive=positive), **shown})
        self.made[key] = (key, x, y, positive)

    def body(self, count: int | None = None) -> JSONObject:
        """The request for the first clicks, or for all."""
        body = request(*self.points[:count], image=self.image)
        body["tasks"][0]["id"] = self.number
        body["tasks"][0]["drafts"] = (
            [{"updated_at": "2026-01-01", "result": self.drafts}] if self.drafts else []
        )
        body["project"] = f"{self.project}.1"
        return body

    def ask(self, count: int | None = None) -> Asked:
        """Send the clicks so far, or the first of them, and wait for the answer."""
        body = self.body(count)
        started = time.monotonic()
        status, headers, answer = _post(f"{self.url}/predict", body)
        return self.asked(body, status, headers, answer, time.monotonic() - started)

    def asked(
        self,
        body: JSONObject,
        status: int,
        headers: dict[str, str],
        answer: JSONObject,
        seconds: float,
    ) -> Asked:
        """A request with its answer, for the oracle."""
        sent = tuple(point["id"] for point in body["params"]["context"]["result"])
        drafted = {region["id"]: region for region in self.drafts}
        recorded = {
            click[0]: tuple(click)
            for region in self.drafts
            for click in region["meta"]["edgeflow"]["clicks"]
        }
        return Asked(
            clicks={**recorded, **self.made},
            sent=sent,
            pictures=self.pictures,
            status=status,
            headers=headers,
            answer=answer,
            seconds=seconds,
            drafts=drafted,
        )

    def accept(self, answer: Asked) -> None:
        """Take an answer's regions into the draft, as the tick does; the clicks are gone."""
        self.drafts = answer.answer["results"][0]["result"]
        self.points = []


def _post(url: str, body: JSONObject) -> tuple[int, dict[str, str], JSONObject]:
    """Status (0: the connection broke), headers and JSON of an answer."""
    try:
        # Longer than any answer may take: the oracle says what was too long.
        response = requests.post(url, json=body, timeout=2 * ANSWER_S)
    except requests.RequestException:
        return 0, {}, {}
    answer: JSONObject = response.json()
    return response.status_code, dict(response.headers), answer


class Event(NamedTuple):
    """A request that ended.

    Attributes:
        at: When, on ``time.monotonic``'s clock.
        seconds: From sending to then.
        outcome: Right, broken, or an error's code; empty for a wrong answer.
    """

    at: float
    seconds: float
    outcome: str


@dataclass
class Tally:
    """What became of requests. Thread-safe.

    Attributes:
        events: All, in the order of their ends.
        wrong: What was neither right nor honest.
    """

    events: list[Event] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def outcomes(self) -> set[str]:
        """The different outcomes so far."""
        with self.lock:
            return {event.outcome for event in self.events}

    def since(self, moment: float) -> list[Event]:
        """All, with the times of their ends counted from a moment."""
        with self.lock:
            return [event._replace(at=event.at - moment) for event in self.events]

    def add(self, oracle: Oracle, asked: Asked) -> str:
        """Judge an answer and count it; returns the outcome, empty if it is wrong."""
        ended = time.monotonic()
        try:
            outcome = oracle.judge(asked, within_s=ANSWER_S)
        except (AssertionError, LookupError, TypeError, ValueError) as error:
            outcome = ""
            with self.lock:
                self.wrong.append(f"{type(error).__name__}: {error}"[:1000])
        with self.lock:
            self.events.append(Event(ended, asked.seconds, outcome))
        return outcome


@dataclass
class Annotator:
    """Somebody who clicks on one object after the other until told to stop.

    Attributes:
        number: Theirs.
        url: The backend's.
        images: URL of the pictures' host; or several, one of which each task has.
        oracle: Judges.
        tally: Takes what came of it.
        think_s: Mean time until the next click.
        last_right: When the newest right answer came.
        recovered: Objects of which every click was answered right.
    """

    number: int
    url: str
    images: Sequence[str]
    oracle: Oracle
    tally: Tally
    think_s: float = 0.03
    last_right: float = 0.0
    recovered: int = 0

    def work(self, stop: threading.Event) -> None:
        """Go from task to task."""
        chance = random.Random(self.number)
        turn = 0
        while not stop.is_set():
            number = chance.randrange(TASKS)
            name = NAMES[number % len(NAMES)]
            image = f"{chance.choice(self.images)}/{name}.png?copy={chance.randrange(COPIES)}"
            task = Task(self.url, number, image, (picture(name),), f"{self.number}-{turn}")
            shape = chance.randrange(len(OBJECTS[name]))
            places = clicks_on(name, shape, chance.randrange(VARIANTS))
            self.recovered += self._segment(task, places, stop, chance)
            turn += 1

    def _segment(
        self, task: Task, places: Iterable[Place], stop: threading.Event, chance: random.Random
    ) -> bool:
        """Click until each click is answered; whether all were at their first try."""
        smoothly = True
        for place in places:
            task.place(*place)
            while not stop.is_set():
                asked = task.ask()
                outcome = self.tally.add(self.oracle, asked)
                if outcome == RIGHT:
                    self.last_right = time.monotonic()
                    break
                smoothly = False
                if outcome == "prompt_unusable":  # nothing there, which is an answer, too
                    break
                stop.wait(PAUSE_S)
            stop.wait(chance.expovariate(1 / self.think_s))
        return smoothly


@dataclass
class Team:
    """Several people at work at once.

    Args:
        people: They.
    """

    people: list[Annotator]

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=person.work, args=(self._stop,), daemon=True)
            for person in self.people
        ]

    def __enter__(self) -> Team:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(2 * ANSWER_S + 5)

    def everybody_since(self, moment: float) -> bool:
        """Whether all have had a right answer to a request since then."""
        return all(person.last_right > moment for person in self.people)


def at_once(asks: Sequence[Callable[[], Asked]]) -> list[Asked]:
    """Ask from as many threads; answers in the order of the questions."""
    answers: list[Asked | None] = [None] * len(asks)

    def ask(number: int) -> None:
        answers[number] = asks[number]()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(asks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answer for answer in answers if answer is not None]
