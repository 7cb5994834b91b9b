from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from edgeflow_backend.examples.library import Category, Library
from tests.unit.edgeflow_backend.examples.library_samples import (
    COIN,
    MODEL,
    NUT,
    ROOMY,
    example,
    read,
)


def ids(library: Library) -> list[int]:
    return [task.id for task in library.tasks]


def test_what_was_read_is_chosen_from_the_newest_first() -> None:
    library = Library().add(read(1, example("a"), example("n", NUT)), ROOMY)
    library = library.add(read(2, example("b"), example("c")), ROOMY)
    assert [each.object for each in library.choose(COIN, 2)] == ["b", "c"]
    assert [each.object for each in library.choose(COIN, 9)] == ["b", "c", "a"]
    assert [each.object for each in library.choose(NUT, 9)] == ["n"]
    assert library.choose(Category("other", ("coin",)), 9) == ()
    assert library.counts == {COIN: 3, NUT: 1}
    assert list(library.counts) == [COIN, NUT]


def test_the_order_of_reading_does_not_matter() -> None:
    tasks = [read(number, example(f"e{number}")) for number in (1, 2, 3)]
    limits = replace(ROOMY, examples=2)
    made = set()
    for order in permutations(tasks):
        library = Library()
        for task in order:
            library = library.add(task, limits)
        made.add(tuple(each.object for each in library.choose(COIN, 9)))
    assert made == {("e3", "e2")}


def test_a_task_that_was_read_again_takes_its_own_place() -> None:
    library = Library().add(read(1, example("old")), ROOMY).add(read(2, example("other")), ROOMY)
    library = library.add(read(1, example("new"), stamp="2026-11-29"), ROOMY)
    assert [each.object for each in library.choose(COIN, 9)] == ["new", "other"]
    assert ids(library) == [1, 2]


def test_a_category_keeps_its_newest_examples_and_others_keep_theirs() -> None:
    limits = replace(ROOMY, examples=2)
    library = Library().add(read(1, example("n", NUT), example("a")), limits)
    library = library.add(read(2, example("b"), example("c"), example("d")), limits)
    assert [each.object for each in library.choose(COIN, 9)] == ["b", "c"]
    assert [each.object for each in library.choose(NUT, 9)] == ["n"]
    assert ids(library) == [2, 1]  # 1 counts as read: it would lose them again


def test_bytes_are_capped_and_tasks_that_lose_their_examples_are_not_read_again() -> None:
    tasks = [read(number, example(f"e{number}")) for number in range(1, 9)]
    limits = replace(ROOMY, nbytes=3 * tasks[0].nbytes + 5 * read(1).nbytes)
    library = Library()
    for task in tasks:
        library = library.add(task, limits)
    assert library.nbytes <= limits.nbytes
    assert ids(library) == [8, 7, 6, 5, 4, 3, 2, 1]
    assert [each.object for each in library.choose(COIN, 9)] == ["e8", "e7", "e6"]
    tiny = library.add(read(9, example("e9")), replace(ROOMY, nbytes=10))
    assert tiny == Library()


def test_tasks_are_capped() -> None:
    library = Library()
    for number in range(1, 6):
        library = library.add(read(number), replace(ROOMY, tasks=3))
    assert ids(library) == [5, 4, 3]


def test_what_was_deleted_or_changed_or_described_by_other_weights_is_not_confirmed() -> None:
    library = Library()
    for number in range(1, 5):
        library = library.add(read(number, example(f"e{number}")), ROOMY)
    library = library.add(read(5, example("e5"), model="other-2"), ROOMY)
    stamps = {task.id: task.stamp for task in library.tasks}
    assert ids(library.confirmed(stamps, MODEL)) == [4, 3, 2, 1]
    assert ids(library.confirmed({**stamps, 2: "changed"}, MODEL)) == [4, 3, 1]
    del stamps[3]
    assert ids(library.confirmed(stamps, MODEL)) == [4, 2, 1]
    assert library.confirmed({}, MODEL) == Library()


def test_it_says_what_it_is_about() -> None:
    assert str(COIN) == "coin"
    assert str(Category("mask", ())) == "mask"
