from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow_backend.errors import LabelConfigError
from edgeflow_backend.protocol.config_check import RECOMMENDED, problems
from edgeflow_backend.protocol.controls import Control, ImageTag
from edgeflow_backend.protocol.label_config import LabelConfig, parse_label_config
from tests.contract.wire import BODIES, captured

QUICK_S = 1.0  # of the processor, so that busy machines do not matter

IMAGE = '<Image name="image" value="$image"/>'
CLICK = (
    '<KeyPointLabels name="click" toName="image"><Label value="A"/><Label value="B"/>'
    "</KeyPointLabels>"
)
MASK = (
    '<BrushLabels name="mask" toName="image" smart="false"><Label value="A"/><Label value="B"/>'
    "</BrushLabels>"
)

CAPTURED = sorted(path.name for path in BODIES.glob("*_predict*.json"))


def config(*tags: str) -> LabelConfig:
    return parse_label_config(f"<View>{''.join(tags)}</View>")


def refused(xml: object) -> LabelConfigError:
    """Parse what must be refused at once."""
    started = time.thread_time()
    with pytest.raises(LabelConfigError) as caught:
        parse_label_config(xml)
    assert time.thread_time() - started < QUICK_S
    assert caught.value.hint
    return caught.value


# Reading


@pytest.mark.parametrize("name", CAPTURED)
def test_every_captured_config_parses_and_has_an_image_clicks_and_masks(name: str) -> None:
    parsed = parse_label_config(captured(name)["label_config"])
    assert parsed.images
    tags = {control.tag for control in parsed.controls}
    assert tags & {"KeyPointLabels", "KeyPoint"}
    assert tags & {"BrushLabels", "Brush"}


def test_controls_are_read_with_their_labels_in_order_of_the_config() -> None:
    parsed = config(IMAGE, CLICK, MASK)
    assert parsed.images == (ImageTag("image", "image"),)
    assert parsed.controls == (
        Control("click", "KeyPointLabels", "image", ("A", "B"), smart=True),
        Control("mask", "BrushLabels", "image", ("A", "B"), smart=False),
    )


def test_controls_are_found_below_layout_tags() -> None:
    parsed = parse_label_config(
        f'<View style="display:flex"><Header value="x"/><View>{IMAGE}<View>{MASK}</View></View>'
        "</View>"
    )
    assert [control.name for control in parsed.controls] == ["mask"]


def test_tags_that_draw_nothing_are_no_controls() -> None:
    parsed = config(IMAGE, '<Choices name="c" toName="image"><Choice value="x"/></Choices>', MASK)
    assert [control.name for control in parsed.controls] == ["mask"]


def test_an_xml_declaration_and_comments_do_no_harm() -> None:
    xml = f'<?xml version="1.0" encoding="UTF-8"?><!-- mine --><View>{IMAGE}<!-- x -->{MASK}</View>'
    assert len(parse_label_config(xml).controls) == 1


@pytest.mark.parametrize(
    ("attributes", "key"),
    [
        ('value="$image"', "image"),
        ('value="$photo_url"', "photo_url"),
        ('valueList="$pages"', "pages"),
        ('value="image"', "image"),
        ("", ""),
    ],
)
def test_an_image_tag_says_where_in_the_task_the_image_stands(attributes: str, key: str) -> None:
    parsed = config(f'<Image name="image" {attributes}/>', CLICK, MASK)
    assert parsed.resolve("click", "image", "A").image.key == key


def test_an_image_is_found_by_name() -> None:
    tags = ['<Image name="a" value="$x"/>', '<Image name="b" value="$y"/>']
    parsed = config(*tags, '<Brush name="m" toName="b"/>')
    assert parsed.resolve("click", "b", None).image.key == "y"


def test_an_unknown_image_is_named() -> None:
    with pytest.raises(LabelConfigError, match="'photo'") as caught:
        config(IMAGE).resolve("click", "photo", None)
    assert "toName" in caught.value.hint


@pytest.mark.parametrize(
    ("attribute", "smart"),
    [("", True), ('smart="true"', True), ('smart="false"', False), ('smart="False"', False)],
)
def test_a_control_is_smart_unless_it_says_otherwise(attribute: str, *, smart: bool) -> None:
    (control,) = config(f'<BrushLabels name="m" toName="i" {attribute}/>').controls
    assert control.smart is smart


