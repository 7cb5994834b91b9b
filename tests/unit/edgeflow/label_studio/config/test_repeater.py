from __future__ import annotations

import pytest

from edgeflow.errors import LabelConfigError
from edgeflow.label_studio.config.label_config import parse_label_config

PAGES = (
    '<Repeater on="$doc"><Repeater on="$doc[{{idx}}]" indexFlag="#">'
    '<Image name="page_{{idx}}_#" value="$doc[{{idx}}][#]"/></Repeater></Repeater>'
)


def images(xml: str, data: dict[str, object] | None) -> dict[str, object]:
    parsed = parse_label_config(f"<View>{xml}</View>").for_task(data)
    return {image.name: image.value for image in parsed.images}


def test_a_repeater_in_a_repeater_has_both_numbers() -> None:
    assert images(PAGES, {"doc": [["x"], ["y", "z"]]}) == {
        "page_0_0": "$doc[0][0]",
        "page_1_0": "$doc[1][0]",
        "page_1_1": "$doc[1][1]",
    }


def test_without_a_task_each_part_stands_once() -> None:
    assert images(PAGES, None) == {"page_0_0": "$doc[0][0]"}


@pytest.mark.parametrize("doc", [None, 5, {}, {"a": 1}, [], "", True])
def test_what_is_no_list_repeats_nothing(doc: object) -> None:
    assert images('<Repeater on="$doc"><Image name="p{{idx}}"/></Repeater>', {"doc": doc}) == {}


def test_the_flag_is_replaced_as_often_as_the_editor_does_it() -> None:
    """Twice in the outermost tags of a copy, once below."""
    inside = '<Image name="{0}{{{{idx}}}}-{{{{idx}}}}-{{{{idx}}}}"/>'
    xml = f'<Repeater on="$d">{inside.format("a")}<View>{inside.format("b")}</View></Repeater>'
    assert list(images(xml, {"d": ["x"]})) == ["a0-0-{{idx}}", "b0-{{idx}}-{{idx}}"]


def test_too_many_copies_are_refused() -> None:
    with pytest.raises(LabelConfigError, match="more than"):
        images('<Repeater on="$d"><Image name="p{{idx}}"/></Repeater>', {"d": [0] * 200_000})
