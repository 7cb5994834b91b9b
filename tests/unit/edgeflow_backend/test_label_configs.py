"""Labelling configs as people write them, through the whole backend: what a click's region is."""

from __future__ import annotations

from typing import Any

import pytest

from edgeflow_backend.model import EdgeFlowBackend
from edgeflow_backend.protocol.config_check import check
from edgeflow_backend.service import SegmentationService
from tests.unit.edgeflow_backend.samples import click, data_uri, disk_png, disk_request

URI = data_uri(disk_png())
IMAGE = '<Image name="image" value="$image"/>'
KEY = (
    '<KeyPointLabels name="click" toName="image" smart="true" smartOnly="true">{}</KeyPointLabels>'
)
BRUSH = '<BrushLabels name="mask" toName="image" smart="false">{}</BrushLabels>'
OBJECT = '<Label value="Object"/>'
TWO = OBJECT + '<Label value="Red"/>'
FROM_TASK = (
    KEY.replace(">{}", ' value="$labels">'),
    BRUSH.replace(">{}", ' value="$labels">'),
)


def ask(
    service: SegmentationService,
    config: str,
    *labels: str,
    data: Any = None,
    kind: str = "keypointlabels",
    **place: Any,
) -> tuple[list[dict[str, Any]], str]:
    """The regions that answer a click, and the words if there are none."""
    value = {"x": 50, "y": 50, "width": 0.3, "labels": list(labels)}
    if kind == "keypointlabels":
        value[kind] = list(labels)
    body = disk_request(click(type=kind, value=value, **place))
    body["tasks"][0]["data"] = {"image": URI} if data is None else data
    (answer,) = EdgeFlowBackend(service=service).predict(
        body["tasks"],
        context=body["params"]["context"],
        label_config=f"<View>{config}</View>",
        project="1.1",
    )
    error = answer.get("error", {})
    return answer["result"], f"{error.get('message', '')}; {error.get('hint', '')}"


CATS = [{"value": "Cat", "background": "red", "hint": "a cat"}, {"value": "Dog", "alias": "d"}]
NESTED = [{"value": "Animal", "children": [{"value": "Cat"}, {"value": "Dog"}]}]