def test_a_click_control_may_ask_for_a_model() -> None:
    parsed = config(
        IMAGE,
        MASK,
        '<KeyPointLabels name="one" toName="image" edgeflowModel="other"/>',
        '<KeyPointLabels name="two" toName="image"/>',
    )
    asked = {name: parsed.resolve(name, "image", "A").model for name in ("one", "two", "three")}
    assert asked == {"one": "other", "two": None, "three": None}


def test_labels_may_hold_any_text() -> None:
    (control,) = config(
        '<BrushLabels name="m" toName="i"><Label value="Käse &amp; Brot 猫"/><Label/></BrushLabels>'
    ).controls
    assert control.labels == ("Käse & Brot 猫",)


# Which control answers


def answering(
    parsed: LabelConfig, label: str | None, *, to: str = "image", prompted: str = ""
) -> Control:
    return parsed.resolve(prompted, to, label).control


def test_the_mask_control_with_the_clicks_label_answers() -> None:
    parsed = config(
        IMAGE,
        '<BrushLabels name="one" toName="image"><Label value="A"/></BrushLabels>',
        '<BrushLabels name="two" toName="image"><Label value="B"/></BrushLabels>',
    )
    assert answering(parsed, "A").name == "one"
    assert answering(parsed, "B").name == "two"


def test_the_first_of_several_mask_controls_with_the_label_answers() -> None:
    parsed = config(
        IMAGE,
        '<BrushLabels name="one" toName="image"><Label value="A"/></BrushLabels>',
        '<BrushLabels name="two" toName="image"><Label value="A"/></BrushLabels>',
    )
    assert answering(parsed, "A").name == "one"


def test_mask_controls_of_other_images_do_not_answer() -> None:
    parsed = config(
        '<Image name="a" value="$a"/>',
        '<Image name="b" value="$b"/>',
        '<BrushLabels name="left" toName="a"><Label value="A"/></BrushLabels>',
        '<BrushLabels name="right" toName="b"><Label value="A"/></BrushLabels>',
    )
    assert answering(parsed, "A", to="b").name == "right"


def test_an_unlabelled_brush_answers_any_label() -> None:
    parsed = config(IMAGE, CLICK, '<Brush name="mask" toName="image"/>')
    control = answering(parsed, "A")
    assert (control.name, control.region_type) == ("mask", "brush")


def test_an_unlabelled_keypoint_is_answered_by_the_first_mask_control() -> None:
    parsed = config(IMAGE, '<KeyPoint name="click" toName="image"/>', MASK)
    assert answering(parsed, None).name == "mask"


def test_an_unknown_label_is_named_with_the_control_that_could_have_it() -> None:
    with pytest.raises(LabelConfigError, match="'Zebra'") as caught:
        answering(config(IMAGE, CLICK, MASK), "Zebra")
    assert '<Label value="Zebra"/>' in caught.value.hint
    assert "BrushLabels 'mask'" in caught.value.hint


@pytest.mark.parametrize(
    "tags",
    [
        (IMAGE, CLICK),
        (IMAGE, CLICK, '<EllipseLabels name="p" toName="image"><Label value="A"/></EllipseLabels>'),
        (IMAGE, CLICK, '<BrushLabels name="m" toName="other"><Label value="A"/></BrushLabels>'),
    ],
    ids=["none", "ellipse", "of another image"],
)
def test_without_a_mask_control_the_hint_is_the_tag_to_add(tags: tuple[str, ...]) -> None:
    with pytest.raises(LabelConfigError, match="mask control") as caught:
        answering(config(*tags), "A")
    assert '<BrushLabels name="mask" toName="image"' in caught.value.hint


def test_messages_stay_short_however_long_a_label_is() -> None:
    with pytest.raises(LabelConfigError) as caught:
        answering(config(IMAGE, CLICK, MASK), "Z" * 1_000_000)
    assert len(caught.value.message + caught.value.hint) < 2000


# Hostile and broken configs


