"""The examples of a project's labels: values only, nothing is read or written here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from edgeflow.similar.descriptor import Descriptor

OVERHEAD_BYTES = 200
"""Of an example's or a task's numbers and objects, roughly."""


class Category(NamedTuple):
    """What an object is labelled as: its like is sought for each category by itself.

    Attributes:
        control: The mask control that holds it.
        labels: As stored; empty for a control without labels.
    """

    control: str
    labels: tuple[str, ...]

    def __str__(self) -> str:
        return ", ".join(self.labels) or self.control


@dataclass(frozen=True)
class Example:
    """An accepted object.

    Attributes:
        category: What it is labelled as.
        annotation: Id of the annotation that holds it.
        object: Id of its region, or of the first of them.
        descriptor: What it looks like.
    """

    category: Category
    annotation: int
    object: str
    descriptor: Descriptor

    @property
    def nbytes(self) -> int:
        """Bytes held, roughly."""
        names = (self.object, *self.category.labels)
        return self.descriptor.nbytes + sum(map(len, names)) + OVERHEAD_BYTES


@dataclass(frozen=True)
class ReadTask:
    """A task whose annotations were read.

    Attributes:
        id: The task's.
        stamp: When it had changed last, see :class:`edgeflow.label_studio.api.heads.TaskHead`.
        model: What described its examples; another one does not understand them.
        examples: Perhaps none.
    """

    id: int
    stamp: str
    model: str
    examples: tuple[Example, ...] = ()

    @property
    def nbytes(self) -> int:
        """Bytes held, roughly."""
        return OVERHEAD_BYTES + sum(example.nbytes for example in self.examples)


@dataclass(frozen=True)
class Limits:
    """How much a library holds.

    Attributes:
        examples: Of one category.
        tasks: That were read.
        nbytes: Of everything.
    """

    examples: int
    tasks: int
    nbytes: int


@dataclass(frozen=True)
class Library:
    """The examples of one project.

    Attributes:
        tasks: The tasks that were read; that which changed last comes first.
    """

    tasks: tuple[ReadTask, ...] = ()

    @property
    def nbytes(self) -> int:
        """Bytes held, roughly."""
        return sum(task.nbytes for task in self.tasks)

    @property
    def counts(self) -> Counter[Category]:
        """How many examples each category has; those of the newest task come first."""
        return Counter(example.category for task in self.tasks for example in task.examples)

    def add(self, read: ReadTask, limits: Limits) -> Library:
        """The library with a task as it is now; the oldest examples make room for it.

        A task that loses examples stays among those that were read.
        """
        others = (task for task in self.tasks if task.id != read.id)
        tasks = sorted((read, *others), key=lambda task: (task.stamp, task.id), reverse=True)
        return Library(tuple(tasks)).within(limits)

    def within(self, limits: Limits) -> Library:
        """As much of the library as the limits allow, the newest first."""
        return Library(tuple(_within(self.tasks, limits)))

    def confirmed(self, stamps: Mapping[int, str], model: str) -> Library:
        """What still holds: of tasks that have not changed, described by this model.

        Args:
            stamps: The tasks as they are now; one that is missing is gone.
            model: What is to understand them now.
        """
        return Library(
            tuple(
                task
                for task in self.tasks
                if stamps.get(task.id) == task.stamp and task.model == model
            )
        )

    def choose(self, category: Category, count: int) -> tuple[Example, ...]:
        """The newest examples of a category, at most so many."""
        found = (e for task in self.tasks for e in task.examples if e.category == category)
        return tuple(example for example, _ in zip(found, range(count), strict=False))


def _within(tasks: Sequence[ReadTask], limits: Limits) -> Iterator[ReadTask]:
    tasks = tasks[: min(limits.tasks, limits.nbytes // OVERHEAD_BYTES)]
    room = limits.nbytes - len(tasks) * OVERHEAD_BYTES
    counts: Counter[Category] = Counter()
    for task in tasks:
        kept = []
        for example in task.examples:
            if counts[example.category] < limits.examples and example.nbytes <= room:
                counts[example.category] += 1
                room -= example.nbytes
                kept.append(example)
        yield replace(task, examples=tuple(kept))
