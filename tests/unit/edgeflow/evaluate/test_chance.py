from __future__ import annotations

from edgeflow.evaluate.chance import chance


def test_numbers_follow_from_what_they_are_for_alone() -> None:
    # Fixed numbers: figures measured today must be repeated on another machine.
    assert chance("jitter", 0, "a/b", 1).integers(1 << 30) == 445009153
    assert chance("jitter", 1, "a/b", 1).integers(1 << 30) != 445009153
