from __future__ import annotations

import pytest

from edgeflow.label_studio.config.controls import ImageTag
from edgeflow.label_studio.config.label_config import TaskConfig, parse_label_config
from edgeflow.label_studio.config.labels import Label
from edgeflow.label_studio.config.recommended import (
    RECOMMENDATIONS,
    recommended_config,
    recommended_like,
)
from edgeflow.label_studio.controls import CONTROLS
from edgeflow_backend.protocol.config_check import RECOMMENDED, examine
from edgeflow_backend.protocol.targets import finds_similar, resolve

CUP, SPOON = Label("Cup"), Label('Spoon & "fork"', alias="s")


def parsed(xml: str) -> TaskConfig:
    return parse_label_config(xml).for_task(None)


def test_every_kind_of_mask_has_its_recommendation() -> None:
    assert set(RECOMMENDATIONS) == {kind.name for kind in CONTROLS.values() if kind.mask}


def test_the_recommended_config_is_that_of_one_label_and_a_brush() -> None:
    assert recommended_config() == RECOMMENDED


@pytest.mark.parametrize("labels", [(CUP,), (CUP, SPOON)], ids=["one label", "two labels"])
@pytest.mark.parametrize("find", ["", "similar", "pages"])
@pytest.mark.parametrize("kind", RECOMMENDATIONS)
def test_a_recommended_config_is_fine_and_recommends_itself(
    kind: str, find: str, labels: tuple[Label, ...]
) -> None:
    several = ImageTag("pages", "$pages", several=True)
    for image in (several,) if find == "pages" else (ImageTag("photo", "$photo"), several):
        xml = recommended_config(
            kind, labels, image, similar=find == "similar", pages=find == "pages"
        )
        assert examine(xml) == ([], [], xml)


@pytest.mark.parametrize("kind", RECOMMENDATIONS)
def test_one_label_needs_no_choice_and_several_take_it_from_the_click(kind: str) -> None:
    one = resolve(parsed(recommended_config(kind, (CUP,))), "click", "image")
    assert (one.control.tag, one.stored) == (f"{kind}Labels", ("Cup",))
    several = parsed(recommended_config(kind, (CUP, SPOON)))
    target = resolve(several, "click", "image", ["s"])
    assert (target.control.tag, target.stored) == (RECOMMENDATIONS[kind].several, ("s",))
    assert target.lost == ()


@pytest.mark.parametrize("kind", RECOMMENDATIONS)
def test_a_box_around_an_example_is_answered_as_a_click_is(kind: str) -> None:
    for labels, picked in (([CUP], []), ([CUP, SPOON], ["s"])):
        config = parsed(recommended_config(kind, labels, similar=True))
        example, click = (resolve(config, each, "image", picked) for each in ("similar", "click"))
        assert finds_similar(config, "similar")
        assert (example.control, example.stored) == (click.control, click.stored)


KEYPOINTS = '<KeyPointLabels name="k" toName="img">{}</KeyPointLabels>'
A, B = '<Label value="A"/>', '<Label value="B" alias="b"/>'
LIKE: dict[str, tuple[str, str]] = {
    "one polygon label": (
        (
            '<Image name="img" value="$photo"/><PolygonLabels name="p" toName="img">'
            f"{A}</PolygonLabels>{KEYPOINTS.format(A)}"
        ),
        recommended_config("Polygon", (Label("A"),), ImageTag("img", "$photo")),
    ),
    "a label of the clicks alone": (
        (
            '<Image name="img" value="$photo"/><BrushLabels name="p" toName="img">'
            f"{A}</BrushLabels>{KEYPOINTS.format(B)}"
        ),
        recommended_config("Brush", (Label("A"), Label("B", "b")), ImageTag("img", "$photo")),
    ),
    "labels of a Labels tag": (
        (
            f'<Labels name="l" toName="i">{A}{B}</Labels><Image name="i" valueList="$pages"/>'
            '<Rectangle name="r" toName="i"/>'
        ),
        recommended_config(
            "Rectangle", (Label("A"), Label("B", "b")), ImageTag("i", "$pages", several=True)
        ),
    ),
    "boxes as prompts are no masks": (
        (
            '<Image name="img" value="$photo"/><Rectangle name="r" toName="img" smartOnly="true"/>'
            f'<PolygonLabels name="p" toName="img">{A}</PolygonLabels>'
        ),
        recommended_config("Polygon", (Label("A"),), ImageTag("img", "$photo")),
    ),
    "nothing": ("", recommended_config()),
    "an image without a value": ('<Image name="img"/>', recommended_config()),
    "an image of a Repeater": (
        '<Repeater on="$d"><Image name="page_{{idx}}" value="$d[{{idx}}].url"/></Repeater>',
        recommended_config(),
    ),
}


@pytest.mark.parametrize("case", LIKE)
def test_a_projects_image_labels_and_kind_of_mask_are_kept(case: str) -> None:
    config, expected = LIKE[case]
    assert recommended_like(parsed(f"<View>{config}</View>")) == expected
    assert examine(expected)[:2] == ([], [])
