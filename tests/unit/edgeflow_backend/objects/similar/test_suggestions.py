from __future__ import annotations

import numpy as np
import pytest

from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.objects.similar.suggestions import (
    ANSWERS_KEPT,
    Suggested,
    SuggestionMemory,
    Suggestions,
)


def square(left: int, *, side: int = 4) -> MaskPatch:
    mask = np.zeros((20, 100), dtype=np.bool_)
    mask[5 : 5 + side, left : left + side] = True
    return MaskPatch.of(mask)


A, B, C = square(10), square(30), square(50)
EXAMPLE = Suggested("a", A, example=True)
ANSWER = Suggestions(frozenset({"p"}), (EXAMPLE, Suggested("b", B), Suggested("c", C)))


@pytest.fixture
def memory() -> SuggestionMemory:
    memory = SuggestionMemory(100_000)
    memory.note("here", ANSWER)
    return memory


def test_what_the_draft_lacks_of_an_answer_that_it_holds_was_rejected() -> None:
    (rejected,) = ANSWER.rejected(sent=(), stored={"a", "b"})
    assert rejected is C
    assert ANSWER.rejected((), {"a"}) == [B, C]


def test_the_example_itself_is_not_unlike_it() -> None:
    assert ANSWER.rejected((), {"b", "c"}) == []


def test_a_draft_without_any_of_it_tells_nothing() -> None:
    assert ANSWER.rejected((), ()) == ANSWER.rejected((), {"x"}) == []


def test_suggestions_whose_prompt_is_sent_again_still_wait() -> None:
    assert ANSWER.rejected({"p", "q"}, {"a", "b"}) == []


def test_an_object_keeps_its_id(memory: SuggestionMemory) -> None:
    moved = square(51)
    assert memory.ids("here", [moved, square(80), B], "") == ["c", None, "b"]
    assert memory.ids("elsewhere", [B], "") == [None]


def test_no_id_is_given_twice(memory: SuggestionMemory) -> None:
    assert memory.ids("here", [B, square(30)], "") == ["b", None]


def test_another_ones_answers_tell_nothing() -> None:
    memory = SuggestionMemory(100_000)
    memory.note("here", Suggestions(ANSWER.prompt_ids, ANSWER.regions, author="ann"))
    assert memory.rejected("here", (), {"a", "b"}, "ann") == [C]
    assert memory.rejected("here", (), {"a", "b"}, "ben") == []
    assert memory.ids("here", [B], "ben") == [None]


def test_a_repeated_prompts_answer_takes_the_place_of_the_older_one(
    memory: SuggestionMemory,
) -> None:
    memory.note("here", Suggestions(frozenset({"p"}), (EXAMPLE, Suggested("b", B))))
    assert memory.rejected("here", (), {"a", "b"}, "") == []


def test_old_answers_are_forgotten(memory: SuggestionMemory) -> None:
    for number in range(ANSWERS_KEPT):
        memory.note("here", Suggestions(frozenset({str(number)}), ()))
    assert memory.ids("here", [B], "") == [None]


def test_it_is_bounded_in_bytes() -> None:
    memory = SuggestionMemory(3000)
    for place in ("one", "two", "three"):
        memory.note(place, ANSWER)
    assert memory.ids("one", [B], "") == [None]
    assert memory.ids("three", [B], "") == ["b"]
