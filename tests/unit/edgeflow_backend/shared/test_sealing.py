from __future__ import annotations

import pytest

from edgeflow_backend.shared.packing import SpoiledValueError
from edgeflow_backend.shared.sealing import MAGIC, OVERHEAD_BYTES, Seal

SECRET = Seal("a secret of sixteen and more")
BODY = bytes(range(200))


@pytest.mark.parametrize("seal", [SECRET, Seal()])
def test_a_value_is_read_under_its_name_and_refused_with_any_bit_changed(seal: Seal) -> None:
    value = seal.seal("name", BODY)
    assert seal.open("name", value) == BODY
    for place in range(len(value)):
        for bit in (1, 128):
            spoiled = bytearray(value)
            spoiled[place] ^= bit
            with pytest.raises(SpoiledValueError):
                seal.open("name", bytes(spoiled))


@pytest.mark.parametrize("value", [None, 5, [], "text", b"", MAGIC, bytes(OVERHEAD_BYTES)])
def test_what_is_no_value_is_refused(value: object) -> None:
    with pytest.raises(SpoiledValueError):
        SECRET.open("name", value)


def test_a_value_is_refused_under_another_name() -> None:
    with pytest.raises(SpoiledValueError):
        SECRET.open("another", SECRET.seal("name", BODY))


@pytest.mark.parametrize("other", [Seal(), Seal("another secret of sixteen")])
def test_nobody_without_the_secret_makes_a_value(other: Seal) -> None:
    with pytest.raises(SpoiledValueError):
        SECRET.open("name", other.seal("name", BODY))
    with pytest.raises(SpoiledValueError):
        other.open("name", SECRET.seal("name", BODY))


def test_a_name_tells_nothing_and_parts_are_not_run_together() -> None:
    name = SECRET.name("image", "https://labels.example/photo.jpg?token=abc")
    assert name.startswith("edgeflow:1:image:")
    assert "token" not in name
    assert "photo" not in name
    names = {
        SECRET.name("a", "bc", "d"),
        SECRET.name("a", "b", "cd"),
        SECRET.name("a", "bcd"),
        SECRET.name("ab", "c", "d"),
        Seal().name("a", "bc", "d"),
    }
    assert len(names) == 5
    assert SECRET.name("a", "\ud800"), "JSON may hold half of a pair"


def test_only_a_secret_authenticates() -> None:
    assert SECRET.authenticates
    assert not Seal().authenticates