LABELS: dict[str, tuple[str, list[str], Any, list[str]]] = {
    "written": (KEY.format(OBJECT) + BRUSH.format(OBJECT), ["Object"], None, ["Object"]),
    "two": (KEY.format(TWO) + BRUSH.format(TWO), ["Object", "Red"], None, ["Object", "Red"]),
    "two in the prompt's order": (
        KEY.format(TWO) + BRUSH.format(TWO), ["Red", "Object"], None, ["Red", "Object"]
    ),
    "two of which one is held": (
        KEY.format(TWO) + BRUSH.format(OBJECT), ["Red", "Object"], None, ["Object"]
    ),
    "as text": (
        KEY.format("<Label>Object</Label>") + BRUSH.format("<Label> Object </Label>"),
        ["Object"], None, ["Object"],
    ),
    "text before attribute": (
        KEY.format(OBJECT) + BRUSH.format('<Label value="x">Object</Label>'),
        ["Object"], None, ["Object"],
    ),
    "in views": (
        KEY.format(f"<View>{OBJECT}</View>") + BRUSH.format(f"<View><View>{OBJECT}</View></View>"),
        ["Object"], None, ["Object"],
    ),
    "by alias": (
        KEY.format('<Label value="Object" alias="k"/>')
        + BRUSH.format('<Label value="Object" alias="b"/>'),
        ["k"], None, ["b"],
    ),
    "by the same alias": (
        KEY.format('<Label value="One" alias="o"/>')
        + BRUSH.format('<Label value="Other" alias="o"/>'),
        ["o"], None, ["o"],
    ),
    "of the task": ("".join(FROM_TASK), ["Cat"], CATS, ["Cat"]),
    "of the task, by alias": ("".join(FROM_TASK), ["d"], CATS, ["d"]),
    "of the task, texts": ("".join(FROM_TASK), ["Dog"], ["Cat", "Dog"], ["Dog"]),
    "of the task, nested": ("".join(FROM_TASK), ["Animal", "Dog"], NESTED, ["Animal", "Dog"]),
    "of the task and written": (
        KEY.format(OBJECT).replace("smart=", 'value="$labels" smart=', 1)
        + BRUSH.format(OBJECT).replace("smart=", 'value="$labels" smart=', 1),
        ["Object", "Cat"], CATS, ["Object", "Cat"],
    ),
    "a variable, as stored": (
        KEY.format('<Label value="$labels"/>') + BRUSH.format('<Label value="$labels"/>'),
        ["$labels"], "Cat", ["$labels"],
    ),
    "a variable, as shown": (
        KEY.format('<Label value="$labels"/>') + BRUSH.format('<Label value="$labels"/>'),
        ["Cat"], "Cat", ["Cat"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LABELS)
def test_a_region_has_all_labels_that_its_control_holds(
    service: SegmentationService, case: str
) -> None:
    config, clicked, of_task, expected = LABELS[case]
    (region,), _ = ask(service, IMAGE + config, *clicked, data={"image": URI, "labels": of_task})
    assert region["value"]["brushlabels"] == expected


@pytest.mark.parametrize("tag", ["BrushLabels", "PolygonLabels"])
def test_an_unlabelled_click_beside_a_selected_mask_has_that_masks_label(
    service: SegmentationService, tag: str
) -> None:
    """The editor then sends each point twice: once more as if the mask's control had made it."""
    labelled = {"labels": ["Red"], tag.lower(): ["Red"]}
    point = click(type="keypoint", value={"x": 50, "y": 50, "width": 0.3, "labels": ["Red"]})
    again = {**point, "type": tag.lower(), "from_name": "mask"}
    again["value"] = {"x": 50, "y": 50, "width": 0.3, **labelled}
    body = disk_request(point, again)
    body["tasks"][0]["data"] = {"image": URI}
    (answer,) = EdgeFlowBackend(service=service).predict(
        body["tasks"],
        context=body["params"]["context"],
        label_config=f'<View><KeyPoint name="click" toName="image" smartOnly="true"/>{IMAGE}'
        f'<{tag} name="mask" toName="image" smart="false">{TWO}</{tag}></View>',
        project="1.1",
    )
    (region,) = answer["result"]
    assert region["value"][tag.lower()] == ["Red"]
    assert len(region["meta"]["edgeflow"]["clicks"]) == 1


def test_a_lost_label_stands_on_the_status_page(service: SegmentationService) -> None:
    ask(service, IMAGE + KEY.format(TWO) + BRUSH.format(OBJECT), "Red", "Object")
    note = service.journal.notes.recent()[0]
    assert note.code == "label_lost"
    assert "BrushLabels 'mask' cannot hold the label 'Red'" in note.message


LABELS_TAG = '<Labels name="{0}" toName="image"><Label value="{1}" alias="{2}"/></Labels>'


def test_labels_tags_carry_all_labels_of_an_unlabelled_control(
    service: SegmentationService,
) -> None:
    config = (
        IMAGE + '<KeyPoint name="click" toName="image"/><Brush name="mask" toName="image"/>'
        + LABELS_TAG.format("l", "Cat", "c") + LABELS_TAG.format("m", "Red", "r")
    )  # fmt: skip
    regions, _ = ask(service, config, "c", "r", kind="keypoint")
    assert [region["type"] for region in regions] == ["brush", "labels", "labels"]
    assert [(r["from_name"], r["value"].get("labels")) for r in regions] == [
        ("mask", None), ("l", ["c"]), ("m", ["r"]),
    ]  # fmt: skip
    assert len({region["id"] for region in regions}) == 1


REFUSED = {
    "an unlabelled brush": (KEY.format(OBJECT) + '<Brush name="mask" toName="image"/>', "Object"),
    "another label": (KEY.format(OBJECT) + BRUSH.format('<Label value="Red"/>'), "Object"),
    "a control without labels": (KEY.format(OBJECT) + BRUSH.format(""), "Object"),
    "labels that the task lacks": ("".join(FROM_TASK), "Cat"),
    "a Labels tag without it": (
        '<KeyPoint name="click" toName="image"/><Brush name="mask" toName="image"/>'
        + LABELS_TAG.format("l", "Cat", "c"),
        "Dog",
    ),
    "a long one": (KEY.format(OBJECT) + BRUSH.format(OBJECT), "Zz-" * 1700),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_labelled_click_is_never_answered_without_a_label(
    service: SegmentationService, case: str
) -> None:
    config, label = REFUSED[case]
    regions, words = ask(service, IMAGE + config, label)
    assert regions == []
    assert f"no mask control has the label '{label[:99]}" in words
    assert "Zz-" * 34 not in words


BOTH = KEY.format(OBJECT) + BRUSH.format(OBJECT)
SPELLINGS = {
    "as documented": IMAGE + BOTH,
    "lower case": (IMAGE + BOTH).lower().replace('"object"', '"Object"'),
    "KEYPOINTLABELS": IMAGE + BOTH.replace("KeyPointLabels", "KEYPOINTLABELS"),
    "IMAGE": IMAGE.replace("Image", "IMAGE") + BOTH,
    "Brushlabels": IMAGE + BOTH.replace("BrushLabels", "Brushlabels"),
    "KeypointLabels": IMAGE + BOTH.replace("KeyPointLabels", "KeypointLabels"),
    "TONAME": IMAGE + BOTH.replace("toName", "TONAME"),
    "Name and Value": (IMAGE + BOTH).replace("name=", "Name=").replace("value=", "VALUE="),
    "label": IMAGE + BOTH.replace("<Label ", "<label "),
    "SMART": IMAGE + BOTH.replace("smart=", "SMART=").replace("smartOnly", "smartonly"),
    "True and FALSE": IMAGE + BOTH.replace('"true"', '"True"').replace('"false"', '"FALSE"'),
    "without toName": IMAGE + BOTH.replace(' toName="image"', ""),
}  # fmt: skip


@pytest.mark.parametrize("case", SPELLINGS)
def test_tags_and_attributes_are_read_in_any_case(service: SegmentationService, case: str) -> None:
    config = SPELLINGS[case]
    (region,), _ = ask(service, config, "Object")
    assert (region["type"], region["from_name"], region["to_name"]) == (
        "brushlabels", "mask", "image",
    )  # fmt: skip
    assert check(f"<View>{config}</View>") == []


EXPRESSIONS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "$image": ('value="$image"', {"image": URI}, {}),
    "$images[0]": ('value="$images[0]"', {"images": [URI, "x"]}, {}),
    "$images[1]": ('value="$images[1]"', {"images": ["x", URI]}, {}),
    "$meta.url": ('value="$meta.url"', {"meta": {"url": URI}}, {}),
    "$a.b[1].c": ('value="$a.b[1].c"', {"a": {"b": [{}, {"c": URI}]}}, {}),
    "a key with a dot": ('value="$a.b"', {"a.b": URI, "a": {"b": "x"}}, {}),
    "text around": ('value="data:image/png;$tail"', {"tail": URI.partition(";")[2]}, {}),
    "a constant": (f'value="{URI}"', {"other": "x"}, {}),
    "blanks": ('value="  $image "', {"image": URI}, {}),
    "a key with a dash": ('value="$my-image"', {"my-image": URI}, {}),
    "a key of another alphabet": ('value="$фото"', {"фото": URI}, {}),
    "valueList": ('valueList="$pages"', {"pages": ["x", URI]}, {"item_index": 1}),
    "a nested valueList": ('valuelist="$d.pages"', {"d": {"pages": [URI]}}, {"item_index": 0}),
    "a list as value": ('value="$pages"', {"pages": [URI, "x"]}, {}),
    "as text": (">$image</Image><Other", {"image": URI}, {}),
}


@pytest.mark.parametrize("case", EXPRESSIONS)
def test_the_value_of_an_image_is_an_expression(service: SegmentationService, case: str) -> None:
    attribute, data, place = EXPRESSIONS[case]
    (region,), _ = ask(
        service, f'<Image name="image" {attribute}/>' + BOTH, "Object", data=data, **place
    )
    assert region["to_name"] == "image"
    assert region.get("item_index") == place.get("item_index")


@pytest.mark.parametrize(
    ("value", "data", "said"),
    [
        ("$image", {}, "no image under 'image'"),
        ("$images[2]", {"images": [URI]}, "no image under 'images[2]'"),
        ("$a.b.c", {"a": {"b": None}}, "no image under 'a.b.c'"),
        ("https://host/$gone", {}, "no image under 'https://host/$gone'"),
        ("$" + "long_" * 999, {}, "no image under 'long_"),
        ("$pages", {"pages": []}, "has 0 images"),
    ],
)  # fmt: skip
def test_an_expression_without_an_image_is_told(
    service: SegmentationService, value: str, data: Any, said: str
) -> None:
    regions, words = ask(
        service, f'<Image name="image" value="{value}"/>' + BOTH, "Object", data=data
    )
    assert regions == []
    assert said in words
    assert "long_" * 21 not in words


def page(flag: str, value: str) -> str:
    here = BOTH.replace('"click"', f'"click_{flag}"').replace('"mask"', f'"mask_{flag}"')
    return f'<Image name="page_{flag}" value="{value}"/>' + here.replace(
        '"image"', f'"page_{flag}"'
    )


def repeated(inside: str, on: str = "$doc", more: str = "") -> str:
    return f'<Repeater on="{on}" {more}>{inside}</Repeater>'


IDX = "{{idx}}"
REPEATERS: dict[str, tuple[str, Any, int]] = {
    "objects": (
        repeated(page(IDX, "$doc[{{idx}}].page"), more='indexFlag="{{idx}}" mode="pagination"'),
        {"doc": [{"page": "x"}, {"page": URI}]}, 1,
    ),
    "texts": (repeated(page(IDX, "$doc[{{idx}}]")), {"doc": ["x", URI]}, 1),
    "another flag": (repeated(page("#", "$doc[#]"), more='indexflag="#"'), {"doc": [URI]}, 0),
    "in lower case": (repeated(page(IDX, "$doc[{{idx}}]")).lower(), {"doc": ["x", "x", URI]}, 2),
    "a nested list": (repeated(page(IDX, "$a.doc[{{idx}}]"), "$a.doc"), {"a": {"doc": [URI]}}, 0),
    "in a view": (
        repeated(f"<View><View>{page(IDX, '$doc[{{idx}}]')}</View></View>"), {"doc": ["x", URI]}, 1
    ),
    "twelve": (repeated(page(IDX, "$doc[{{idx}}]")), {"doc": ["x"] * 11 + [URI]}, 11),
}  # fmt: skip


@pytest.mark.parametrize("case", REPEATERS)
def test_a_repeater_is_carried_out_with_the_task(service: SegmentationService, case: str) -> None:
    config, data, index = REPEATERS[case]
    label = "object" if case == "in lower case" else "Object"
    names = {"from_name": f"click_{index}", "to_name": f"page_{index}"}
    (region,), _ = ask(service, config, label, data=data, **names)
    assert (region["from_name"], region["to_name"]) == (f"mask_{index}", f"page_{index}")
    assert check(f"<View>{config}</View>") == []


def test_a_page_that_the_task_does_not_have_is_told(service: SegmentationService) -> None:
    config, data, _ = REPEATERS["texts"]
    regions, words = ask(
        service, config, "Object", data=data, from_name="click_2", to_name="page_2"
    )
    assert regions == []
    assert "'page_2'" in words


def test_a_repeater_without_end_is_refused(service: SegmentationService) -> None:
    config = repeated(repeated(page(IDX, "$doc[{{idx}}]")))
    regions, words = ask(service, config, "Object", data={"doc": ["x"] * 2000})
    assert regions == []
    assert "more than 100000 tags" in words


def test_what_a_task_decides_is_no_problem() -> None:
    assert check(f"<View>{IMAGE}{''.join(FROM_TASK)}</View>") == []
    assert check(f"<View>{IMAGE}{KEY.format(OBJECT)}{FROM_TASK[1]}</View>") == []
