from __future__ import annotations

from collections.abc import Sequence

import pytest

from edgeflow_backend.objects.signs import (
    ARRIVED_LATE_S,
    ARRIVED_S,
    AT_ONCE_S,
    BY_HAND_S,
    HUMAN_PACE_S,
    LATELY_S,
    LIFE_S,
    MAX_POINTS,
    Signs,
    Visit,
)

TASK = "a task"


class Desk:
    """Requests at times of a clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.signs = Signs(lambda: self.now)

    def ask(self, ids: Sequence[str], *, after: float, takes: float = 0.05) -> Visit:
        """Send a request so many seconds after the last answer."""
        self.now += after
        with self.signs.visit(TASK, ids) as visit:
            self.now += takes
        return visit


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_points_that_an_answer_left_mean_that_auto_accept_is_off(desk: Desk) -> None:
    assert desk.ask("a", after=0).accepting
    slow = desk.ask("ab", after=ARRIVED_S + 0.01)
    assert not slow.pending
    assert not slow.accepting
    assert slow.alone
    quick = desk.ask("abc", after=0.2)
    assert not quick.pending
    assert not desk.ask("d", after=2).accepting
    assert desk.ask("e", after=LIFE_S + 1).accepting


def test_a_click_before_an_answer_can_have_come_may_be_of_another_object(desk: Desk) -> None:
    desk.ask("a", after=0)
    quick = desk.ask("ab", after=ARRIVED_S - 0.1)
    assert quick.pending
    assert not quick.hurried
    assert quick.accepting


def test_a_click_while_an_answer_is_under_way_is_hurried(desk: Desk) -> None:
    with desk.signs.visit(TASK, "a") as first, desk.signs.visit(TASK, "ab") as second:
        assert second.pending
        assert second.hurried
        assert second.alone
        assert first.overtaken
        assert not first.pending  # one point is one object
        assert not second.overtaken


def test_a_request_that_came_before_an_older_one_learns_of_it(desk: Desk) -> None:
    with desk.signs.visit(TASK, "ab") as newer:
        told = [newer.pending]
        with desk.signs.visit(TASK, "a"):
            told += [newer.pending, newer.hurried, newer.overtaken]
    assert told == [False, True, True, False]


def test_points_that_nobody_asked_about_are_of_one_object(desk: Desk) -> None:
    assert not desk.ask("abc", after=0).pending


def test_points_gone_at_once_mean_that_auto_accept_is_on(desk: Desk) -> None:
    desk.ask("a", after=0)
    desk.ask("ab", after=2)  # it was off
    assert desk.ask("c", after=BY_HAND_S - 0.1).accepting
    stalled = desk.ask("cd", after=ARRIVED_LATE_S - 0.1)
    assert stalled.pending
    assert stalled.hurried


def test_points_gone_after_a_while_may_have_been_accepted_by_hand(desk: Desk) -> None:
    desk.ask("a", after=0)
    desk.ask("ab", after=2)
    assert not desk.ask("c", after=BY_HAND_S + 0.1).accepting


def test_points_taken_for_one_object_are_remembered_until_auto_accept_shows(desk: Desk) -> None:
    desk.ask("a", after=0)
    assert desk.ask("ab", after=0.2).pending
    assert desk.ask("c", after=BY_HAND_S + 0.1).accepted == ()  # may have been accepted by hand
    assert desk.ask("d", after=BY_HAND_S - 0.1).accepted == (frozenset("c"), frozenset("ab"))
    assert desk.ask("e", after=BY_HAND_S - 0.1).accepted == (frozenset("d"),)


def test_points_taken_for_one_object_are_not_remembered_for_long(desk: Desk) -> None:
    desk.ask("a", after=0)
    assert desk.ask("ab", after=0.2).pending
    desk.ask("c", after=LATELY_S)
    assert desk.ask("d", after=BY_HAND_S - 0.1).accepted == (frozenset("c"),)


def test_many_new_points_after_an_answer_were_clicked_quickly(desk: Desk) -> None:
    desk.ask("a", after=0)
    assert desk.ask("abc", after=ARRIVED_LATE_S - 1).pending
    assert desk.ask("d", after=2).accepting


def test_points_that_first_came_together_were_clicked_quickly(desk: Desk) -> None:
    assert not desk.ask("abcde", after=0).pending
    stalled = desk.ask("abcdef", after=ARRIVED_S + 0.01)  # seen at 250 ms from click to click
    assert stalled.pending
    assert not stalled.hurried  # three objects are believed, two are not
    assert not desk.ask("abcdefg", after=ARRIVED_LATE_S + 0.01).pending


def test_a_program_that_sends_points_together_and_more_at_once_needs_no_browser(desk: Desk) -> None:
    desk.ask("abc", after=0)
    assert not desk.ask("abcd", after=AT_ONCE_S - 0.01).pending


def test_clicks_that_were_of_several_objects_still_are_in_the_next_request(desk: Desk) -> None:
    """Two people at once may ask so that one's answer ends just before the next click comes."""
    desk.ask("a", after=0)
    assert not desk.ask("ab", after=AT_ONCE_S - 0.01).pending
    desk.ask("b", after=ARRIVED_LATE_S)
    with desk.signs.visit(TASK, "bcd") as divided:
        divided.several = True
    assert desk.ask("bcde", after=AT_ONCE_S - 0.01).hurried


