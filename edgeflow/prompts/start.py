"""What an object starts from before its first click, and how that changes each step."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

from torch import Tensor

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click


class Opening(NamedTuple):
    """A network run before the annotator's first click.

    Attributes:
        clicks: Implied clicks for the network.
        box: Where the object lies; None where only the clicks say.
    """

    clicks: tuple[Click, ...]
    box: Box | None


class Start(Protocol):
    """One kind of start: a class that states what differs from starting with nothing.

    Networks are trained on clicks alone, so a start is turned into what they understand: implied
    clicks, a place to look at, and the map that is fed back. Starts are immutable, and predictions
    are remembered by their digest.
    """

    opens: ClassVar[bool] = False
    """Whether :meth:`opening` runs the network, so that there is an answer without clicks."""

    confines: ClassVar[bool] = False
    """Whether :meth:`confine` changes anything."""

    @property
    @abstractmethod
    def digest(self) -> str:
        """Identity of this start; names its kind, so that two kinds never share one."""

    @abstractmethod
    def check(self, size: Size) -> None:
        """Refuse a start that does not fit an image.

        Args:
            size: Image size.

        Raises:
            PromptError: Why, and what to do.
        """

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays held."""
        return 0

    @property
    def prior(self) -> BoolMask | None:
        """The object's H×W mask before the next click; None if the network's own mask counts."""
        return None

    def opening(self, size: Size, masks: Sequence[MaskPatch]) -> Opening | None:  # noqa: ARG002
        """The next network run before any click; None once there is nothing left to run.

        Args:
            size: Image size.
            masks: Masks of the runs so far, in order.
        """
        return None

    def imply(
        self,
        implied: tuple[Click, ...],
        clicks: Sequence[Click],  # noqa: ARG002
    ) -> tuple[Click, ...]:
        """Clicks for the network besides the annotator's.

        Args:
            implied: Those of the step before.
            clicks: The annotator's, the newest included.
        """
        return implied

    def loosened(self, values: Tensor, frame: Box, size: Size) -> Start:  # noqa: ARG002
        """The start that confines a mask, once the network has said where it sees the object.

        Args:
            values: 1×1×h×w float32, mask probability on the network's grid.
            frame: Part of the image that the grid covers.
            size: Image size.
        """
        return self

    def confine(self, probability: Tensor, box: Box) -> Tensor:  # noqa: ARG002
        """Set a map to 0 where the object cannot be; the very same tensor if it can be anywhere.

        Args:
            probability: h×w float32, or a bool mask; the content of ``box``.
            box: Part of the image.
        """
        return probability

    def after(self, mask: MaskPatch, click: Click) -> Start:  # noqa: ARG002
        """The start of the next step.

        Args:
            mask: The network's mask at this step.
            click: The newest.
        """
        return self


@dataclass(frozen=True)
class Nothing(Start):
    """The start of an object that clicks alone describe."""

    @property
    def digest(self) -> str:
        """See :attr:`Start.digest`."""
        return "nothing"

    def check(self, size: Size) -> None:
        """Accept any image; see :meth:`Start.check`."""


NOTHING = Nothing()
