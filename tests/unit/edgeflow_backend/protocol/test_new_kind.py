from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from edgeflow.geometry import Size
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.label_studio.controls import CONTROLS, MaskFormat, kind_of_region
from edgeflow.label_studio.region_masks import parse_rectangle
from edgeflow.label_studio.region_values import rectangle_values
from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.protocol.regions import mask_regions
from edgeflow_backend.protocol.targets import holder, resolve
from edgeflow_backend.protocol.wire import KEYPOINTS
from tests.contract.wire import keypoint

MASK = np.zeros((30, 40), dtype=np.bool_)
MASK[5:20, 10:30] = True


def test_a_kind_is_added_by_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mask control from outside: a box under another name, answered and read back."""
    toy = dataclasses.replace(
        CONTROLS["Vector"], mask=MaskFormat(rectangle_values, parse_rectangle)
    )
    monkeypatch.setitem(CONTROLS, "Vector", toy)
    config = parse_label_config(
        '<View><Image name="image" value="$image"/><KeyPoint name="click" toName="image"/>'
        '<VectorLabels name="toy" toName="image"><Label value="Object"/></VectorLabels></View>'
    ).for_task(None)
    target = resolve(config, "click", "image", ["Object"])
    (newest,) = KEYPOINTS.validate_python([keypoint(50, 50)])
    held = holder(config, target.control.name, target.stored, "image")
    (region,) = mask_regions(MaskPatch.of(MASK), 0.9, newest, held, "ef0")
    assert (region["type"], region["value"]["vectorlabels"]) == ("vectorlabels", ["Object"])
    kind = kind_of_region(region["type"])
    assert kind is not None
    assert kind.mask is not None
    assert kind.mask.parse(region["value"]).mask(Size(30, 40))[MASK].all()
