from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow_backend.objects.shared.place_signs import PlaceSigns
from edgeflow_backend.objects.shared.signs import SharedSigns, pack_signs, unpack_signs
from edgeflow_backend.objects.signs import (
    ARRIVED_S,
    BY_HAND_S,
    LIFE_S,
    Signs,
    Visit,
)
from edgeflow_backend.shared.packing import SpoiledValueError
from edgeflow_backend.shared.tier import Tier
from tests.redis_server import RedisServer, tier_of
from tests.unit.edgeflow_backend.objects.shared.test_answers import Clocks

NOW = 1_800_000_000.0
times_ago = st.floats(0, 1000) | st.just(math.inf)
ids = st.frozensets(st.text(max_size=9), max_size=5)
signs = st.builds(
    PlaceSigns, times_ago, times_ago, ids,
    st.dictionaries(st.text(max_size=9), times_ago, max_size=9),
    times_ago, times_ago, times_ago, ids, st.dictionaries(ids, times_ago, max_size=5),
    st.text(max_size=9),
)  # fmt: skip


@settings(deadline=None)
@given(signs)
def test_signs_come_out_as_they_went_in(signs: PlaceSigns) -> None:
    assert unpack_signs(pack_signs(signs, NOW), NOW) == signs


@settings(deadline=None)
@given(signs, st.data())
def test_spoiled_bytes_are_read_or_refused(signs: PlaceSigns, data: st.DataObject) -> None:
    code = bytearray(pack_signs(signs, NOW))
    code[data.draw(st.integers(0, len(code) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = unpack_signs(bytes(code[: data.draw(st.integers(0, len(code)))]), NOW)
    except SpoiledValueError:
        return
    assert min(found.arrived, found.last, found.several, found.waiting, found.accepting) >= 0


def test_signs_from_the_future_are_refused() -> None:
    code = pack_signs(PlaceSigns(1, 1, frozenset(), {}, 1, 1, 1, frozenset(), {}, ""), NOW)
    assert unpack_signs(code, NOW + 9).last == 10
    with pytest.raises(SpoiledValueError, match="future"):
        unpack_signs(code, NOW - 5)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def tier(shared_redis: RedisServer) -> Iterator[Tier]:
    tier = tier_of(shared_redis)
    yield tier
    tier.close()


class Processes:
    """A backend that can be replaced by another one after each request."""

    def __init__(self, tier: Tier, clocks: Clocks, *, replaced: bool) -> None:
        self._tier, self._clocks, self._replaced = tier, clocks, replaced
        self._started = 0
        self.start()

    def start(self) -> Signs:
        self._started += 1
        name = f"{self._replaced} {self._started}"
        self.signs = Signs(self._clocks.monotonic, SharedSigns(self._tier, name, self._clocks.time))
        return self.signs

    def click(self, pause: float, *keys: str, author: str = "", lasts: float = 0.2) -> Visit:
        self._clocks.sleep(pause)
        if self._replaced:
            self.start()
        with self.signs.visit(f"place {self._replaced}", keys, author) as visit:
            self._clocks.sleep(lasts)
        return visit


STORIES: dict[str, list[tuple[float, tuple[str, ...], str]]] = {
    "one person, auto-accept on": [(1.0, ("a",), ""), (0.3, ("b",), ""), (0.4, ("c",), "")],
    "one person, auto-accept off": [(1.0, ("a",), ""), (2.0, ("a", "b"), ""), (1.0, ("c",), "")],
    "sooner than a person can": [(1.0, ("a",), ""), (0.05, ("b",), ""), (2.0, ("c",), "")],
    "two drafts": [(1.0, ("a",), "ann"), (3.0, ("b",), "ben"), (3.0, ("c",), "ann")],
    "quick clicks": [(1.0, ("a",), ""), (0.3, ("a", "b"), ""), (0.2, ("a", "b", "c"), "")],
    "taken for one object": [
        (1.0, ("a",), ""), (ARRIVED_S / 2, ("a", "b"), ""), (2.0, ("c",), ""),
        (BY_HAND_S / 2, ("d",), ""),
    ],
    "quick, and known to be": [
        (1.0, ("a",), ""), (BY_HAND_S / 2, ("b",), ""), (ARRIVED_S / 2, ("b", "c"), ""),
    ],
}  # fmt: skip


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_restarts_between_clicks_change_nothing(
    tier: Tier, clocks: Clocks, story: list[tuple[float, tuple[str, ...], str]]
) -> None:
    told = []
    for replaced in (False, True):
        processes = Processes(tier, clocks, replaced=replaced)
        told.append(
            [
                (v.alone, v.accepting, v.pending, v.hurried, v.accepted, v.waits(keys))
                for pause, keys, author in story
                for v in [processes.click(pause, *keys, author=author)]
            ]
        )
        clocks.sleep(LIFE_S)
    assert told[0] == told[1]


def test_two_people_at_two_backends_are_two(tier: Tier, clocks: Clocks) -> None:
    ours, theirs = (
        Signs(clocks.monotonic, SharedSigns(tier, name, clocks.time)) for name in ("one", "other")
    )
    with ours.visit("place", ["a"]), theirs.visit("place", ["b"]):
        clocks.sleep(0.2)
    clocks.sleep(2)
    for signs in (ours, theirs):
        with signs.visit("place", ["c"]) as visit:
            assert not visit.alone
            assert not visit.accepting
        clocks.sleep(2)


def test_one_person_whose_clicks_go_to_two_backends_is_one(tier: Tier, clocks: Clocks) -> None:
    both = [
        Signs(clocks.monotonic, SharedSigns(tier, name, clocks.time)) for name in ("one", "other")
    ]
    for number in range(6):
        with both[number % 2].visit("place", [str(number)]) as visit:
            clocks.sleep(0.2)
        assert visit.alone
        assert visit.accepting
        clocks.sleep(1)


def test_old_signs_do_not_count(tier: Tier, clocks: Clocks) -> None:
    processes = Processes(tier, clocks, replaced=True)
    processes.click(1, "a", author="ann")
    assert not processes.click(1, "b", author="ben").alone
    assert processes.click(LIFE_S + 1, "c", author="ben").alone
