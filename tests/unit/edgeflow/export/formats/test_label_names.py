from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edgeflow.export.formats.label_names import one_line, one_word, told_apart
from edgeflow.export.names import safe_name


def test_names_that_fit_stay_and_others_are_set_apart_from_them() -> None:
    assert told_apart(("a b", "a_b", "c", "a\tb"), one_word) == ("a_b_", "a_b", "c", "a_b__")


def test_case_counts_unless_it_is_to_be_ignored() -> None:
    assert told_apart(("Cat", "cat"), one_line) == ("Cat", "cat")
    assert told_apart(("Cat", "cat"), safe_name, ignore_case=True) == ("Cat", "cat_")


def test_a_name_of_one_line_has_no_breaks_and_one_word_no_blanks() -> None:
    assert one_line("a b\r\n\x85\u2028\ud800é") == "a b_____é"
    assert one_word("a b\u3000c\n") == "a_b_c_"
    assert (one_line(""), one_word("")) == ("_", "_")


@given(names=st.lists(st.text(alphabet="aA_ \n/é", max_size=3), unique=True))
def test_no_two_are_ever_the_same(names: list[str]) -> None:
    chosen = told_apart(names, safe_name, ignore_case=True)
    assert len({each.casefold() for each in chosen}) == len(names)
    assert [len(each.splitlines()) for each in told_apart(names, one_line)] == [1] * len(names)
