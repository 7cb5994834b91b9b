from __future__ import annotations

import pytest

from edgeflow_backend.protocol.config_check import examine

IMAGE = '<Image name="image" value="$image"/>'
PAGES = '<Image name="image" valueList="$pages"/>'
POINT = '<KeyPoint name="click" toName="image" smart="true" smartOnly="true"/>'
A, AB = '<Label value="A"/>', '<Label value="A"/><Label value="B"/>'
CARRIER = f'<Labels name="label" toName="image">{AB}</Labels>'


def labelled(tag: str, labels: str, name: str = "mask") -> str:
    smart = 'smart="true" smartOnly="true"' if tag == "KeyPointLabels" else 'smart="false"'
    return f'<{tag} name="{name}" toName="image" {smart}>{labels}</{tag}>'


def unlabelled(tag: str) -> str:
    return f'<{tag} name="mask" toName="image" smart="false"/>'


def points(labels: str) -> str:
    return labelled("KeyPointLabels", labels, "click")


SPOILED = {
    "labelled clicks, polygons": (
        points(A) + IMAGE + labelled("PolygonLabels", A),
        [
            "KeyPointLabels 'click' spoils", "COCO and YOLO", "not offered",
            "one category, default", "COCO fail with HTTP 500", "<KeyPoint ", "`edgeflow export`",
        ],
    ),
    "labelled clicks, brush": (
        points(AB) + IMAGE + labelled("BrushLabels", AB),
        ["KeyPointLabels 'click' spoils", "<Labels> with the labels"],
    ),
    "several pictures": (
        points(A) + PAGES + labelled("BrushLabels", A),
        [
            "every export", "HTTP 500, JSON included", "<KeyPoint ", "brings JSON back",
            '<RectangleLabels name="unused" toName="image" smart="false"><Label value="unused"/>',
            "`edgeflow export`",
        ],
    ),
    "several pictures, with rectangles": (
        points(A) + PAGES + labelled("RectangleLabels", A),
        ["KeyPointLabels 'click' spoils"],
    ),
    "several labels and none at the click": (
        POINT + IMAGE + labelled("PolygonLabels", AB),
        ["PolygonLabels 'mask' has several labels", "add <Labels "],
    ),
    "boxes twice": (
        CARRIER + POINT + IMAGE + labelled("RectangleLabels", AB),
        ["RectangleLabels 'mask' beside <Labels>", "each accepted box twice", "<Rectangle>"],
    ),
    "brush masks twice": (
        CARRIER + POINT + IMAGE + labelled("BrushLabels", AB),
        ["each accepted mask twice", "<Brush>"],
    ),
    "polygons left out": (
        CARRIER + POINT + IMAGE + unlabelled("Polygon"),
        ["leave its polygons out", "<PolygonLabels>"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SPOILED)
def test_a_config_that_spoils_exports_is_warned_of_and_no_failure(case: str) -> None:
    config, said = SPOILED[case]
    found = examine(f"<View>{config}</View>")
    assert found.problems == []
    (warning,) = found.warnings
    assert [words for words in said if words not in warning] == []
    assert warning.endswith(".")
    assert examine(found.recommended).warnings == []


def test_beside_boxes_labelled_clicks_do_not_take_exports_off_the_dialog() -> None:
    config = points(A) + IMAGE + labelled("RectangleLabels", A)
    (warning,) = examine(f"<View>{config}</View>").warnings
    assert "offered" not in warning
    assert "one category, default" in warning


FINE = {
    "key points of poses": IMAGE + labelled("BrushLabels", A) + POINT + '<KeyPointLabels '
    f'name="pose" toName="image" smart="false">{A}</KeyPointLabels>',
    "clicks on another image": '<Image name="other" value="$b"/>'
    + points(A).replace('"image"', '"other"') + IMAGE + labelled("PolygonLabels", A),
    "several pictures": POINT + PAGES + labelled("BrushLabels", A),
    "boxes as prompts": CARRIER + POINT + IMAGE + unlabelled("Brush")
    + f'<RectangleLabels name="box" toName="image" smartOnly="true">{AB}</RectangleLabels>',
}  # fmt: skip


@pytest.mark.parametrize("case", FINE)
def test_what_spoils_nothing_is_not_warned_of(case: str) -> None:
    assert examine(f"<View>{FINE[case]}</View>").warnings == []
