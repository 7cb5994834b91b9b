"""Signs of who clicks and how, from processes that ended and from others.

Without them, a backend that has just started would take two people for one, and refine the mask of
the first by a click of the second.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from edgeflow_backend.objects.shared.place_signs import PlaceSigns, SignStore
from edgeflow_backend.objects.signs import LIFE_S, MAX_POINTS, MAX_UNSURE
from edgeflow_backend.shared.ages import age_of
from edgeflow_backend.shared.packing import Packer, SpoiledValueError, Unpacker
from edgeflow_backend.shared.tier import Tier

KIND = "signs"

SHORTEST_POINT = 16
"""Bytes of a point that was answered, or of several: a length, and a time."""


class SharedSigns(SignStore):
    """Signs in the second tier: of each task, a value for each process. Thread-safe.

    Args:
        tier: Where they are.
        writer: Names this process, which knows its own signs.
        clock: Seconds since 1970; ``time.time`` unless a test says otherwise.
    """

    def __init__(self, tier: Tier, writer: str, clock: Callable[[], float] = time.time) -> None:
        self._tier, self._writer, self._clock = tier, writer, clock

    def load(self, place: str) -> list[PlaceSigns]:
        """See :meth:`.SignStore.load`."""
        found = []
        for writer, body in self._tier.fields(self._tier.name(KIND, place)).items():
            if writer == self._writer:
                continue
            try:
                found.append(unpack_signs(body, self._clock()))
            except SpoiledValueError:
                self._tier.refuse()
        return found

    def save(self, place: str, signs: PlaceSigns) -> None:
        """See :meth:`.SignStore.save`."""
        body = pack_signs(signs, self._clock())
        self._tier.put_field(self._tier.name(KIND, place), self._writer, body, LIFE_S)


def pack_signs(signs: PlaceSigns, now: float) -> bytes:
    """Signs as bytes, with times in seconds since 1970."""
    packer = Packer()
    packer.real(now)
    for ago in (signs.arrived, signs.last, signs.several, signs.waiting, signs.accepting):
        packer.real(ago)
    for keys in (signs.last_ids, signs.rushed):
        _pack_keys(packer, keys)
    packer.number(len(signs.unsure))
    for keys, ago in signs.unsure.items():
        _pack_keys(packer, keys)
        packer.real(ago)
    packer.number(len(signs.answered))
    for key, ago in signs.answered.items():
        packer.text(key)
        packer.real(ago)
    packer.text(signs.author)
    return packer.bytes()


def unpack_signs(body: bytes, now: float) -> PlaceSigns:
    """The signs that :func:`pack_signs` was given, older by the time since.

    Raises:
        SpoiledValueError: The bytes hold none, or come from the future.
    """
    unpacker = Unpacker(body, 0)
    since = age_of(unpacker.real(), now)

    def ago() -> float:
        seconds = unpacker.real()
        if seconds < 0:
            raise SpoiledValueError("a time in the future")
        return seconds + since

    arrived, last, several, waiting, accepting = (ago() for _ in range(5))
    last_ids, rushed = (_unpack_keys(unpacker) for _ in range(2))
    answers = min(unpacker.count(SHORTEST_POINT), MAX_UNSURE)
    unsure = {_unpack_keys(unpacker): ago() for _ in range(answers)}
    points = min(unpacker.count(SHORTEST_POINT), MAX_POINTS)
    answered = {unpacker.text(): ago() for _ in range(points)}
    author = unpacker.text()
    unpacker.end()
    return PlaceSigns(
        arrived, last, last_ids, answered, several, waiting, accepting, rushed, unsure, author
    )


def _pack_keys(packer: Packer, keys: frozenset[str]) -> None:
    packer.number(len(keys))
    for key in sorted(keys):
        packer.text(key)


def _unpack_keys(unpacker: Unpacker) -> frozenset[str]:
    return frozenset(unpacker.text() for _ in range(unpacker.count(8)))
