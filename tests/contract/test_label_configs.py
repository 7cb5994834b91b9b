"""Labelling configs as people write them, against the real server."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.contract.images import photo
from tests.contract.wire import keypoint, request
from tests.unit.edgeflow_backend.samples import data_uri

KEY = (
    '<KeyPointLabels name="click" toName="image" smart="true" smartOnly="true">{}</KeyPointLabels>'
)
MASK = '<BrushLabels name="mask" toName="image" smart="false">{}</BrushLabels>'
IMAGE = '<Image name="image" value="$image"/>'
TWO = '<Label value="Object"/><Label value="Red"/>'
BOTH = (KEY + MASK).replace("{}", TWO)
URI = data_uri(photo())

BODIES: dict[str, tuple[str, dict[str, Any], list[str], str]] = {
    "two labels": (IMAGE + BOTH, {"image": URI}, ["Red", "Object"], ""),
    "labels of the task": (
        IMAGE + (KEY + MASK).replace(" smart=", ' value="$labels" smart=').replace("{}", ""),
        {"image": URI, "labels": [{"value": "Cat"}]},
        ["Cat"],
        "",
    ),
    "an expression": (
        IMAGE.replace("$image", "$a.b[1].c") + BOTH,
        {"a": {"b": [{}, {"c": URI}]}},
        ["Object"],
        "",
    ),
    "another spelling": (
        (IMAGE + BOTH).replace("Brush", "BRUSH"), {"image": URI}, ["Object"], "",
    ),
    "a repeater": (
        '<Repeater on="$doc">'
        + (IMAGE.replace("$image", "$doc[{{idx}}]") + BOTH)
        .replace('"image"', '"image_{{idx}}"')
        .replace('"click"', '"click_{{idx}}"')
        .replace('"mask"', '"mask_{{idx}}"')
        + "</Repeater>",
        {"doc": ["x", URI]},
        ["Object"],
        "_1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BODIES)
def test_a_config_is_read_as_the_editor_reads_it(backend_url: str, case: str) -> None:
    config, data, labels, page = BODIES[case]
    point = keypoint(45, 60, from_name=f"click{page}", to_name=f"image{page}")
    point["value"] = {**point["value"], "labels": labels, "keypointlabels": labels}
    body = request(point, config=f"<View>{config}</View>")
    body["tasks"][0]["data"] = data
    (answer,) = requests.post(f"{backend_url}/predict", json=body, timeout=30).json()["results"]
    (region,) = answer["result"]
    assert (region["from_name"], region["to_name"]) == (f"mask{page}", f"image{page}")
    assert region["value"]["brushlabels"] == labels
    schema = {"project": "1.1", "schema": body["label_config"]}
    assert requests.post(f"{backend_url}/setup", json=schema, timeout=30).json()["problems"] == []
