"""A sequence of pages of which each shows one object, with its annotated mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from edgeflow.arrays import BoolMask, RGBImage


class AnnotatedPage(NamedTuple):
    """One page.

    Attributes:
        rgb: H×W×3 uint8.
        truth: H×W, the object; empty where it is out of sight.
        ignore: H×W, true where the annotation does not say; None for nowhere.
    """

    rgb: RGBImage
    truth: BoolMask
    ignore: BoolMask | None = None


class PageSequence(Protocol):
    """Pages in order. They may be read when they are asked for."""

    @property
    def name(self) -> str:
        """``<set>/<sequence>``, or without a set."""
        ...

    def __len__(self) -> int:
        """How many pages there are."""
        ...

    def __getitem__(self, index: int) -> AnnotatedPage:
        """A page, by its number from 0.

        Raises:
            DatasetError: It cannot be read.
        """
        ...


@dataclass(frozen=True)
class MadeSequence:
    """A sequence in memory; see :class:`PageSequence`."""

    name: str
    pages: Sequence[AnnotatedPage]

    def __len__(self) -> int:
        """How many pages there are."""
        return len(self.pages)

    def __getitem__(self, index: int) -> AnnotatedPage:
        """A page, by its number from 0."""
        return self.pages[index]
