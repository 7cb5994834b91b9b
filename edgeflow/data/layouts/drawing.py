"""Objects that are drawn when their image is read: one that cannot be is left out, and told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edgeflow.arrays import BoolMask, RGBImage
from edgeflow.data.base import Sample
from edgeflow.data.label_maps import MAX_MASK_BYTES
from edgeflow.data.left_out import LeftOut
from edgeflow.errors import EdgeFlowError, MaskCodecError
from edgeflow.geometry import Size

NO_PIXEL = "objects without a pixel"


class Drawing(NamedTuple):
    """An object that is not drawn yet.

    Attributes:
        label: Class name, if it has one.
        draw: Makes its mask, H×W of an image's size; raises EdgeFlowError.
        source: Where it was read, for messages.
    """

    label: str | None
    draw: Callable[[Size], BoolMask]
    source: str


def drawn_sample(
    name: str,
    rgb: RGBImage,
    drawings: Iterable[Drawing],
    *,
    file_name: str,
    left_out: Iterable[LeftOut] = (),
    path: Path | None = None,
) -> Sample:
    """The sample of an image and the objects on it, in their order.

    Args:
        name: The sample's.
        rgb: H×W×3 uint8.
        drawings: Its objects.
        file_name: The image's.
        left_out: What is left out already.
        path: The image's file; None where it is part of another one.
    """
    size = Size(*rgb.shape[:2])
    objects: list[BoolMask] = []
    labels: list[str | None] = []
    told = list(left_out)
    for each in drawings:
        if (len(objects) + 1) * size.height * size.width > MAX_MASK_BYTES:
            told.append(LeftOut("more masks on one image than fit into memory", each.source))
            continue
        try:
            mask = each.draw(size)
        except EdgeFlowError as error:
            told.append(LeftOut(error.message, each.source))
            continue
        if mask.any():
            objects.append(mask)
            labels.append(each.label)
        else:
            told.append(LeftOut(NO_PIXEL))
    return Sample(
        name,
        rgb,
        tuple(objects),
        labels=tuple(labels),
        file_name=file_name,
        left_out=tuple(told),
        path=path,
    )


def union(parts: list[Drawing]) -> Drawing:
    """Parts of one object as one; the label and the source are those of the first."""
    if len(parts) == 1:
        return parts[0]

    def draw(size: Size) -> BoolMask:
        whole = np.zeros(size, dtype=np.bool_)
        for part in parts:
            whole |= part.draw(size)
        return whole

    return Drawing(parts[0].label, draw, parts[0].source)


def of_size(mask: BoolMask, size: Size) -> BoolMask:
    """The mask itself.

    Raises:
        MaskCodecError: It has another size than its image.
    """
    if mask.shape != tuple(size):
        raise MaskCodecError(
            f"its mask has {mask.shape[1]}×{mask.shape[0]} pixels, its image "
            f"{size.width}×{size.height}"
        )
    return mask
