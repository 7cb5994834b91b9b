"""What goes wrong, a row each: used by the tests under load and by ``benchmarks.soak``."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.slow_clients.clients import KINDS
from tests.faults.annotators import Task, at_once
from tests.faults.backends import decoders_of, frozen
from tests.faults.hosts import NAMES, picture
from tests.faults.oracle import BROKEN
from tests.faults.world import World

DAY_S = 86_400
SLOW_CLIENTS = 60
CROWD = 120
"""More clicks at once than the backend queues."""

Inject = Callable[[World], contextlib.AbstractContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong while people click.

    Attributes:
        what: In words, for the page that lists them.
        inject: Begins it, and ends it with the ``with`` block.
        felt: What some clicks get meanwhile, of necessity; empty if nobody should notice.
        codes: What else they may get.
        restarts: Whether the backend is another process afterwards.
    """

    what: str
    inject: Inject
    felt: str = ""
    codes: frozenset[str] = frozenset()
    restarts: bool = False


@contextlib.contextmanager
def _killed(world: World) -> Iterator[None]:
    world.backend.kill()
    try:
        yield
    finally:
        world.backend.start()


@contextlib.contextmanager
def _told_to_stop(world: World) -> Iterator[None]:
    world.backend.terminate()
    try:
        yield
    finally:
        world.backend.start()


@contextlib.contextmanager
def _frozen(world: World) -> Iterator[None]:
    with frozen(world.backend.pids):
        yield


@contextlib.contextmanager
def _decoders_killed(world: World) -> Iterator[None]:
    over = threading.Event()

    def kill() -> None:
        while not over.wait(0.05):
            for pid in decoders_of(world.backend):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()


@contextlib.contextmanager
def _decoders_starved(world: World) -> Iterator[None]:
    """No memory beyond what they have, as in a container that is full."""
    starved = decoders_of(world.backend)
    for pid in starved:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
        limit = pages * resource.getpagesize()
        resource.prlimit(pid, resource.RLIMIT_AS, (limit, limit))
    try:
        yield
    finally:
        for pid in starved:  # others take their place
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def _clock_off(seconds: float, world: World) -> Iterator[None]:
    write(world.clock, str(seconds))
    try:
        yield
    finally:
        write(world.clock, "0")


@contextlib.contextmanager
def _cache_spoiled(world: World) -> Iterator[None]:
    """Each file is cut, changed in one byte, or exchanged for another one."""
    chance = random.Random(0)
    for path in entries(world.cache):
        with contextlib.suppress(FileNotFoundError):  # swept meanwhile
            spoil(path, chance)
    yield


def _host(behaviour: str) -> Inject:
    return lambda world: world.pictures.behaving(behaviour)


def _studio(behaviour: str) -> Inject:
    return lambda world: world.studio.behaving(behaviour)


@contextlib.contextmanager
def _slow_clients(world: World) -> Iterator[None]:
    port = urlsplit(world.backend.url).port or 0
    host = urlsplit(world.backend.url).hostname or ""
    with contextlib.ExitStack() as clients:
        for _ in range(SLOW_CLIENTS // len(KINDS)):
            for kind, (first, _) in KINDS.items():
                client = clients.enter_context(socket.create_connection((host, port), timeout=10))
                client.sendall(first)
                if kind == "half-closed":
                    client.shutdown(socket.SHUT_WR)
        yield


@contextlib.contextmanager
def _crowd(world: World) -> Iterator[None]:
    """Others click all at once, and each must be answered, too."""
    tasks = [
        Task(world.backend.url, number, f"{world.pictures.url}/{name}.png", (picture(name),), "c")
        for number in range(CROWD)
        for name in [NAMES[number % len(NAMES)]]
    ]
    for task in tasks:
        task.place(50, 45)
    for asked in at_once([task.ask for task in tasks]):
        if world.oracle.judge(asked, within_s=60) == BROKEN:
            raise AssertionError("a click of many was not answered")
    yield


def write(path: Path, text: str) -> None:
    """Write a file that is read meanwhile."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def entries(cache: Path) -> list[Path]:
    """Files of the backend's cache of pictures."""
    return sorted(path for path in cache.rglob("*") if path.is_file() and not path.suffix)


def spoil(path: Path, chance: random.Random) -> None:
    """Damage a file as a bad disk, a full one, or a person might."""
    data = bytearray(path.read_bytes())
    way = chance.randrange(3)
    if way == 0:
        data = data[: len(data) // 2]
    elif way == 1:
        data[chance.randrange(len(data))] ^= 0x10
    else:
        others = [other for other in entries(path.parents[1]) if other != path]
        data = bytearray(chance.choice(others).read_bytes()) if others else bytearray()
    path.write_bytes(data)


STARTING = frozenset({"not_ready"})

FAULTS: dict[str, Fault] = {
    "kill": Fault(
        "`kill -9` of the backend, and a restart", _killed, BROKEN, STARTING, restarts=True
    ),
    "stop": Fault("`SIGTERM`, and a restart", _told_to_stop, BROKEN, STARTING, restarts=True),
    "freeze": Fault("the backend gets no processor for a while (`SIGSTOP`)", _frozen),
    "decoders": Fault(
        "`kill -9` of the children that decode pictures", _decoders_killed, "image_unreadable"
    ),
    "memory": Fault(
        "those children get no more memory",
        _decoders_starved,
        "image_too_large",
        frozenset({"image_unreadable"}),
    ),
    "tomorrow": Fault("the wall clock jumps a day ahead", partial(_clock_off, DAY_S)),
    "yesterday": Fault("the wall clock jumps a day back", partial(_clock_off, -DAY_S)),
    "cache": Fault("pictures in the disk cache are cut, changed, exchanged", _cache_spoiled),
    "slow-clients": Fault("clients that are slow, silent, half-closed", _slow_clients),
    "crowd": Fault(f"{CROWD} clicks at once", _crowd),
    "pictures-down": Fault("the pictures' host is down", _host("down"), "image_fetch"),
    "pictures-slow": Fault("the pictures' host is slow", _host("slow")),
    "pictures-stall": Fault("it stalls in the middle of a file", _host("stall"), "image_fetch"),
    "pictures-reset": Fault("it resets connections", _host("reset"), "image_fetch"),
    "pictures-truncate": Fault("it sends less than it announced", _host("truncate"), "image_fetch"),
    "pictures-500": Fault("it answers 500", _host("500"), "image_fetch"),
    "studio-down": Fault("Label Studio is down", _studio("down"), "image_fetch"),
    "studio-slow": Fault("Label Studio is slow", _studio("slow")),
    "studio-stall": Fault("it stalls in the middle of an answer", _studio("stall"), "image_fetch"),
    "studio-401": Fault("it answers 401", _studio("401"), "image_fetch"),
    "studio-429": Fault("it answers 429", _studio("429"), "image_fetch"),
    "studio-500": Fault("it answers 500", _studio("500"), "image_fetch"),
}
"""By name. Each must leave every answer right or honest, and end with all of them right again."""
