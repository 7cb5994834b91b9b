from __future__ import annotations

import pytest

from edgeflow.errors import LabelConfigError
from edgeflow.label_studio.config.controls import Control
from edgeflow.label_studio.config.label_config import TaskConfig, parse_label_config
from edgeflow_backend.protocol.config_check import problems
from edgeflow_backend.protocol.targets import finds_pages, finds_similar, holder, resolve
from tests.unit.edgeflow.label_studio.config.written import CLICK, IMAGE, MASK


def config(*tags: str) -> TaskConfig:
    return parse_label_config(f"<View>{''.join(tags)}</View>").for_task({})


# Which control answers


def answering(
    parsed: TaskConfig, label: str | None, *, to: str = "image", prompted: str = ""
) -> Control:
    return resolve(parsed, prompted, to, [] if label is None else [label]).control


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


def test_a_labelled_click_is_not_answered_by_an_unlabelled_brush() -> None:
    parsed = config(IMAGE, CLICK, '<Brush name="mask" toName="image"/>')
    with pytest.raises(LabelConfigError, match="no mask control has the label 'A'") as caught:
        answering(parsed, "A")
    assert "BrushLabels" in caught.value.hint
    assert "<Labels" in caught.value.hint
    assert answering(parsed, None).region_type == "brush"


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


def test_a_click_control_may_ask_for_a_model() -> None:
    parsed = config(
        IMAGE,
        MASK,
        '<KeyPointLabels name="one" toName="image" edgeflowModel="other"/>',
        '<KeyPointLabels name="two" toName="image"/>',
    )
    asked = {name: resolve(parsed, name, "image", ["A"]).model for name in ("one", "two", "three")}
    assert asked == {"one": "other", "two": None, "three": None}


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


def test_all_like_an_example_are_polygons_where_the_config_has_them() -> None:
    click = '<KeyPoint name="k" toName="image" edgeflowFind="similar"/>'
    brush, polygon = ALIASED("BrushLabels", "b"), ALIASED("PolygonLabels", "p")
    both = config(IMAGE, click, brush, polygon)
    assert answering(both, None, prompted="k").name == "p"
    assert answering(both, None).name == "b"
    assert answering(config(IMAGE, click, brush), None, prompted="k").name == "b"
    named = config(IMAGE, click.replace("/>", ' edgeflowAnswer="b"/>'), brush, polygon)
    assert answering(named, None, prompted="k").name == "b"


def test_answers_go_beside_the_control_that_is_for_prompts_alone() -> None:
    example = '<Rectangle name="r" toName="image" smartOnly="true" edgeflowFind="similar"/>'
    boxes = '<Rectangle name="b" toName="image" smart="false"/>'
    assert answering(config(IMAGE, example, boxes), None, prompted="r").name == "b"


def test_whether_a_prompt_is_an_example_is_its_controls() -> None:
    click = '<KeyPoint name="k" toName="image" edgeflowFind="similar"/>'
    one = '<KeyPoint name="one" toName="image"/>'
    parsed = config(IMAGE, click, one, ALIASED("BrushLabels", "b"))
    assert finds_similar(parsed, "k")
    assert not finds_similar(parsed, "one")
    assert not finds_similar(parsed, "gone")


def test_a_prompt_for_all_pages_is_no_example_and_polygons_hold_its_answers() -> None:
    click = '<KeyPoint name="k" toName="image" edgeflowFind="pages"/>'
    parsed = config(IMAGE, click, ALIASED("BrushLabels", "b"), ALIASED("PolygonLabels", "p"))
    assert finds_pages(parsed, "k")
    assert not finds_similar(parsed, "k")
    assert not finds_pages(parsed, "gone")
    assert answering(parsed, None, prompted="k").name == "p"


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
    for stored in ("c-k", "Cat"):
        target = resolve(parsed, "k", "image", [stored])
        assert ([label.value for label in target.labels], target.stored) == (["Cat"], ("c-b",))
    assert resolve(parsed, "k", "image").labels == ()


def test_a_labels_tag_labels_unlabelled_controls() -> None:
    labels = '<Labels name="l" toName="image"><Label value="Cat"/></Labels>'
    parsed = config(IMAGE, labels, '<Brush name="b" toName="image" smart="false"/>')
    held = holder(parsed, "b", ["Cat"], "image")
    assert (held.control.name, held.labels) == ("b", ())
    assert [(control.name, labels) for control, labels in held.carried] == [("l", ("Cat",))]
    with pytest.raises(LabelConfigError, match="'Dog'"):
        holder(parsed, "b", ["Dog"], "image")


def test_a_control_that_is_gone_holds_nothing() -> None:
    with pytest.raises(LabelConfigError, match="no control 'gone' any more"):
        holder(config(IMAGE, MASK), "gone", [], "image")


@pytest.mark.parametrize(
    ("labels", "clicked", "answer"),
    [("AB", ["A"], ("A",)), ("AB", [], ()), ("A", [], ("A",)), ("AB", ["B", "A"], ("B", "A"))],
)
def test_the_region_has_the_clicks_labels_or_the_only_one_there_is(
    labels: str, clicked: list[str], answer: tuple[str, ...]
) -> None:
    tags = "".join(f'<Label value="{label}"/>' for label in labels)
    parsed = config(IMAGE, f'<BrushLabels name="m" toName="image">{tags}</BrushLabels>')
    assert resolve(parsed, "click", "image", clicked).stored == answer
