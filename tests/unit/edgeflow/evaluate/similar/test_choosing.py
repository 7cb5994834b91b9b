from __future__ import annotations

from collections import Counter
from dataclasses import replace

from edgeflow.data.base import Sample
from edgeflow.evaluate.similar.choosing import Choice, Kind, chosen, kinds_of
from tests.unit.edgeflow.evaluate.scripted import Images, sample, square
from tests.unit.edgeflow.evaluate.similar.scripted_finder import block

BLOCKS = [block(row, col) for row in (0, 8, 16) for col in (0, 10, 20)]


def test_a_kind_is_the_objects_of_one_class() -> None:
    image = replace(sample("a", *BLOCKS[:5]), labels=("cat", "dog", "cat", None, "cat"))
    (cats,) = kinds_of(image, Choice(least_objects=3, examples=2, typical=False))
    assert (cats.label, cats.numbers) == ("cat", (1, 3, 5))
    assert len(set(cats.examples)) == 2
    assert set(cats.examples) < {1, 3, 5}
    assert [kind.label for kind in kinds_of(image, Choice(least_objects=1))] == [
        "cat",
        "dog",
        None,
    ]


def test_without_classes_all_objects_are_of_one_kind() -> None:
    image = sample("a", *BLOCKS)
    assert [kind.numbers for kind in kinds_of(image, Choice())] == [tuple(range(1, 10))]
    assert kinds_of(sample("a", *BLOCKS[:4]), Choice()) == []


def test_an_only_object_is_its_own_example() -> None:
    assert kinds_of(sample("a", BLOCKS[0]), Choice()) == [Kind(None, (1,), (1,))]
    labelled = replace(sample("a", *BLOCKS[:2]), labels=("cat", "dog"))
    assert kinds_of(labelled, Choice()) == []


def test_an_object_that_is_ignored_altogether_does_not_count() -> None:
    image = sample("a", *BLOCKS[:3], ignore=BLOCKS[1])
    (kind,) = kinds_of(image, Choice(least_objects=2))
    assert kind.numbers == (1, 3)


def test_examples_are_such_as_people_would_choose() -> None:
    """Whole, and neither a speck nor a giant."""
    inside = [square(60, 60, slice(row, row + 4), slice(9, 13)) for row in (4, 12, 20)]
    cut_off = square(60, 60, slice(30, 34), slice(0, 4))
    speck = square(60, 60, slice(30, 31), slice(9, 13))
    giant = square(60, 60, slice(20, 50), slice(20, 50))
    picture = sample("a", cut_off, speck, giant, *inside)
    (typical,) = kinds_of(picture, Choice(examples=9))
    assert set(typical.examples) == {4, 5, 6}
    assert typical.numbers == (1, 2, 3, 4, 5, 6)
    (whichever,) = kinds_of(picture, Choice(examples=9, typical=False))
    assert set(whichever.examples) == set(typical.numbers)
    (none,) = kinds_of(sample("a", *[cut_off] * 5), Choice(examples=9))
    assert len(none.examples) == 5


def test_examples_are_the_same_every_time_and_others_in_another_image() -> None:
    def examples(name: str) -> tuple[int, ...]:
        return kinds_of(sample(name, *BLOCKS), Choice(examples=9))[0].examples

    assert examples("a") == examples("a")
    assert len({examples(name) for name in "abcdef"}) > 1


def names_of(dataset: Images, choice: Choice) -> list[str]:
    return [image.name for _, image, _ in chosen(dataset, choice) if image is not None]


def test_of_each_set_so_many_images_of_each_sort_are_tried() -> None:
    several = [sample(f"{group}/{n}", *BLOCKS) for group in "xy" for n in range(5)]
    alone = [sample(f"x/alone {n}", BLOCKS[0]) for n in range(4)]
    dataset = Images(*several, *alone)
    names = names_of(dataset, Choice(max_images=2, max_alone=1))
    sorts = Counter(name[:3] for name in names)
    assert sum(sorts.values()) == 5
    assert sorts["x/a"] == 1
    assert len([name for name in names if name.startswith("y/")]) == 2
    assert names == names_of(dataset, Choice(max_images=2, max_alone=1))
    assert len(names_of(dataset, Choice())) == len(dataset)
    assert not names_of(dataset, Choice(max_images=0, max_alone=0))


def test_what_need_not_be_read_is_not() -> None:
    class Counting(Images):
        read = 0

        def __getitem__(self, index: int) -> Sample:
            self.read += 1
            return super().__getitem__(index)

    dataset = Counting(*(sample(str(n), *BLOCKS) for n in range(9)))
    steps = list(chosen(dataset, Choice(max_images=2, max_alone=0)))
    assert [done for done, _, _ in steps] == list(range(1, 10))
    assert dataset.read == 2


def test_the_order_does_not_follow_the_names() -> None:
    names = names_of(Images(*(sample(f"{n:02}", *BLOCKS) for n in range(12))), Choice())
    assert names != sorted(names)
    assert len(set(names)) == 12
