from __future__ import annotations

import pytest

from edgeflow.label_studio.config.controls import Control, ImageTag
from edgeflow.label_studio.config.label_config import TaskConfig, parse_label_config
from edgeflow.label_studio.config.labels import Label
from tests.contract.wire import BODIES, captured
from tests.unit.edgeflow.label_studio.config.written import CLICK, IMAGE, MASK

CAPTURED = sorted(path.name for path in BODIES.glob("*_predict*.json"))


def config(*tags: str) -> TaskConfig:
    return parse_label_config(f"<View>{''.join(tags)}</View>").for_task({})


@pytest.mark.parametrize("name", CAPTURED)
def test_every_captured_config_parses_and_has_an_image_clicks_and_masks(name: str) -> None:
    parsed = parse_label_config(captured(name)["label_config"]).for_task(None)
    assert parsed.images
    tags = {control.tag for control in parsed.controls}
    assert tags & {"KeyPointLabels", "KeyPoint"}
    assert tags & {"BrushLabels", "Brush"}


def test_controls_are_read_with_their_labels_in_order_of_the_config() -> None:
    parsed = config(IMAGE, CLICK, MASK)
    assert parsed.images == (ImageTag("image", "$image"),)
    assert parsed.controls == (
        Control("click", "KeyPointLabels", "image", (Label("A"), Label("B")), smart=True),
        Control("mask", "BrushLabels", "image", (Label("A"), Label("B")), smart=False),
    )


def test_controls_are_found_below_layout_tags() -> None:
    parsed = parse_label_config(
        f'<View style="display:flex"><Header value="x"/><View>{IMAGE}<View>{MASK}</View></View>'
        "</View>"
    ).for_task(None)
    assert [control.name for control in parsed.controls] == ["mask"]


def test_tags_that_draw_nothing_are_no_controls() -> None:
    parsed = config(IMAGE, '<Choices name="c" toName="image"><Choice value="x"/></Choices>', MASK)
    assert [control.name for control in parsed.controls] == ["mask"]


def test_an_xml_declaration_and_comments_do_no_harm() -> None:
    xml = f'<?xml version="1.0" encoding="UTF-8"?><!-- mine --><View>{IMAGE}<!-- x -->{MASK}</View>'
    assert len(parse_label_config(xml).for_task(None).controls) == 1


@pytest.mark.parametrize(
    ("attribute", "smart"),
    [("", True), ('smart="true"', True), ('smart="false"', False), ('smart="False"', False)],
)
def test_a_control_is_smart_unless_it_says_otherwise(attribute: str, *, smart: bool) -> None:
    (control,) = config(f'<BrushLabels name="m" toName="i" {attribute}/>').controls
    assert control.smart is smart


def test_labels_may_hold_any_text() -> None:
    (control,) = config(
        '<BrushLabels name="m" toName="i"><Label value="Käse &amp; Brot 猫"/><Label/></BrushLabels>'
    ).controls
    assert control.labels == (Label("Käse & Brot 猫"),)
