"""Accepted objects that no Label Studio had to be asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeflow.learning.accepted import AcceptedObject, MaskCode, Origin, PercentClick
from edgeflow.masks.patch import MaskPatch


def origin(task: int = 1, **changes: Any) -> Origin:
    fields: dict[str, Any] = {
        "annotation": 100 + task,
        "created_at": f"2026-11-28T09:00:{task % 60:02}.5Z",
        "updated_at": f"2026-11-28T10:00:{task % 60:02}.5Z",
        "annotator": 7,
        "ground_truth": False,
        "counts": True,
    }
    return Origin(task, **{**fields, **changes})


def accepted(task: int = 1, **changes: Any) -> AcceptedObject:
    mask = np.zeros((12, 20), dtype=np.bool_)
    mask[2:7, 3:9] = True
    mask[4, 5] = False
    fields: dict[str, Any] = {
        "origin": origin(task),
        "id": f"object-{task}",
        "picture": f"{task:064x}",
        "control": "mask",
        "labels": ("disk",),
        "start": "clicks",
        "clicks": (PercentClick(30.0, 40.0, True), PercentClick(27.5, 37.5, False)),
        "model": "edgeflow_lite-1",
        "edited": False,
        "mask": MaskCode.of(MaskPatch.of(mask)),
    }
    return AcceptedObject(**{**fields, **changes})
