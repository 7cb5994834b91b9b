from __future__ import annotations

import asyncio
import sys
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from edgeflow_backend.cluster.rendezvous import RendezvousRouter
from edgeflow_backend.cluster.routing import (
    CANDIDATES,
    OWN_ROUTER,
    RAYS_ROUTER,
    ranked,
    router,
)

NAMES = [f"replica{number}" for number in range(8)]


def test_a_key_has_the_same_place_whatever_the_order() -> None:
    assert ranked("image", NAMES) == ranked("image", reversed(NAMES))


def test_keys_are_spread_evenly() -> None:
    counts = Counter(ranked(f"image {number}", NAMES)[0] for number in range(4000))
    assert min(counts.values()) > 400
    assert max(counts.values()) < 600


def test_only_what_a_lost_replica_held_goes_elsewhere() -> None:
    before = {key: ranked(key, NAMES) for key in map(str, range(500))}
    left = [name for name in NAMES if name != NAMES[3]]
    for key, order in before.items():
        assert ranked(key, left) == [name for name in order if name != NAMES[3]]


def test_rays_router_is_used_while_it_is_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    assert router()["request_router_class"] == RAYS_ROUTER
    monkeypatch.setitem(sys.modules, "ray.serve.experimental", None)
    monkeypatch.delitem(sys.modules, RAYS_ROUTER.rpartition(".")[0], raising=False)
    assert router() == {"request_router_class": OWN_ROUTER}


def choose(session: str, names: list[str], internal: str = "x") -> list[str]:
    router = RendezvousRouter.__new__(RendezvousRouter)  # it has no state of its own
    replicas: list[Any] = [
        SimpleNamespace(replica_id=SimpleNamespace(unique_id=name)) for name in names
    ]
    call: Any = SimpleNamespace(
        metadata=SimpleNamespace(session_id=session, internal_request_id=internal)
    )
    ranks = asyncio.run(router.choose_replicas(replicas, call))
    return [replica.replica_id.unique_id for (replica,) in ranks]


def test_our_router_ranks_a_calls_replicas() -> None:
    assert choose("image", NAMES) == ranked("image", NAMES)[:CANDIDATES]
    assert choose("image", NAMES[:1]) == NAMES[:1]
    assert choose("", NAMES, internal="call 5") == ranked("call 5", NAMES)[:CANDIDATES]


def test_our_router_offers_all_where_no_call_is_named() -> None:
    router = RendezvousRouter.__new__(RendezvousRouter)
    assert asyncio.run(router.choose_replicas([], None)) == [[]]
