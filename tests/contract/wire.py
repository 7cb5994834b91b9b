"""Requests as Label Studio sends them, and what a valid answer looks like to its editor."""

from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt

from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow_backend.protocol.config_check import RECOMMENDED

BODIES = Path(__file__).parent / "bodies"
JSONObject = dict[str, Any]


def captured(name: str) -> JSONObject:
    """The body of a captured request, by file name."""
    body: JSONObject = json.loads((BODIES / name).read_text())["body"]
    return body


def keypoint(
    x: float, y: float, *, positive: bool = True, key: str = "k", **changes: object
) -> JSONObject:
    """A keypoint at x, y percent of a 640×480 image."""
    value = {"x": x, "y": y, "width": 0.3, "labels": ["Object"], "keypointlabels": ["Object"]}
    return {
        "id": f"{key}-{x}-{y}",
        "type": "keypointlabels",
        "from_name": "click",
        "to_name": "image",
        "original_width": 640,
        "original_height": 480,
        "image_rotation": 0,
        "is_positive": positive,
        "origin": "manual",
        "value": value,
        **changes,
    }


def request(
    *points: JSONObject, image: str = "/data/upload/1/photo.png", config: str = RECOMMENDED
) -> JSONObject:
    """A whole interactive request."""
    return {
        "tasks": [{"id": 7, "data": {"image": image}, "drafts": [], "annotations": []}],
        "project": "1.1",
        "label_config": config,
        "params": {"login": None, "password": None, "context": {"result": list(points)}},
    }


def check_brush_region(region: JSONObject, body: JSONObject) -> npt.NDArray[np.uint8]:
    """Assert that the editor can show ``region`` as an answer to ``body``; return its mask."""
    newest = body["params"]["context"]["result"][-1]
    controls = {element.get("name"): element for element in ET.fromstring(body["label_config"])}
    control = controls[region["from_name"]]
    assert control.tag == "BrushLabels"
    assert region["type"] == "brushlabels"
    assert region["to_name"] == newest["to_name"] == control.get("toName")
    assert region["image_rotation"] == newest["image_rotation"]
    assert region.get("item_index") == newest.get("item_index")
    assert (region["original_width"], region["original_height"]) == (
        newest["original_width"],
        newest["original_height"],
    )
    assert region["readonly"] is False
    assert 0 < region["score"] <= 1
    assert isinstance(region["id"], str)
    assert region["value"]["format"] == "rle"
    allowed = {label.get("value") for label in control}
    assert set(region["value"]["brushlabels"]) <= allowed
    assert len(region["value"]["brushlabels"]) == 1
    mask = decode_brush(
        region["value"]["rle"], Size(region["original_height"], region["original_width"])
    )
    assert set(np.unique(mask)) == {0, 255}
    return mask


def read_to_the_end(client: socket.socket) -> bytes:
    """All that a peer still sends until it closes or resets the connection."""
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while data := client.recv(65_536):
            answer += data
    return answer
