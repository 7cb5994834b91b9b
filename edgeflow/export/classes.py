"""Classes of an export: their numbers and colours."""

from __future__ import annotations

from dataclasses import dataclass

from edgeflow.masks.palette import RGB, voc_colour

UNLABELLED = "unlabelled"
"""Class of objects without one."""


@dataclass(frozen=True)
class Classes:
    """The classes that objects may have, numbered from 1 in their order; 0 is the background.

    Objects without a class have the number behind all others.

    Attributes:
        labels: Names, each once.
        unlabelled: Whether some object has no class.
    """

    labels: tuple[str, ...]
    unlabelled: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in the order of their numbers; the last may be :data:`UNLABELLED`.

        If a class has that very name, an underscore sets the other apart.
        """
        if not self.unlabelled:
            return self.labels
        name = UNLABELLED
        while name in self.labels:
            name += "_"
        return (*self.labels, name)

    def number(self, label: str | None) -> int:
        """A class's number, from 1.

        Raises:
            ValueError: There is no such class.
        """
        if label is not None:
            return self.labels.index(label) + 1
        if not self.unlabelled:
            raise ValueError("no object was said to be without a class")
        return len(self.labels) + 1

    def name(self, label: str | None) -> str:
        """A class's name; :data:`UNLABELLED` where there is none."""
        return self.names[self.number(label) - 1]

    def colour(self, number: int) -> RGB:
        """A class's colour, that of PASCAL VOC's palette; black for the background."""
        return voc_colour(number)
