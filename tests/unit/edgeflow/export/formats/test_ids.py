from __future__ import annotations

from edgeflow.export.formats.ids import BITS, StableIds


def test_a_number_depends_on_its_key_alone() -> None:
    first, second = StableIds(), StableIds()
    second.of("something else")
    assert first.of("1", "a") == second.of("1", "a")


def test_numbers_are_positive_and_exact_as_float64() -> None:
    ids = StableIds()
    numbers = [ids.of(str(number)) for number in range(10_000)]
    assert len(set(numbers)) == 10_000
    assert min(numbers) > 0
    assert max(numbers) <= 1 << BITS
    assert all(int(float(number)) == number for number in numbers)


def test_two_keys_never_share_a_number() -> None:
    ids = StableIds()
    assert ids.of("a") != ids.of("a")
