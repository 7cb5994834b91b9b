"""What a request says about one object, whatever it was given as."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Protocol

from typing_extensions import Self

from edgeflow.geometry import Size
from edgeflow.label_studio.values import JSONObject
from edgeflow.prompts.click import Click
from edgeflow_backend.protocol.wire import BaseRegion, KeyPoint, OutlineRegion


class Prompt(Protocol):
    """What a request says about one object."""

    @classmethod
    def parse(cls, regions: Sequence[JSONObject], *, max_clicks: int) -> Self:
        """Read it from regions of its types.

        Args:
            regions: At least one, oldest first.
            max_clicks: Clicks on one object; more are refused.

        Raises:
            PromptError: They cannot be read, or there are too many clicks.
        """
        ...

    @property
    def newest(self) -> BaseRegion:
        """Its last region: whose control, item and image size are the request's."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """The newest region's labels, as Label Studio stores them."""
        ...

    @property
    def ids(self) -> tuple[str, ...]:
        """An id for each region, oldest first; part of the answer's id and record.

        Label Studio always sends ids; where another client does not, the values stand in.
        """
        ...

    @property
    def marks(self) -> frozenset[Hashable]:
        """What the prompt says: ids with positions and signs, comparable as sets.

        Empty where a client sends no ids: then two requests may come from two annotators, and
        neither may stand for the other.
        """
        ...

    @property
    def first_click(self) -> KeyPoint | None:
        """The click that may refine an object; None for what is drawn, which always begins one."""
        ...

    @property
    def outline(self) -> OutlineRegion | None:
        """The outline around the object, where that is the prompt."""
        ...

    def clicks(self, size: Size, *, begins: bool = True) -> list[Click]:
        """The prompt's clicks, or those that stand for it, in image pixels.

        Args:
            size: Image size.
            begins: Whether they begin an object, which takes a positive one.

        Raises:
            PromptError: They cannot be used; the message says why.
        """
        ...

    def without(self, count: int) -> Self:
        """The prompt without its first regions; some must be left."""
        ...
