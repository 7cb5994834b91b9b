"""A Label Studio with one project of images full of disks, as far as examples are asked for."""

from __future__ import annotations

import io
import json
from functools import cache
from http.server import BaseHTTPRequestHandler
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgeflow.geometry import Size
from edgeflow.label_studio.region_values import PolygonOptions, brush_values
from edgeflow.masks.patch import MaskPatch
from tests.contract.wire import JSONObject
from tests.unit.edgeflow_backend.loopback import Host, Received, Reply
from tests.unit.edgeflow_backend.samples import data_uri

TOKEN = "0123456789abcdef0123456789abcdef01234567"
PROJECT = 5
SIZE = Size(160, 240)
RADIUS = 22
CENTRES = [(x, y) for y in (42, 118) for x in (45, 120, 195)]
"""Of the disks, image pixels."""

CONFIG = """
<View>
  <KeyPoint name="click" toName="image" smart="true"/>
  <Image name="image" value="$image"/>
  <BrushLabels name="mask" toName="image" smart="false">
    <Label value="disk"/><Label value="other"/>
  </BrushLabels>
</View>
"""


def disk(number: int) -> npt.NDArray[np.bool_]:
    """Where a disk is."""
    rows, cols = np.mgrid[: SIZE.height, : SIZE.width]
    x, y = CENTRES[number]
    inside: npt.NDArray[np.bool_] = (rows - y) ** 2 + (cols - x) ** 2 <= RADIUS**2
    return inside


@cache
def sheet(seed: int = 0, disks: int = len(CENTRES)) -> str:
    """An image of red disks on green, as a ``data:`` URI; seeds differ in their noise."""
    noise = np.random.default_rng(seed).integers(-12, 12, size=(*SIZE, 3))
    image = np.full((*SIZE, 3), (40, 90, 50)) + noise
    for number in range(disks):
        image[disk(number)] = np.array((215, 70, 60)) + noise[disk(number)]
    buffer = io.BytesIO()
    Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(buffer, "PNG")
    return data_uri(buffer.getvalue())


def region(number: int, label: str = "disk", **changes: Any) -> JSONObject:
    """A brush region on a disk."""
    (value,) = brush_values(MaskPatch.of(disk(number)), PolygonOptions())
    return {
        "id": f"r{number}",
        "type": "brushlabels",
        "from_name": "mask",
        "to_name": "image",
        "original_width": SIZE.width,
        "original_height": SIZE.height,
        "value": {**value, "brushlabels": [label]},
        **changes,
    }


class Studio:
    """Answers like Label Studio 1.23.2.

    Attributes:
        host: The server.
        tasks: By their ids, as the API has them.
    """

    def __init__(self, host: Host) -> None:
        self.host = host
        self.tasks: dict[int, JSONObject] = {}
        self._numbers = count(1)
        self._times = count(10)
        host.routes["*"] = self._answer

    def add(self, image: str, *regions: JSONObject) -> JSONObject:
        """Make a task, with an annotation if there are regions."""
        number = next(self._numbers)
        task: JSONObject = {"id": number, "data": {"image": image}, "annotations": []}
        task |= {"drafts": [], "predictions": [], "project": PROJECT}
        self.tasks[number] = task
        self.touch(task)
        if regions:
            self.annotate(task, *regions)
        return task

    def annotate(self, task: JSONObject, *regions: JSONObject) -> JSONObject:
        annotation: JSONObject = {
            "id": next(self._numbers) + 100,
            "task": task["id"],
            "result": list(regions),
        }
        task["annotations"].append(annotation)
        self.touch(task)
        annotation |= {"created_at": task["updated_at"], "updated_at": task["updated_at"]}
        return annotation

    def draft(self, task: JSONObject, *regions: JSONObject) -> None:
        draft = {"id": next(self._numbers), "annotation": None, "result": list(regions)}
        task["drafts"].append(draft)

    def change(self, task: JSONObject, *regions: JSONObject) -> None:
        """Change the task's annotation."""
        task["annotations"][0]["result"] = list(regions)
        self.touch(task)

    def delete(self, task: JSONObject) -> None:
        """Delete the task's annotations."""
        task["annotations"].clear()
        self.touch(task)

    def touch(self, task: JSONObject) -> None:
        task["updated_at"] = f"2026-11-28T00:00:{next(self._times)}.0Z"

    def asked(self, part: str) -> list[Received]:
        """The requests whose path holds a text, oldest first."""
        return [each for each in self.host.received if part in each.path]

    def _answer(self, request: Received, _: BaseHTTPRequestHandler) -> Reply:
        parts = urlsplit(request.path)
        if request.headers.get("authorization") != f"Token {TOKEN}":
            return as_json({"detail": "Invalid token."}, 401)
        if parts.path == f"/api/projects/{PROJECT}":
            return as_json({"id": PROJECT, "label_config": CONFIG})
        if parts.path == "/api/tasks/":
            return as_json({"tasks": self._listed(parse_qs(parts.query))})
        words = parts.path.strip("/").split("/")
        task = self.tasks.get(int(words[2])) if words[1] == "tasks" and len(words) == 4 else None
        if task is None:
            return as_json({"detail": "No Task matches the given query."}, 404)
        return as_json(task[words[3]])

    def _listed(self, query: dict[str, list[str]]) -> list[JSONObject]:
        asked = json.loads(query["query"][0])
        page, size = int(query["page"][0]), int(query["page_size"][0])
        if "selectedItems" in asked:
            chosen = [
                t for t in self.tasks.values() if t["id"] in asked["selectedItems"]["included"]
            ]
        else:
            chosen = [task for task in self.tasks.values() if task["annotations"]]
            if asked["ordering"] == ["-tasks:updated_at"]:
                chosen.sort(key=lambda task: str(task["updated_at"]), reverse=True)
        return [
            {key: task[key] for key in ("id", "data", "updated_at")}
            | {"total_annotations": len(task["annotations"])}
            for task in chosen[size * (page - 1) : size * page]
        ]


def as_json(body: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
