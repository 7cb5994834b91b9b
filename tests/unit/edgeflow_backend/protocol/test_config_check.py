from __future__ import annotations

import pytest

from edgeflow.label_studio.config.label_config import TaskConfig, parse_label_config
from edgeflow_backend.protocol.config_check import RECOMMENDED, check, problems
from edgeflow_backend.protocol.targets import resolve
from tests.unit.edgeflow.label_studio.config.written import CLICK, IMAGE, MASK


def config(*tags: str) -> TaskConfig:
    return parse_label_config(f"<View>{''.join(tags)}</View>").for_task(None)


def test_the_recommended_config_has_no_problems() -> None:
    assert check(RECOMMENDED) == []
    parsed = parse_label_config(RECOMMENDED).for_task(None)
    assert resolve(parsed, "click", "image", ["Object"]).control.region_type == "brushlabels"


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
    assert "<KeyPoint " in problem


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
    assert len(check("<View/>")) == 2


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


def test_boxes_that_are_meant_as_prompts_are_no_problem() -> None:
    box = '<Rectangle name="r" toName="image" smart="true" smartOnly="true"/>'
    assert problems(config(IMAGE, CLICK, MASK, box)) == []
    assert problems(config(IMAGE, MASK, box)) == []