@pytest.mark.parametrize("xml", [None, "", "  \n", 5, [], {}, b"<View/>"], ids=repr)
def test_a_missing_config_is_refused(xml: object) -> None:
    assert "no labelling config" in refused(xml).message


@pytest.mark.parametrize(
    "xml",
    [
        "<View><Image",
        "<View></Vie>",
        "plain words",
        "<View/><View/>",
        "<View>&unknown;</View>",
        "<View>\x00</View>",
        "<View>\ud800</View>",
        "{}",
        "<x:View/>",
    ],
)
def test_broken_xml_is_refused(xml: str) -> None:
    assert "not valid XML" in refused(xml).message


def test_entities_that_grow_are_refused_at_once() -> None:
    levels = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 12))
    refused(f'<!DOCTYPE v [<!ENTITY l0 "ha">{levels}]><View>&l11;</View>')


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE v [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE v [<!ENTITY x PUBLIC "p" "http://127.0.0.1:1/x">]>',
        '<!DOCTYPE v [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x"> %x;]>',
        '<!DOCTYPE v [<!ENTITY x "one">]>',
    ],
)
def test_entities_of_any_kind_are_refused(doctype: str) -> None:
    assert "root:" not in refused(f"{doctype}<View>&x;</View>").message


def test_a_config_far_larger_than_any_real_one_is_refused_at_once() -> None:
    refused(f"<View>{IMAGE}{CLICK}{MASK}" + '<Label value="x"/>' * 1_000_000 + "</View>")


def test_deeply_nested_controls_take_no_time_to_speak_of() -> None:
    depth = 20_000
    started = time.thread_time()
    with contextlib.suppress(LabelConfigError):
        parse_label_config("<View>" + "<Brush>" * depth + "</Brush>" * depth + "</View>")
    assert time.thread_time() - started < QUICK_S


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_config_or_a_typed_error(text: str) -> None:
    with contextlib.suppress(LabelConfigError):
        parse_label_config(text)


# Advice


def test_the_recommended_config_has_no_problems() -> None:
    parsed = parse_label_config(RECOMMENDED)
    assert problems(parsed) == []
    assert answering(parsed, "Object").region_type == "brushlabels"


def test_a_good_config_has_no_problems() -> None:
    assert problems(config(IMAGE, CLICK, MASK)) == []
    unlabelled = (
        '<KeyPoint name="k" toName="image"/>',
        '<Brush name="b" toName="image" smart="false"/>',
    )
    assert problems(config(IMAGE, *unlabelled)) == []


def only_problem(*tags: str) -> str:
    (problem,) = problems(config(*tags))
    assert problem.endswith(".")
    return problem


def test_a_missing_image_is_a_problem() -> None:
    assert "no Image tag" in problems(config(CLICK, MASK))[0]


def test_a_missing_click_control_is_a_problem() -> None:
    problem = only_problem(IMAGE, MASK)
    assert "No control takes clicks" in problem
    assert "<KeyPointLabels>" in problem


def test_a_click_control_that_is_not_smart_is_a_problem() -> None:
    problem = only_problem(IMAGE, CLICK.replace("toName", 'smart="false" toName'), MASK)
    assert "KeyPointLabels 'click' is not smart" in problem


def test_a_missing_mask_control_is_a_problem() -> None:
    problem = only_problem(IMAGE, CLICK)
    assert "no mask control" in problem
    assert "<BrushLabels" in problem


def test_a_click_label_that_no_mask_control_has_is_a_problem() -> None:
    problem = only_problem(IMAGE, CLICK.replace('"B"', '"Zebra"'), MASK)
    assert "'Zebra'" in problem


@pytest.mark.parametrize(
    "tag",
    [
        '<RectangleLabels name="r" toName="image"><Label value="A"/></RectangleLabels>',
        '<Polygon name="r" toName="image"/>',
    ],
)
def test_another_control_in_the_smart_tools_place_is_a_problem(tag: str) -> None:
    problem = only_problem(IMAGE, CLICK, MASK, tag)
    assert "'r'" in problem
    assert 'smart="false"' in problem


def test_a_smart_mask_control_is_a_problem() -> None:
    assert "BrushLabels 'mask'" in only_problem(IMAGE, CLICK, MASK.replace('smart="false"', ""))


