"""Regions: their ids, and how a mask becomes one or several of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from edgeflow.errors import LabelConfigError
from edgeflow.label_studio.config.holder import Holder
from edgeflow.label_studio.object_ids import piece_id
from edgeflow.label_studio.region_values import PolygonOptions
from edgeflow.label_studio.values import JSONObject
from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.protocol.wire import BaseRegion

ID_PREFIX = "ef"
ID_LENGTH = 10


def region_id(task_id: object, from_name: str, prompt_ids: Sequence[str]) -> str:
    """A stable id for the answer to a prompt that begins an object.

    It depends on the task and the clicks' own ids, not on their positions: the same request always
    gets the same id, moving a point keeps it, and each longer sequence has its own. So where this
    id is found among a task's accepted regions, it is known exactly which clicks made that region.

    Args:
        task_id: The task.
        from_name: The control that the prompt was made with.
        prompt_ids: Ids of the prompt's regions, in order.
    """
    names = "\n".join((str(task_id), from_name, *prompt_ids))
    digest = hashlib.sha256(names.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{ID_PREFIX}{digest}"[:ID_LENGTH]


def made_here(region: object) -> bool:
    """Whether a region's id looks like one from this backend."""
    return isinstance(region, dict) and str(region.get("id", "")).startswith(ID_PREFIX)


def mask_regions(
    mask: MaskPatch,
    score: float,
    newest: BaseRegion,
    holder: Holder,
    region: str,
    *,
    polygons: PolygonOptions | None = None,
    record: Callable[[JSONObject], JSONObject] | None = None,
) -> list[JSONObject]:
    """Build the regions that show a mask: one, except for polygons in several pieces.

    Args:
        mask: Not empty, at the size that the editor sees.
        score: 0 to 1.
        newest: The prompt's region whose image, item and rotation are echoed.
        holder: The control and labels.
        region: Id of the first region; further ones add a number to it.
        polygons: How masks become polygons.
        record: Makes the ``meta`` of each region.

    Raises:
        LabelConfigError: The control holds no masks.
    """
    kind = holder.control.kind
    if kind is None or kind.mask is None:
        raise LabelConfigError(
            f"{holder.control} cannot hold a mask", hint="reload the task in Label Studio"
        )
    height, width = mask.image_size
    regions = []
    values = kind.mask.encode(mask, polygons or PolygonOptions())
    for number, value in enumerate(values, start=1):
        answer: JSONObject = {
            "id": piece_id(region, number),
            "from_name": holder.control.name,
            "to_name": newest.to_name,
            "type": holder.control.region_type,
            "original_width": width,
            "original_height": height,
            "image_rotation": newest.image_rotation,
            "value": value,
            "score": score,
            "readonly": False,
        }
        if newest.item_index is not None:
            answer["item_index"] = newest.item_index
        if record is not None:
            answer["meta"] = record(answer)
        regions += holder.results(answer)
    return regions
