from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from edgeflow.inference.state import EncodedImage
from edgeflow_backend.images.single_flight import AHEAD_WORKERS, MAX_AHEAD, WORKERS, SingleFlight
from edgeflow_backend.images.sources import AsStored, Source, WebSource
from edgeflow_backend.memory.byte_lru import ByteLRU

PATIENCE_S = 10.0


@dataclass(frozen=True)
class Image:
    """Stands in for an image on the device."""

    name: str
    nbytes: int = 1


@dataclass
class Loads:
    """Loads that take as long as a test wants; ``held`` ones wait until they are released."""

    flights: SingleFlight = field(init=False)
    started: list[str] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    released: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.cache: ByteLRU[str, EncodedImage] = ByteLRU(10_000)
        self.flights = SingleFlight(self.cache, self._load)

    def _load(self, source: Source | AsStored) -> EncodedImage:
        self.started.append(source.key)
        if source.key in self.held:
            self.released.wait(PATIENCE_S)
        if "broken" in source.key:
            raise OSError(source.key)
        image = cast("Any", Image(source.key))
        self.cache.put(source.key, image)
        return cast("EncodedImage", image)

    def hold_ahead_workers(self) -> list[Future[EncodedImage]]:
        """Keep all workers for images loaded ahead busy."""
        names = [f"held {number}" for number in range(AHEAD_WORKERS)]
        self.held.update(names)
        futures = [ahead(self, name) for name in names]
        wait_until(lambda: len(self.started) == AHEAD_WORKERS)
        return futures


@pytest.fixture
def loads() -> Iterator[Loads]:
    running = Loads()
    yield running
    running.released.set()
    running.flights.close()


def source(name: str) -> WebSource:
    return WebSource(name)


def ahead(loads: Loads, name: str) -> Future[EncodedImage]:
    future = loads.flights.ask_ahead(source(name))
    assert future is not None
    return future


def click(loads: Loads, name: str) -> EncodedImage:
    return loads.flights.ask(source(name)).result(PATIENCE_S)


def wait_until(condition: Any) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.005)


def test_an_image_is_loaded_once_and_then_known(loads: Loads) -> None:
    first = click(loads, "a")
    assert click(loads, "a") is first
    assert loads.started == ["a"]


def test_many_who_ask_at_once_share_one_load(loads: Loads) -> None:
    loads.held.add("a")
    futures = [loads.flights.ask(source("a")) for _ in range(20)]
    loads.released.set()
    assert len({id(future.result(PATIENCE_S)) for future in futures}) == 1
    assert loads.started == ["a"]


def test_a_failed_load_is_told_to_all_and_forgotten(loads: Loads) -> None:
    for _ in range(2):
        with pytest.raises(OSError, match="broken"):
            click(loads, "broken")
    assert loads.started == ["broken"] * 2


def test_an_image_loaded_ahead_is_there_for_the_click(loads: Loads) -> None:
    image = ahead(loads, "a").result(PATIENCE_S)
    assert click(loads, "a") is image
    assert loads.started == ["a"]


def test_a_click_joins_a_load_ahead_that_runs(loads: Loads) -> None:
    (running, *_) = loads.hold_ahead_workers()
    joined = loads.flights.ask(source("held 0"))
    assert joined is running
    loads.released.set()
    assert joined.result(PATIENCE_S) is running.result(PATIENCE_S)
    assert loads.started.count("held 0") == 1


def test_a_click_takes_over_a_load_ahead_that_waits(loads: Loads) -> None:
    loads.hold_ahead_workers()
    waiting = ahead(loads, "a")
    assert click(loads, "a") is not None
    assert waiting.cancelled()
    loads.released.set()
    ahead(loads, "b").result(PATIENCE_S)  # by then the worker has passed the cancelled one
    assert loads.started.count("a") == 1


def test_a_load_that_was_taken_over_is_shared(loads: Loads) -> None:
    loads.hold_ahead_workers()
    loads.held.add("a")
    ahead(loads, "a")
    first, second = (loads.flights.ask(source("a")) for _ in range(2))
    assert first is second
    assert loads.flights.ask_ahead(source("a")) is None
    loads.released.set()
    first.result(PATIENCE_S)
    assert loads.started.count("a") == 1


def test_a_click_does_not_wait_for_loads_ahead(loads: Loads) -> None:
    loads.hold_ahead_workers()
    while loads.flights.ask_ahead(source(f"more {time.monotonic_ns()}")) is not None:
        pass
    started = time.monotonic()
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda name: click(loads, name), map(str, range(WORKERS))))
    assert time.monotonic() - started < 2
    assert len(loads.started) == AHEAD_WORKERS + WORKERS


def test_no_more_loads_wait_than_allowed(loads: Loads) -> None:
    loads.hold_ahead_workers()
    more = [loads.flights.ask_ahead(source(str(number))) for number in range(100)]
    taken = [future for future in more if future is not None]
    assert len(taken) == MAX_AHEAD - AHEAD_WORKERS
    assert more[: len(taken)] == taken, "the first ones"
    loads.released.set()
    for future in taken:
        future.result(PATIENCE_S)
    wait_until(lambda: loads.flights.ask_ahead(source("later")) is not None)


def test_a_load_that_was_taken_over_makes_room(loads: Loads) -> None:
    loads.hold_ahead_workers()
    for number in range(MAX_AHEAD - AHEAD_WORKERS):
        ahead(loads, str(number))
    assert loads.flights.ask_ahead(source("a")) is None
    click(loads, "7")
    ahead(loads, "a")


@pytest.mark.parametrize("state", ["known", "running", "waiting"])
def test_what_comes_already_is_not_loaded_ahead(loads: Loads, state: str) -> None:
    loads.hold_ahead_workers()
    if state == "known":
        click(loads, "a")
    elif state == "running":
        loads.held.add("a")
        loads.flights.ask(source("a"))
    else:
        ahead(loads, "a")
    assert loads.flights.ask_ahead(source("a")) is None


def test_a_failed_load_ahead_does_not_spoil_the_click(loads: Loads) -> None:
    with pytest.raises(OSError, match="broken"):
        ahead(loads, "broken").result(PATIENCE_S)
    with pytest.raises(OSError, match="broken"):
        click(loads, "broken")
    assert loads.started == ["broken"] * 2


def test_nothing_is_started_after_the_end(loads: Loads) -> None:
    loads.flights.close()
    for ask in (loads.flights.ask, loads.flights.ask_ahead):
        with pytest.raises(RuntimeError):
            ask(source("a"))
    assert loads.started == []


def test_what_waits_is_dropped_at_the_end(loads: Loads) -> None:
    loads.hold_ahead_workers()
    waiting = ahead(loads, "a")
    loads.flights.close()
    assert waiting.cancelled()


def test_clicks_and_loads_ahead_from_many_threads_load_each_image_once(loads: Loads) -> None:
    def hammer(seed: int) -> None:
        for number in range(200):
            name = str((seed * 7 + number * 13) % 50)
            if (seed + number) % 2:
                click(loads, name)
            else:
                loads.flights.ask_ahead(source(name))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hammer, range(8)))
    wait_until(lambda: loads.flights.ask_ahead(source("0")) is None)
    assert len(loads.started) == len(set(loads.started)) <= 50
