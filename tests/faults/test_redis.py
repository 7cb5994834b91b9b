"""The second tier is gone at the start, dies, stands still, lies or forgets: nobody notices."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator

import pytest
import requests

from tests.faults.enduring import RECOVERY_S, endure
from tests.faults.injectors import Fault
from tests.faults.world import World, world
from tests.redis_server import RedisServer

SETTINGS = {
    "EDGEFLOW_REDIS_KEY": "a-secret-of-these-tests",
    "EDGEFLOW_REDIS_TIMEOUT_S": "0.5",  # a busy machine is no fault
    # No states of its own: whatever can come from Redis does.
    "EDGEFLOW_STATE_CACHE_MB": "0",
}


@pytest.fixture(scope="module")
def tier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis that is not there when the backend starts."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def tiered(tier: RedisServer) -> Iterator[World]:
    with world(settings={**SETTINGS, "EDGEFLOW_REDIS_URL": tier.url}) as made:
        yield made


@contextlib.contextmanager
def _gone(tier: RedisServer) -> Iterator[None]:
    tier.kill()
    try:
        yield
    finally:
        tier.start()


@contextlib.contextmanager
def _lying(tier: RedisServer) -> Iterator[None]:
    """Values under others' keys, cut short, and with a bit changed."""
    chance, client = random.Random(0), tier.client
    values = {key: client.get(key) for key in client.keys("*") if client.type(key) == b"string"}
    for key, kept in values.items():
        at = chance.randrange(len(kept))
        changed = kept[:at] + bytes([kept[at] ^ 0x10]) + kept[at + 1 :]
        other = next((value for name, value in values.items() if name != key), b"")
        client.set(key, chance.choice([other, kept[:at], changed]), keepttl=True)
    yield


@contextlib.contextmanager
def _evicting(tier: RedisServer) -> Iterator[None]:
    """Room for little, and anything may go."""
    tier.client.config_set("maxmemory-policy", "allkeys-random")
    tier.client.config_set("maxmemory", "4mb")
    try:
        yield
    finally:
        tier.client.config_set("maxmemory", "0")


@contextlib.contextmanager
def _emptied(tier: RedisServer) -> Iterator[None]:
    tier.client.flushall()
    yield


TIER_FAULTS: dict[str, Callable[[RedisServer], contextlib.AbstractContextManager[None]]] = {
    "lies": _lying,
    "evicts": _evicting,
    "is emptied": _emptied,
    "stands still": RedisServer.halted,
    "dies": _gone,
}


def lookups(world: World, outcome: str) -> float:
    """How many of what was looked up in Redis had an outcome."""
    text = requests.get(f"{world.backend.url}/metrics", timeout=10).text
    return sum(
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith("edgeflow_shared_lookups_total") and f'outcome="{outcome}"' in line
    )


def work(world: World) -> None:
    endure(world, Fault("nothing happens", lambda _: contextlib.nullcontext()))


def work_until(world: World, outcome: str, before: float = 0.0) -> None:
    """Have people click until something that was looked up had an outcome once more."""
    deadline = time.monotonic() + RECOVERY_S
    while lookups(world, outcome) <= before:
        assert time.monotonic() < deadline
        work(world)


def test_gone_at_the_start_it_is_used_once_it_is_there(tiered: World, tier: RedisServer) -> None:
    work(tiered)
    tier.start()
    work_until(tiered, "hit")


@pytest.mark.parametrize("name", TIER_FAULTS)
def test_whatever_it_does_answers_are_right(tiered: World, tier: RedisServer, name: str) -> None:
    refused = lookups(tiered, "refused")
    endure(tiered, Fault(name, lambda _: TIER_FAULTS[name](tier)))
    if name == "lies":
        work_until(tiered, "refused", refused)