def test_a_request_again_is_no_sign_of_anything(desk: Desk) -> None:
    desk.ask("a", after=0)
    assert desk.ask("a", after=0).alone
    with desk.signs.visit(TASK, "a"), desk.signs.visit(TASK, "a") as again:
        assert again.alone
    desk.ask("ab", after=0.2)
    assert desk.ask("ab", after=2).accepting


def test_two_requests_at_once_mean_two_people(desk: Desk) -> None:
    with desk.signs.visit(TASK, "a") as one, desk.signs.visit(TASK, "b") as two:
        assert not one.alone
        assert not two.alone
        assert not one.accepting
    assert not desk.ask("c", after=2).alone
    assert desk.ask("d", after=LIFE_S + 1).alone


def test_a_click_sooner_than_a_person_can_make_it_means_two_people(desk: Desk) -> None:
    desk.ask("a", after=0)
    assert not desk.ask("b", after=HUMAN_PACE_S / 2).alone


def test_a_request_whose_points_another_answered_is_nobody_else(desk: Desk) -> None:
    with desk.signs.visit(TASK, "a"):  # slow, and overtaken
        desk.now += 0.1
        desk.ask("ab", after=0.1)
        assert desk.ask("c", after=0.2).alone
    assert desk.ask("d", after=HUMAN_PACE_S / 2).alone is False
    other = Desk()
    with other.signs.visit(TASK, "a"):
        other.ask("ab", after=0.1)
    assert other.ask("c", after=0.2).alone


def test_two_people_are_told_apart_by_their_points(desk: Desk) -> None:
    desk.ask("a", after=0)
    desk.ask("x", after=0.3)
    assert desk.ask("ab", after=0.1).pending
    assert desk.ask("xy", after=0.1).pending
    assert not desk.ask("z", after=0.1).pending


def test_a_request_that_fails_is_over(desk: Desk) -> None:
    with pytest.raises(ValueError, match="x"), desk.signs.visit(TASK, "a"):
        raise ValueError("x")
    assert desk.ask("b", after=1).alone


def test_tasks_know_nothing_of_each_other(desk: Desk) -> None:
    with desk.signs.visit("one", "a"), desk.signs.visit("two", "b") as two:
        assert two.alone


def test_so_many_points_a_task_remembers(desk: Desk) -> None:
    desk.ask([f"p{number}" for number in range(3 * MAX_POINTS)], after=0)
    place = desk.signs._places[TASK]
    assert len(place.answered) == MAX_POINTS
