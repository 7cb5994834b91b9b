"""What lies in a store of versions: versions, and what is none."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from edgeflow.learning.likeness.likeness import Likeness
from edgeflow.learning.likeness.statistics import LikenessError
from edgeflow_backend.versions.served import SERVED, Served, read_served
from edgeflow_backend.versions.version import (
    LIKENESS,
    SpoiledVersionError,
    State,
    Version,
    read_facts,
)


class Listing(NamedTuple):
    """What lies in a store.

    Attributes:
        versions: The versions, the oldest first.
        ignored: What is none, or damaged: why, by name.
    """

    versions: list[Version]
    ignored: dict[str, str]


def listed(folder: Path) -> Listing:
    """What lies in a store's folder, which may be missing."""
    served, wrong = read_served(folder)
    found, ignored = [], {SERVED: wrong} if wrong else {}
    for path in paths(folder):
        if path.name == SERVED or path.name.startswith("."):
            continue
        if number_of(path) is None:
            ignored[path.name] = "it is no version"
            continue
        try:
            found.append(read_version(path, served))
        except SpoiledVersionError as error:
            ignored[path.name] = str(error)
    return Listing(sorted(found, key=lambda version: version.number), ignored)


def read_version(folder: Path, served: Served) -> Version:
    """The version in a folder, whose weights are not read.

    Args:
        folder: The folder, named with the version's number.
        served: Which version is served.

    Raises:
        SpoiledVersionError: It holds none.
    """
    facts, checkpoint = read_facts(folder)
    state: State = "accepted" if facts.accepted else "refused"
    reason = facts.reason
    if facts.number == served.number:
        state = "served"
    elif facts.number in served.rolled_back:
        state, reason = "rolled back", served.rolled_back[facts.number]
    return Version(
        number=facts.number,
        checkpoint=checkpoint,
        base=facts.base,
        made_at=facts.made_at,
        objects=facts.objects,
        verdict=facts.verdict,
        state=state,
        reason=reason,
        likeness=facts.likeness,
    )


def read_likeness(version: Version) -> Likeness | None:
    """Which images a version answers; None for all.

    Raises:
        SpoiledVersionError: What says so is missing or damaged.
    """
    if not version.likeness:
        return None
    try:
        data = (version.checkpoint.path.parent / LIKENESS).read_bytes()
        if hashlib.sha256(data).hexdigest() != version.likeness:
            raise SpoiledVersionError(f"{LIKENESS} is another one than it was made with")
        return Likeness.from_bytes(data)
    except OSError as error:
        raise SpoiledVersionError(f"{LIKENESS} cannot be read: {error.strerror}") from error
    except LikenessError as error:
        raise SpoiledVersionError(error.message) from error


def paths(folder: Path) -> list[Path]:
    """All that lies in a folder; nothing if it is missing."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def numbers(folder: Path) -> list[int]:
    """Numbers that are taken, be their versions damaged."""
    return [number for path in paths(folder) if (number := number_of(path)) is not None]


def number_of(path: Path) -> int | None:
    """The number that a version's folder is named with; None for another name."""
    name = path.name
    return int(name) if name.isascii() and name.isdigit() and name[0] != "0" else None
