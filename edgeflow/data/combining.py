"""Datasets of datasets."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from edgeflow.data.base import Dataset, DatasetError, Sample


class Concatenated:
    """Several datasets, one after the other; samples are named ``<dataset>/<name>``.

    Args:
        datasets: at least one.
        name: by default the datasets' own, joined by ``+``.

    Raises:
        DatasetError: there are none, or two have one name.
    """

    def __init__(self, datasets: Sequence[Dataset], *, name: str | None = None) -> None:
        names = [dataset.name for dataset in datasets]
        if not names or len(set(names)) < len(names):
            raise DatasetError(
                f"cannot join {', '.join(names) or 'no datasets'}",
                hint="give at least one, each with a name of its own",
            )
        self._datasets = tuple(datasets)
        self._name = name if name is not None else "+".join(names)
        self._ends = list(accumulate(map(len, datasets)))
        self._sample_names = tuple(
            f"{dataset.name}/{each}" for dataset in datasets for each in dataset.sample_names
        )

    @property
    def name(self) -> str:
        """What it is called in reports."""
        return self._name

    @property
    def sample_names(self) -> tuple[str, ...]:
        """The samples' names, in order."""
        return self._sample_names

    def __len__(self) -> int:
        return len(self._sample_names)

    def __getitem__(self, index: int) -> Sample:
        index = range(len(self))[index]
        which = bisect_right(self._ends, index)
        dataset = self._datasets[which]
        sample = dataset[index - self._ends[which] + len(dataset)]
        return replace(sample, name=self._sample_names[index])


class Subset:
    """Some samples of a dataset, in a given order.

    Args:
        dataset: from which.
        indices: of the samples.
        name: by default the dataset's.

    Raises:
        DatasetError: there is no sample of such an index, or one is taken twice.
    """

    def __init__(
        self, dataset: Dataset, indices: Sequence[int], *, name: str | None = None
    ) -> None:
        self._indices = tuple(indices)
        if len(set(indices)) < len(indices) or not set(indices) <= set(range(len(dataset))):
            raise DatasetError(
                f"no such subset of {dataset.name}",
                hint=f"indices are from 0 to {len(dataset) - 1}, each at most once",
            )
        self._dataset = dataset
        self._name = name if name is not None else dataset.name
        names = dataset.sample_names
        self._sample_names = tuple(names[index] for index in self._indices)

    @property
    def name(self) -> str:
        """What it is called in reports."""
        return self._name

    @property
    def sample_names(self) -> tuple[str, ...]:
        """The samples' names, in order."""
        return self._sample_names

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> Sample:
        return self._dataset[self._indices[index]]
