"""What labelled clicks do to Label Studio's own exports, and that the warnings tell it."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from edgeflow_backend.protocol.config_check import examine
from tests.e2e.conftest import Studio

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

LABELS = '<Label value="A"/><Label value="B"/>'
UNUSED = '<RectangleLabels name="unused" toName="image" smart="false"><Label value="unused"/>'
BOXES = f"{UNUSED}</RectangleLabels>"

POINT = {
    "id": "point", "type": "keypointlabels", "from_name": "click", "to_name": "image",
    "original_width": 100, "original_height": 100, "image_rotation": 0,
    "value": {"x": 30, "y": 30, "width": 0.5, "keypointlabels": ["A"]},
}  # fmt: skip


def config(*more: str, source: str = 'value="$image"') -> str:
    return f"""<View>
<KeyPointLabels name="click" toName="image" smart="true" smartOnly="true">{LABELS}</KeyPointLabels>
<Image name="image" {source}/>{"".join(more)}
<PolygonLabels name="mask" toName="image" smart="false">{LABELS}</PolygonLabels></View>"""


def polygon(label: str) -> dict[str, Any]:
    points = [[10, 10], [60, 10], [60, 60]]
    return {
        **POINT, "id": label, "type": "polygonlabels", "from_name": "mask",
        "value": {"points": points, "closed": True, "polygonlabels": [label]},
    }  # fmt: skip


def project(studio: Studio, title: str, xml: str, *regions: dict[str, Any]) -> int:
    number: int = studio.client.create_project(title, xml)["id"]
    picture = "https://host/picture.png"
    data = {"image": picture, "pages": [picture, picture]}
    tasks = [{"data": data, "annotations": [{"result": list(regions)}]}]
    studio.client.call("POST", f"projects/{number}/import", json=tasks)
    return number


def exported(studio: Studio, number: int, kind: str) -> bytes:
    path = f"projects/{number}/export"
    return studio.client.raw("GET", path, params={"exportType": kind}).content


def greyed_out(studio: Studio, number: int) -> set[str]:
    offered = studio.client.call("GET", f"projects/{number}/export/formats")
    return {each["name"] for each in offered if each.get("disabled")}


def warning(xml: str) -> str:
    (found,) = examine(xml).warnings
    return found


def test_labelled_clicks_alone_take_coco_and_yolo_off_the_dialog(studio: Studio) -> None:
    xml = config()
    number = project(studio, "greyed out", xml, polygon("A"), polygon("B"))
    assert greyed_out(studio, number) >= {"COCO", "YOLO"}
    assert "are not offered in the dialog" in warning(xml)


def test_beside_boxes_they_put_all_labels_into_one_category(studio: Studio) -> None:
    xml = config(BOXES)
    number = project(studio, "one category", xml, polygon("A"), polygon("B"))
    assert greyed_out(studio, number).isdisjoint({"COCO", "YOLO"})
    assert "offered" not in warning(xml)
    archive = zipfile.ZipFile(io.BytesIO(exported(studio, number, "COCO")))
    coco = json.loads(archive.read("result.json"))
    assert len({each["category_id"] for each in coco["annotations"]}) == 1
    assert "default" in [category["name"] for category in coco["categories"]]
    assert "one category, default" in warning(xml)
    archive = zipfile.ZipFile(io.BytesIO(exported(studio, number, "YOLO")))
    files = [name for name in archive.namelist() if name.startswith("labels/")]
    (lines,) = [archive.read(name) for name in files if name.endswith(".txt")]
    assert lines.strip() == b""
    assert "YOLO's files are empty" in warning(xml)


def test_a_point_that_is_left_makes_coco_fail(studio: Studio) -> None:
    xml = config(BOXES)
    number = project(studio, "a point is left", xml, polygon("A"), POINT)
    with pytest.raises(RuntimeError, match="500"):
        exported(studio, number, "COCO")
    assert "makes COCO fail with HTTP 500" in warning(xml)


def test_with_several_pictures_a_task_an_unused_box_control_brings_json_back(
    studio: Studio,
) -> None:
    pages = 'valueList="$pages"'
    xml = config(source=pages)
    number = project(studio, "pages", xml, {**polygon("A"), "item_index": 1})
    with pytest.raises(RuntimeError, match="500"):
        exported(studio, number, "JSON")
    assert "every export of Label Studio's fail with HTTP 500, JSON included" in warning(xml)
    assert BOXES in warning(xml)
    body = {"label_config": config(BOXES, source=pages)}
    studio.client.call("PATCH", f"projects/{number}", json=body)
    (task,) = json.loads(exported(studio, number, "JSON"))
    assert [region["id"] for region in task["annotations"][0]["result"]] == ["A"]


@pytest.mark.parametrize(
    "xml",
    [config(), config(BOXES), config(source='valueList="$pages"')],
    ids=["alone", "beside boxes", "pages"],
)
def test_what_is_recommended_in_its_place_keeps_them_right(studio: Studio, xml: str) -> None:
    recommended = examine(xml).recommended
    regions = [
        {**polygon(label), "from_name": "mask", "item_index": 0} if "valueList" in xml
        else polygon(label)
        for label in "AB"
    ]  # fmt: skip
    carried = [
        {**region, "type": "labels", "from_name": "label",
         "value": {**region["value"], "labels": region["value"]["polygonlabels"]}}
        for region in regions
    ]  # fmt: skip
    point = {**POINT, "type": "keypoint", "value": {"x": 30, "y": 30, "width": 0.5, "labels": []}}
    number = project(studio, "recommended", recommended, *regions, *carried, point)
    assert json.loads(exported(studio, number, "JSON"))
    if "valueList" in xml:  # of several pictures a task Label Studio makes no COCO
        return
    assert greyed_out(studio, number).isdisjoint({"COCO", "YOLO"})
    archive = zipfile.ZipFile(io.BytesIO(exported(studio, number, "COCO")))
    coco = json.loads(archive.read("result.json"))
    names = {category["id"]: category["name"] for category in coco["categories"]}
    assert {names[each["category_id"]] for each in coco["annotations"]} == {"A", "B"}
