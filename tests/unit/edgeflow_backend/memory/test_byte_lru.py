from __future__ import annotations

import random
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow_backend.memory.byte_lru import ByteLRU

CAP = 100


@dataclass(frozen=True)
class Blob:
    """A value that says how large it is."""

    nbytes: int
    name: int = 0


PUTS = st.tuples(st.just("put"), st.integers(0, 8), st.integers(0, 130))
GETS = st.tuples(st.just("get"), st.integers(0, 8), st.just(0))


@pytest.fixture(params=[None, 60.0], ids=["for ever", "with a time to live"])
def ttl_s(request: pytest.FixtureRequest) -> float | None:
    value: float | None = request.param
    return value


@settings(deadline=None)
@given(st.lists(PUTS | GETS, max_size=60), st.sampled_from([None, 60.0]))
def test_the_bytes_never_exceed_the_cap_and_no_value_is_stale(
    steps: list[tuple[str, int, int]], ttl: float | None
) -> None:
    cache: ByteLRU[int, Blob] = ByteLRU(CAP, ttl_s=ttl)
    latest: dict[int, Blob] = {}
    for number, (action, key, size) in enumerate(steps):
        if action == "put":
            blob = Blob(size, number)
            cache.put(key, blob)
            if size <= CAP:
                latest[key] = blob
                assert cache.get(key) is blob
        else:
            assert cache.get(key) in (None, latest.get(key))
        assert cache.nbytes <= CAP
    held = [value for key in range(9) if (value := cache.get(key)) is not None]
    assert sum(value.nbytes for value in held) == cache.nbytes
    assert len(held) == len(cache)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 6)), max_size=60),
    st.sampled_from([None, 60.0]),
)
def test_the_least_recently_used_value_is_forgotten_first(
    steps: list[tuple[bool, int]], ttl: float | None
) -> None:
    cache: ByteLRU[int, Blob] = ByteLRU(30, ttl_s=ttl)
    expected: OrderedDict[int, Blob] = OrderedDict()
    for put, key in steps:
        if put:
            expected[key] = Blob(10, key)
            cache.put(key, expected[key])
            expected.move_to_end(key)
            if len(expected) > 3:
                expected.popitem(last=False)
        else:
            assert cache.get(key) == expected.get(key)
            if key in expected:
                expected.move_to_end(key)
    assert [key for key in range(7) if cache.get(key)] == sorted(expected)


def test_an_unknown_key_gives_nothing(ttl_s: float | None) -> None:
    assert ByteLRU[str, Blob](CAP, ttl_s=ttl_s).get("x") is None


def test_a_value_as_large_as_the_cap_is_kept(ttl_s: float | None) -> None:
    cache: ByteLRU[str, Blob] = ByteLRU(CAP, ttl_s=ttl_s)
    cache.put("x", Blob(CAP))
    assert cache.get("x") == Blob(CAP)
    assert cache.nbytes == CAP


def test_a_value_larger_than_the_cap_is_not_kept_and_pushes_nothing_out(
    ttl_s: float | None,
) -> None:
    cache: ByteLRU[str, Blob] = ByteLRU(CAP, ttl_s=ttl_s)
    cache.put("small", Blob(40))
    cache.put("large", Blob(CAP + 1))
    assert cache.get("large") is None
    assert cache.get("small") == Blob(40)


def test_a_cap_of_zero_keeps_nothing(ttl_s: float | None) -> None:
    cache: ByteLRU[str, Blob] = ByteLRU(0, ttl_s=ttl_s)
    cache.put("x", Blob(1))
    assert cache.get("x") is None
    assert cache.nbytes == 0


def test_one_large_value_pushes_out_several_small_ones(ttl_s: float | None) -> None:
    cache: ByteLRU[int, Blob] = ByteLRU(CAP, ttl_s=ttl_s)
    for key in range(10):
        cache.put(key, Blob(10))
    cache.put(99, Blob(75))
    assert [key for key in range(10) if cache.get(key)] == [8, 9]


def test_a_value_put_again_counts_once(ttl_s: float | None) -> None:
    cache: ByteLRU[str, Blob] = ByteLRU(CAP, ttl_s=ttl_s)
    cache.put("x", Blob(60))
    cache.put("x", Blob(30))
    assert cache.nbytes == 30
    assert len(cache) == 1


def test_a_value_is_forgotten_after_its_time() -> None:
    cache: ByteLRU[str, Blob] = ByteLRU(CAP, ttl_s=0.05)
    cache.put("x", Blob(60))
    assert cache.get("x") == Blob(60)
    time.sleep(0.08)
    assert cache.get("x") is None
    assert cache.nbytes == 0
    assert len(cache) == 0


def test_using_a_value_does_not_prolong_its_time() -> None:
    cache: ByteLRU[str, Blob] = ByteLRU(CAP, ttl_s=0.1)
    cache.put("x", Blob(1))
    give_up = time.monotonic() + 5
    while cache.get("x") is not None and time.monotonic() < give_up:
        time.sleep(0.01)
    assert cache.get("x") is None


def test_without_a_time_to_live_values_stay() -> None:
    cache: ByteLRU[str, Blob] = ByteLRU(CAP)
    cache.put("x", Blob(1))
    time.sleep(0.1)
    assert cache.get("x") == Blob(1)


def test_many_threads_may_use_it_at_once(ttl_s: float | None) -> None:
    cache: ByteLRU[int, Blob] = ByteLRU(CAP, ttl_s=ttl_s)

    def hammer(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(2000):
            key = dice.randrange(12)
            if dice.random() < 0.5:
                cache.put(key, Blob(dice.randrange(40), key))
            else:
                value = cache.get(key)
                assert value is None or value.name == key
            assert cache.nbytes <= CAP
            assert len(cache) <= 12

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hammer, range(8)))
    held = [value.nbytes for key in range(12) if (value := cache.get(key)) is not None]
    assert sum(held) == cache.nbytes
