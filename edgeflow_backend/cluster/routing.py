"""Which replica a call goes to: the one that has held the image since it was opened.

Ray's own router does that under a path that says "experimental"; should a version of Ray lack it,
the one below does the same with rendezvous hashing (Thaler and Ravishankar, 1998).
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterable
from typing import Any

RAYS_MODULE = "ray.serve.experimental.consistent_hash_router"
RAYS_ROUTER = f"{RAYS_MODULE}.ConsistentHashRouter"
OWN_ROUTER = "edgeflow_backend.cluster.rendezvous.RendezvousRouter"

CANDIDATES = 3
"""Replicas that may take a call: the image's own, and the next ones should it refuse."""


VIRTUAL_NODES = 1000
"""Places of each replica on the ring. With Ray's 100, the busiest of eight gets 15 % too much."""


def router() -> dict[str, Any]:
    """The router to use: import path and arguments, as Ray Serve names them."""
    try:
        found = importlib.util.find_spec(RAYS_MODULE)
    except ModuleNotFoundError:
        found = None
    if found is None:
        return {"request_router_class": OWN_ROUTER}
    kwargs = {"num_virtual_nodes": VIRTUAL_NODES, "num_fallback_replicas": CANDIDATES - 1}
    return {"request_router_class": RAYS_ROUTER, "request_router_kwargs": kwargs}


def ranked(key: str, names: Iterable[str]) -> list[str]:
    """Names in the order in which they should take what belongs to a key.

    Every process ranks alike, and a name that comes or goes changes nothing among the others.
    """
    return sorted(names, key=lambda name: hashlib.sha256(f"{key}|{name}".encode()).digest())