def test_an_empty_config_has_problems_and_no_crash() -> None:
    assert len(problems(parse_label_config("<View/>"))) == 2


def test_clicks_on_an_image_that_is_not_there_are_a_problem() -> None:
    tags = [IMAGE, *(tag.replace('toName="image"', 'toName="img"') for tag in (CLICK, MASK))]
    assert problems(config(*tags)) != []


def test_all_problems_are_told_at_once() -> None:
    found = problems(
        config(
            CLICK.replace("toName", 'smart="false" toName'), '<Polygon name="p" toName="image"/>'
        )
    )
    assert len(found) == 4


# Several mask controls, aliases, separate labels

ALIASED = (
    '<{0} name="{1}" toName="image" smart="false"><Label value="Cat" alias="c-{1}"/></{0}>'.format
)


def test_the_kind_decides_before_the_order_in_the_config() -> None:
    tags = ["RectangleLabels", "PolygonLabels", "BitmaskLabels", "BrushLabels"]
    names = []
    while tags:
        parsed = config(IMAGE, *(ALIASED(tag, tag.lower()) for tag in tags))
        names.append(answering(parsed, "Cat").tag)
        tags.pop()
    assert names == ["BrushLabels", "BitmaskLabels", "PolygonLabels", "RectangleLabels"]


def test_a_control_of_a_later_kind_answers_where_the_earlier_ones_lack_the_label() -> None:
    polygons = ALIASED("PolygonLabels", "p").replace("Cat", "Dog")
    parsed = config(IMAGE, ALIASED("BrushLabels", "b"), polygons)
    assert answering(parsed, "Dog").name == "p"


def test_the_prompts_control_may_choose_who_answers() -> None:
    click = '<KeyPoint name="k" toName="image" edgeflowAnswer="p"/>'
    parsed = config(IMAGE, click, ALIASED("BrushLabels", "b"), ALIASED("PolygonLabels", "p"))
    assert answering(parsed, None, prompted="k").name == "p"
    assert answering(parsed, None).name == "b"


@pytest.mark.parametrize("named", ["gone", "k", "image"])
def test_a_choice_that_is_no_mask_control_is_told(named: str) -> None:
    click = f'<KeyPoint name="k" toName="image" edgeflowAnswer="{named}"/>'
    parsed = config(IMAGE, click, ALIASED("BrushLabels", "b"))
    with pytest.raises(LabelConfigError, match=named) as caught:
        answering(parsed, None, prompted="k")
    assert "edgeflowAnswer" in caught.value.hint
    assert any(named in problem for problem in problems(parsed))


def test_labels_are_found_by_alias_and_stored_as_each_control_does() -> None:
    click = ALIASED("KeyPointLabels", "k")
    parsed = config(IMAGE, click, ALIASED("BrushLabels", "b"))
    assert parsed.resolve("k", "image", "c-k").label == "Cat"
    assert parsed.resolve("k", "image", "Cat").label == "Cat"
    assert parsed.resolve("k", "image", None).label is None
    assert answering(parsed, "Cat").region_label("Cat") == "c-b"


def test_a_labels_tag_labels_unlabelled_controls() -> None:
    labels = '<Labels name="l" toName="image"><Label value="Cat"/></Labels>'
    parsed = config(IMAGE, labels, '<Brush name="b" toName="image" smart="false"/>')
    holder = parsed.holder("b", "Cat", "image")
    assert holder.labels is not None
    assert (holder.control.name, holder.label, holder.labels.name) == ("b", "Cat", "l")
    assert parsed.holder("b", "Dog", "image").label is None


def test_a_control_that_is_gone_holds_nothing() -> None:
    with pytest.raises(LabelConfigError, match="no control 'gone' any more"):
        config(IMAGE, MASK).holder("gone", None, "image")


def test_boxes_that_are_meant_as_prompts_are_no_problem() -> None:
    box = '<Rectangle name="r" toName="image" smart="true" smartOnly="true"/>'
    assert problems(config(IMAGE, CLICK, MASK, box)) == []
    assert problems(config(IMAGE, MASK, box)) == []
