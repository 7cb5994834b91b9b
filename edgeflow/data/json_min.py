"""Label Studio's export format JSON_MIN, as tasks of the format JSON.

It has an entry for each annotation, with the task's data and, under the name of each control, the
values of its regions: without ids, and without the name of what they were drawn on.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any

OWN = ("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement")
"""Keys of an entry beside the task's data and the controls."""

SHAPES = {
    "rle": "brush",
    "imageDataURL": "bitmask",
    "points": "polygon",
    "radiusX": "ellipse",
    "height": "rectangle",
    "x": "keypoint",
}
"""Type of an unlabelled region, by a key of its value; the first that fits counts."""

LOST = "not in JSON_MIN"
"""In place of the number of the image that a region is on, which is then told as missing."""

SIZES = ("original_width", "original_height")


def is_json_min(entry: object) -> bool:
    """Whether an element of an export is an entry of this format."""
    return isinstance(entry, dict) and "annotation_id" in entry and "annotations" not in entry


def tasks_of(entries: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Tasks as in the format JSON; entries of a task follow each other.

    Args:
        entries: As exported, untrusted.
    """
    for key, group in itertools.groupby(entries, key=lambda entry: repr(entry.get("id"))):
        annotations = []
        data: dict[str, Any] = {}
        number: object = key
        for entry in group:
            number = entry.get("id")
            annotations.append(_annotation(entry))
            data = {name: value for name, value in entry.items() if name not in OWN}
        yield {"id": number, "data": data, "annotations": annotations}


def _annotation(entry: dict[str, Any]) -> dict[str, Any]:
    results: list[dict[str, Any]] = []
    for name, values in entry.items():
        if name not in OWN and isinstance(values, list):
            results += (_result(name, value) for value in values if _is_region(value))
    if any(map(_is_pages, entry.values())):
        results = [{**each, "item_index": LOST} for each in results]
    _make_ids_apart(results)
    return {
        "id": entry.get("annotation_id"),
        "completed_by": entry.get("annotator"),
        "result": results,
    }


def _is_pages(value: object) -> bool:
    """Whether a value of a task's data may be the images of a tag that shows several."""
    return isinstance(value, list) and len(value) > 1 and all(isinstance(e, str) for e in value)


def _is_region(value: object) -> bool:
    return isinstance(value, dict) and any(key in value for key in SHAPES)


def _result(control: str, value: dict[str, Any]) -> dict[str, Any]:
    """A region, with an id that the same region has under every control.

    A control such as ``Labels`` repeats the region of the one that it was drawn with.
    """
    labelled = [key for key in value if key.endswith("labels") and isinstance(value[key], list)]
    kind = labelled[0] if labelled else next(SHAPES[key] for key in SHAPES if key in value)
    shape = {key: each for key, each in value.items() if key not in labelled}
    digest = hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()
    sizes = {key: value[key] for key in SIZES if key in value}
    rest = {key: each for key, each in value.items() if key not in SIZES}
    return {"id": digest[:10], "from_name": control, "type": kind, "value": rest, **sizes}


def _make_ids_apart(results: list[dict[str, Any]]) -> None:
    """Give the second of two equal regions of one control an id of its own."""
    seen: set[tuple[str, str]] = set()
    for result in results:
        name, number = result["id"], 1
        while (result["from_name"], result["id"]) in seen:
            number += 1
            result["id"] = f"{name}-{number}"
        seen.add((result["from_name"], result["id"]))
