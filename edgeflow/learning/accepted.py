"""An accepted object: its mask, what it is labelled as, and the clicks that made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from edgeflow.arrays import BoolMask
from edgeflow.data.coco_masks import fill_runs, parse_counts
from edgeflow.export.formats.coco_codes import encode_counts
from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch

Start = Literal["clicks", "outline", "mask", "hand"]
"""What an object began as: a click, a box or lasso, a mask that is not recorded, or a stroke by
hand that no click has ever changed.
"""


class PercentClick(NamedTuple):
    """A click as it is recorded.

    Attributes:
        x: Percent of the image's width, from its left edge.
        y: Percent of its height, from the top.
        positive: Whether it marks the object rather than what is around it.
    """

    x: float
    y: float
    positive: bool


class MaskCode(NamedTuple):
    """A mask as COCO's compressed run-length code.

    Attributes:
        size: Of the image.
        counts: The code, ASCII.
    """

    size: Size
    counts: str

    @classmethod
    def of(cls, mask: MaskPatch) -> MaskCode:
        """Encode a mask."""
        return cls(mask.image_size, encode_counts(mask))

    def mask(self) -> BoolMask:
        """The mask, H×W bool.

        Raises:
            MaskCodecError: The code is none of a mask of this size.
        """
        return fill_runs(parse_counts(self.counts), self.size)


@dataclass(frozen=True)
class Origin:
    """The annotation that an object was accepted in.

    Attributes:
        task: Id of its task.
        annotation: Its id.
        created_at: When it was submitted first, ISO 8601.
        updated_at: When it changed last, ISO 8601; with :attr:`annotation`, its version.
        annotator: Number of whose it is; None where Label Studio does not say.
        ground_truth: Whether it is marked as the truth.
        counts: Whether it is the annotation that counts among those of its task; see
            :func:`edgeflow.data.annotators.choose_annotations`.
    """

    task: int
    annotation: int
    created_at: str
    updated_at: str
    annotator: int | None
    ground_truth: bool
    counts: bool


@dataclass(frozen=True)
class AcceptedObject:
    """An object that an annotator accepted.

    Attributes:
        origin: Where.
        id: Id of its region, or of the first of them.
        picture: SHA-256 of the image's file, 64 hex digits.
        control: The control that holds it.
        labels: As stored; empty for a control without labels.
        start: What it began as.
        clicks: The annotator's clicks, in order.
        model: Version of the model that made it; empty where none did.
        edited: Whether somebody changed the mask by hand after the last click.
        mask: What it covers.
    """

    origin: Origin
    id: str
    picture: str
    control: str
    labels: tuple[str, ...]
    start: Start
    clicks: tuple[PercentClick, ...]
    model: str
    edited: bool
    mask: MaskCode

    @property
    def label(self) -> str:
        """What it is labelled as, in one text; the control's name where it has no labels."""
        return ", ".join(self.labels) or self.control
