"""Which frames are taken, and how a long sequence is cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeflow.errors import EdgeFlowError
from edgeflow.sequences.pictures import natural_key
from edgeflow.sequences.selection import Selection, Stamp, clock, seconds_of
from edgeflow.sequences.spans import spans


def taken(selection: Selection, count: int = 50, rate: float = 25) -> list[int]:
    stamps = (Stamp(number, number / rate) for number in range(count))
    return [stamp.number for stamp in selection.chosen(stamps)]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), list(range(50))),
        (Selection(every=20), [0, 20, 40]),
        (Selection(every=20, start=0.2), [5, 25, 45]),
        (Selection(per_second=2), [0, 13, 25, 38]),
        (Selection(per_second=2, start=1, end=1.5), [25]),
        (Selection(per_second=1000), list(range(50))),
        (Selection(start=1.8), [45, 46, 47, 48, 49]),
        (Selection(end=0.12), [0, 1, 2]),
        (Selection(start=3), []),
    ],
)
def test_frames_are_taken_by_number_or_by_time(selection: Selection, expected: list[int]) -> None:
    assert taken(selection) == expected


def test_nothing_behind_the_end_is_asked_for() -> None:
    asked = (Stamp(number, float(number)) for number in itertools.count())
    assert [stamp.number for stamp in Selection(end=3).chosen(asked)] == [0, 1, 2]


def test_uneven_times_give_no_burst_after_a_pause() -> None:
    times = [0.0, 0.1, 5.0, 5.1, 5.2, 6.0]
    stamps = [Stamp(number, time) for number, time in enumerate(times)]
    assert [each.seconds for each in Selection(per_second=1).chosen(stamps)] == [0.0, 5.0, 6.0]


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("1:30", 90), ("1:02:03.5", 3723.5), (" 0.25 ", 0.25)]
)
def test_times_are_read_and_written(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds
    assert seconds_of(clock(seconds)) == int(seconds)


@pytest.mark.parametrize("text", ["", "-1", "1:", "a", "1:2:3:4", "inf", "1e9", "\u0663"])
def test_what_is_no_time_is_told(text: str) -> None:
    with pytest.raises(EdgeFlowError, match="is no time"):
        seconds_of(text)


@given(st.integers(0, 500), st.integers(1, 120), st.data())
def test_pieces_hold_every_page_and_share_as_many_as_asked(
    count: int, pages: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, pages - 1))
    pieces = spans(count, pages, overlap)
    assert set(itertools.chain.from_iterable(pieces)) == set(range(count))
    assert all(0 < len(piece) <= pages for piece in pieces)
    for one, other in itertools.pairwise(pieces):
        assert one.stop - other.start == overlap
    if pieces:
        lengths = [len(piece) for piece in pieces]
        assert max(lengths) - min(lengths) <= 1


def test_numbers_in_names_are_counted_as_people_do() -> None:
    names = ["f10.png", "f9.png", "f009.png", "10.png", "2.png", "f.png", "f2b.png", "f2.png"]
    assert sorted(names, key=natural_key) == [
        "2.png", "10.png", "f2.png", "f2b.png", "f009.png", "f9.png", "f10.png", "f.png",
    ]  # fmt: skip
    assert natural_key("1" * 9999 + ".png")
