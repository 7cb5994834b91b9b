"""What is found on a page."""

from __future__ import annotations

from dataclasses import dataclass

from edgeflow.arrays import BoolMask


@dataclass(frozen=True, eq=False)
class PageMask:
    """An object on one page.

    Attributes:
        index: Of the page, from 0.
        mask: H×W bool of the page's own size.
        score: Estimate of its IoU with the object, 0 to 1.
    """

    index: int
    mask: BoolMask
    score: float
