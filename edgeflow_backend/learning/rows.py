"""An accepted object as a row of the store and back, checked before it is believed."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgeflow.geometry import Size
from edgeflow.learning.accepted import AcceptedObject, MaskCode, Origin, PercentClick

OVERHEAD_BYTES = 100
"""Of a row, roughly, besides its texts."""


class SpoiledRowError(ValueError):
    """A row that is no accepted object, or has changed since it was written."""


class Row(NamedTuple):
    """A row.

    Attributes:
        facts: JSON of everything but the mask.
        mask: The mask's code.
        digest: SHA-256 of both.
    """

    facts: str
    mask: str
    digest: bytes

    @property
    def nbytes(self) -> int:
        """Bytes held, roughly."""
        return len(self.facts.encode()) + len(self.mask) + OVERHEAD_BYTES


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    task: int
    annotation: int
    created_at: str
    updated_at: str
    annotator: int | None
    ground_truth: bool
    counts: bool
    id: str
    picture: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    control: str
    labels: list[str]
    start: Literal["clicks", "outline", "mask", "hand"]
    clicks: list[tuple[float, float, bool]]
    model: str
    edited: bool
    height: Annotated[int, Field(ge=1)]
    width: Annotated[int, Field(ge=1)]


def pack(accepted: AcceptedObject) -> Row:
    """An object as a row."""
    origin, mask = accepted.origin, accepted.mask
    facts = _Facts(
        task=origin.task,
        annotation=origin.annotation,
        created_at=origin.created_at,
        updated_at=origin.updated_at,
        annotator=origin.annotator,
        ground_truth=origin.ground_truth,
        counts=origin.counts,
        id=accepted.id,
        picture=accepted.picture,
        control=accepted.control,
        labels=list(accepted.labels),
        start=accepted.start,
        clicks=[(click.x, click.y, click.positive) for click in accepted.clicks],
        model=accepted.model,
        edited=accepted.edited,
        height=mask.size.height,
        width=mask.size.width,
    ).model_dump_json()
    return Row(facts, mask.counts, _digest(facts, mask.counts))


def unpack(row: Row) -> AcceptedObject:
    """What :func:`pack` made.

    Raises:
        SpoiledRowError: It made something else, or the row has changed since.
    """
    if row.digest != _digest(row.facts, row.mask):
        raise SpoiledRowError("its checksum is another one")
    try:
        facts = _Facts.model_validate_json(row.facts)
    except ValidationError as error:
        raise SpoiledRowError("it is not what it should be") from error
    origin = Origin(
        facts.task,
        facts.annotation,
        facts.created_at,
        facts.updated_at,
        facts.annotator,
        facts.ground_truth,
        facts.counts,
    )
    return AcceptedObject(
        origin=origin,
        id=facts.id,
        picture=facts.picture,
        control=facts.control,
        labels=tuple(facts.labels),
        start=facts.start,
        clicks=tuple(PercentClick(*click) for click in facts.clicks),
        model=facts.model,
        edited=facts.edited,
        mask=MaskCode(Size(facts.height, facts.width), row.mask),
    )


def _digest(facts: str, mask: str) -> bytes:
    return hashlib.sha256(f"{facts}\n{mask}".encode("utf-8", "surrogatepass")).digest()
