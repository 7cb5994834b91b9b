"""Which windows a large picture is cut into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgeflow.geometry import Box, Size

SIDE = 1024
OVERLAP = 128


@dataclass(frozen=True)
class Grid:
    """Windows of one size that together hold every pixel.

    Attributes:
        size: Of the picture.
        side: Of a window, in pixels.
        overlap: Pixels that neighbours share; more in the last row and column.

    Raises:
        ValueError: The picture has no pixels, or windows overlap by their whole side.
    """

    size: Size
    side: int = SIDE
    overlap: int = OVERLAP

    def __post_init__(self) -> None:
        if min(self.size) < 1 or not 0 <= self.overlap < self.side:
            raise ValueError(f"no grid: {self}")

    def __len__(self) -> int:
        """How many windows there are."""
        return len(self._starts(self.size.height)) * len(self._starts(self.size.width))

    def windows(self) -> Iterator[Box]:
        """The windows, row by row.

        The last ones are aligned to the picture's border, so all are ``side`` long unless the
        picture is shorter than that.
        """
        height, width = (min(self.side, length) for length in self.size)
        for top in self.tops():
            for left in self._starts(self.size.width):
                yield Box(top, left, top + height, left + width)

    def tops(self) -> list[int]:
        """First rows of the windows, ascending."""
        return self._starts(self.size.height)

    def _starts(self, length: int) -> list[int]:
        last = max(length - self.side, 0)
        return [*range(0, last, self.side - self.overlap), last]
