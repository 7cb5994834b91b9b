"""Which replica a call goes to: the one that has held the image since it was opened.

Ray's own router does that under a path that says "experimental"; should a version of Ray lack it,
the one below does the same with rendezvous hashing (Thaler and Ravishankar, 1998).
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterable

RAYS_MODULE = "ray.serve.experimental.consistent_hash_router"
RAYS_ROUTER = f"{RAYS_MODULE}.ConsistentHashRouter"
OWN_ROUTER = "edgeflow_backend.cluster.rendezvous.RendezvousRouter"

CANDIDATES = 3
"""Replicas that may take a call: the image's own, and the next ones should it refuse."""


def router_path() -> str:
    """Import path of the router to use."""
    try:
        found = importlib.util.find_spec(RAYS_MODULE)
    except ModuleNotFoundError:
        found = None
    return RAYS_ROUTER if found else OWN_ROUTER


def ranked(key: str, names: Iterable[str]) -> list[str]:
    """Names in the order in which they should take what belongs to a key.

    Every process ranks alike, and a name that comes or goes changes nothing among the others.
    """
    return sorted(names, key=lambda name: hashlib.sha256(f"{key}|{name}".encode()).digest())
