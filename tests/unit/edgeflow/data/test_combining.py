from __future__ import annotations

import numpy as np
import pytest

from edgeflow.data.base import Dataset, DatasetError, Sample
from edgeflow.data.combining import Concatenated, Subset


class Shades:
    """Samples whose pixel says which they are."""

    def __init__(self, name: str, *shades: int) -> None:
        self.name = name
        self.shades = shades
        self.sample_names = tuple(f"s{shade}" for shade in shades)

    def __len__(self) -> int:
        return len(self.shades)

    def __getitem__(self, index: int) -> Sample:
        shade = self.shades[index]
        rgb = np.full((1, 1, 3), shade, dtype=np.uint8)
        return Sample(self.sample_names[index], rgb, (np.ones((1, 1), dtype=np.bool_),))


def shades(dataset: Dataset) -> list[tuple[str, int]]:
    samples = [dataset[index] for index in range(len(dataset))]
    return [(sample.name, int(sample.rgb[0, 0, 0])) for sample in samples]


def test_datasets_follow_one_another_under_their_names() -> None:
    joined = Concatenated([Shades("a", 1, 2), Shades("none"), Shades("b", 1, 3, 4)])
    expected = [("a/s1", 1), ("a/s2", 2), ("b/s1", 1), ("b/s3", 3), ("b/s4", 4)]
    assert shades(joined) == expected
    assert joined.sample_names == tuple(name for name, _ in expected)
    assert joined.name == "a+none+b"
    assert Concatenated([Shades("a", 1)], name="mine").name == "mine"


def test_a_joined_dataset_ends() -> None:
    joined = Concatenated([Shades("a", 1), Shades("b", 2)])
    assert joined[-1].name == "b/s2"
    for index in (2, -3):
        with pytest.raises(IndexError):
            joined[index]
    assert len(list(iter(joined))) == 2


def test_datasets_of_one_name_and_none_at_all_are_refused() -> None:
    with pytest.raises(DatasetError, match="cannot join a, a"):
        Concatenated([Shades("a", 1), Shades("a", 2)])
    with pytest.raises(DatasetError, match="no datasets"):
        Concatenated([])


def test_a_subset_has_its_own_order() -> None:
    subset = Subset(Shades("a", 5, 6, 7), [2, 0])
    assert shades(subset) == [("s7", 7), ("s5", 5)]
    assert (subset.name, subset.sample_names) == ("a", ("s7", "s5"))
    assert Subset(Shades("a", 5), [], name="none").name == "none"
    with pytest.raises(IndexError):
        subset[2]


@pytest.mark.parametrize("indices", [[3], [-1], [0, 0]])
def test_samples_that_are_not_there_or_twice_are_refused(indices: list[int]) -> None:
    with pytest.raises(DatasetError, match="no such subset of a"):
        Subset(Shades("a", 5, 6, 7), indices)


def test_subsets_and_joins_may_be_nested() -> None:
    joined = Concatenated([Subset(Shades("a", 1, 2), [1]), Shades("b", 3)])
    assert shades(Subset(joined, [1, 0])) == [("b/s3", 3), ("a/s2", 2)]
