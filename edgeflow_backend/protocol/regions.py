"""From masks to Label Studio regions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeflow.label_studio.region_values import PolygonOptions, region_values
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.protocol.label_config import Control
from edgeflow_backend.protocol.prompts import Prompt
from edgeflow_backend.protocol.wire import PromptRegion

ID_PREFIX = "ef"
ID_LENGTH = 10


@dataclass(frozen=True)
class Holder:
    """Where an answer goes.

    Attributes:
        control: the mask control.
        label: as stored there; None without one.
        labels: the ``Labels`` control that carries the label where ``control`` has none itself.
    """

    control: Control
    label: str | None
    labels: Control | None = None


def region_id(task_id: object, prompt: Prompt) -> str:
    """A stable id for the answer to a prompt that begins an object.

    It depends on the task and the clicks' own ids, not on their places: the same request always
    gets the same id, moving a point keeps it, and each longer sequence has its own. So whoever
    finds this id among a task's accepted regions knows exactly which clicks made that region.
    """
    names = "\n".join((str(task_id), prompt.newest.from_name, *prompt.ids))
    digest = hashlib.sha256(names.encode()).hexdigest()
    return f"{ID_PREFIX}{digest}"[:ID_LENGTH]


def made_here(region: object) -> bool:
    """Whether a region's id looks like one of ours."""
    return isinstance(region, dict) and str(region.get("id", "")).startswith(ID_PREFIX)


def region_label(control: Control, label: str | None) -> str | None:
    """The label of a region as stored: the prompt's (by value), or the only one there is."""
    if label is None and len(control.labels) == 1:
        label = control.labels[0]
    return control.stored(label) if label is not None and control.labels else None


def mask_regions(
    mask: npt.NDArray[np.bool_],
    score: float,
    newest: PromptRegion,
    holder: Holder,
    region: str,
    *,
    polygons: PolygonOptions | None = None,
    record: Callable[[JSONObject], JSONObject] | None = None,
) -> list[JSONObject]:
    """Build the regions that show a mask: one, but for polygons in several pieces.

    Args:
        mask: H×W bool, not empty, at the size that the editor sees.
        score: 0 to 1.
        newest: whose image, item and rotation are echoed.
        holder: the control and label.
        region: id of the first region; further ones add a number to it.
        polygons: how masks become polygons.
        record: makes the ``meta`` that is kept with each region.
    """
    height, width = mask.shape
    regions = []
    values = region_values(mask, holder.control.tag, polygons or PolygonOptions())
    for number, value in enumerate(values, start=1):
        answer: JSONObject = {
            "id": region if number == 1 else f"{region}-{number}",
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
        regions += _labelled(answer, holder)
    return regions


def _labelled(answer: JSONObject, holder: Holder) -> list[JSONObject]:
    """The region with its label: its own key, or a second result of the same id."""
    if holder.label is None:
        return [answer]
    if holder.labels is None:
        answer["value"][holder.control.region_type] = [holder.label]
        return [answer]
    # With a separate Labels control, one region is two results that share an id and a shape.
    label = {
        **answer,
        "from_name": holder.labels.name,
        "type": "labels",
        "value": {**answer["value"], "labels": [holder.label]},
    }
    return [answer, label]
