"""The base of most datasets: a table of entries by sample name, read one at a time."""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from edgeflow.data.base import Dataset, DatasetError, Sample
from edgeflow.data.left_out import LeftOut

Entry = TypeVar("Entry")

NAMES_SHOWN = 5


class ListedDataset(ABC, Generic[Entry]):
    """Samples from a table that is made once. Holds no open file, so threads may share it.

    Args:
        name: Name in reports.
        entries: What each sample is read from, by sample name, in the dataset's order.
        class_names: Classes that the dataset declares, in its order.
        left_out: What is not among the entries.

    Raises:
        DatasetError: There are no entries, or a name could be taken for a path outside the dataset.
    """

    def __init__(
        self,
        name: str,
        entries: Mapping[str, Entry],
        *,
        class_names: Iterable[str] = (),
        left_out: Iterable[LeftOut] = (),
    ) -> None:
        if not entries:
            raise DatasetError(
                f"{name} holds no annotated image",
                hint="check the path, and the expected trees in docs/datasets.md",
            )
        for sample in entries:
            check_name(sample, name)
        self._name = name
        self._sample_names = tuple(entries)
        self._entries = tuple(entries.values())
        self._class_names = tuple(class_names)
        self._left_out = tuple(left_out)

    @property
    def name(self) -> str:
        """Name in reports."""
        return self._name

    @property
    def sample_names(self) -> tuple[str, ...]:
        """Names of the samples, in order."""
        return self._sample_names

    @property
    def class_names(self) -> tuple[str, ...]:
        """Class names that the dataset declares, used or not, in its order; may be empty."""
        return self._class_names

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What was left out when the dataset was opened."""
        return self._left_out

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> Sample:
        return self._read(self._sample_names[index], self._entries[index])

    @abstractmethod
    def _read(self, name: str, entry: Entry) -> Sample:
        """Read one sample; raises DatasetError."""


def left_out_of(dataset: Dataset) -> tuple[LeftOut, ...]:
    """What was left out when a dataset was opened; nothing for one that does not say."""
    return dataset.left_out if isinstance(dataset, ListedDataset) else ()


def class_names_of(dataset: Dataset) -> tuple[str, ...]:
    """The classes that a dataset declares; none for one that does not say."""
    return dataset.class_names if isinstance(dataset, ListedDataset) else ()


def check_name(name: str, source: str) -> None:
    """Refuse a name that would leave its folder if taken for a relative path.

    Args:
        name: Name from a tar, a list or JSON; parts are separated by slashes.
        source: Where the name was read, for the message.

    Raises:
        DatasetError: The name is empty, absolute, has ``..``, backslashes, colons or unprintable
            characters.
    """
    parts = name.split("/")
    if (
        not all(map(is_seen, name))
        or any(part in {"", ".", ".."} for part in parts)
        or any(character in name for character in "\\:")
    ):
        raise DatasetError(
            f"{source}: {name[:200]!a} is not a name for an image",
            hint="names are relative paths with slashes, without '..', backslashes and colons",
        )


def is_seen(character: str) -> bool:
    """Whether a character shows, or is one of the blanks: macOS names screenshots with U+202F."""
    return character.isprintable() or unicodedata.category(character) == "Zs"


def count_and_first(names: Iterable[str]) -> str:
    """Such as ``7 (a, b, c, d, e, …)``."""
    listed = list(names)
    dots = ", …" if len(listed) > NAMES_SHOWN else ""
    return f"{len(listed)} ({', '.join(listed[:NAMES_SHOWN])}{dots})"
