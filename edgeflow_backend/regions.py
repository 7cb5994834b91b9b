"""From masks to Label Studio regions."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import numpy.typing as npt

from edgeflow.geometry import Size
from edgeflow.masks import encode_brush
from edgeflow_backend.label_config import Control
from edgeflow_backend.protocol import ClickPrompt, JSONObject

ID_PREFIX = "ef"
ID_LENGTH = 10


def region_id(task_id: object, prompt: ClickPrompt) -> str:
    """A stable id for the answer to these clicks.

    It depends on the task and the clicks' own ids, not on their places: the same request always
    gets the same id, moving a point keeps it, and each longer sequence has its own. So whoever
    finds this id among a task's accepted regions knows exactly which clicks made that region.
    """
    # Label Studio always sends ids; where another client does not, places stand in.
    points = (p.id or f"{p.value.x},{p.value.y},{p.positive}" for p in prompt.points)
    names = "\n".join((str(task_id), prompt.newest.from_name, *points))
    digest = hashlib.sha256(names.encode()).hexdigest()
    return f"{ID_PREFIX}{digest}"[:ID_LENGTH]


def made_here(region: object) -> bool:
    """Whether a region's id looks like one of ours."""
    return isinstance(region, dict) and str(region.get("id", "")).startswith(ID_PREFIX)


def region_label(control: Control, label: str | None) -> str | None:
    """The label of the region: the click's, or the only one there is."""
    if label is None and len(control.labels) == 1:
        return control.labels[0]
    return label if control.labels else None


def brush_region(
    mask: npt.NDArray[np.bool_], score: float, prompt: ClickPrompt, control: Control, region: str
) -> JSONObject:
    """Build a brush region.

    Args:
        mask: H×W bool at the size that the editor sees.
        score: 0 to 1.
        prompt: whose picture, item and rotation are echoed.
        control: the mask control that holds the region.
        region: its id.
    """
    newest = prompt.newest
    height, width = mask.shape
    value: JSONObject = {"format": "rle", "rle": list(encode_brush(mask))}
    label = region_label(control, newest.label)
    if label is not None:
        value[control.region_type] = [label]
    answer: JSONObject = {
        "id": region,
        "from_name": control.name,
        "to_name": newest.to_name,
        "type": control.region_type,
        "original_width": width,
        "original_height": height,
        "image_rotation": newest.image_rotation,
        "value": value,
        "score": score,
        "readonly": False,
    }
    if newest.item_index is not None:
        answer["item_index"] = newest.item_index
    return answer


def fit_to_editor(mask: npt.NDArray[np.bool_], size: Size) -> npt.NDArray[np.bool_]:
    """Resize a mask to the size that the editor believes the picture has, if it differs."""
    if mask.shape == tuple(size):
        return mask
    resized = cv2.resize(
        mask.astype(np.uint8), (size.width, size.height), interpolation=cv2.INTER_NEAREST
    )
    return resized.astype(np.bool_)
