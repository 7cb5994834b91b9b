"""Pages: images of one task, in order."""

from __future__ import annotations

from typing import Protocol

from edgeflow.errors import EdgeFlowError
from edgeflow.inference.state import EncodedImage


class PageError(EdgeFlowError):
    """A page that cannot be read."""

    code = "page_unreadable"


class Pages(Protocol):
    """Images in order. They may be read when they are asked for."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def __getitem__(self, index: int) -> EncodedImage:
        """A page, as :meth:`edgeflow.inference.predictor.Predictor.encode` gives it.

        Args:
            index: From 0 on, below the length.

        Raises:
            PageError: It cannot be read.
        """
        ...
