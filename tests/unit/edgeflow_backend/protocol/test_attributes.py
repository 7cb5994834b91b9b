from __future__ import annotations

import pytest

from edgeflow.label_studio.config.tags import parse_tags
from edgeflow_backend.protocol.attributes import ATTRIBUTES, misplaced
from edgeflow_backend.protocol.config_check import RECOMMENDED, check


def said(*tags: str) -> list[str]:
    found = misplaced(parse_tags(f"<View>{''.join(tags)}</View>"))
    assert all(text.endswith(".") for text in found)
    return found


@pytest.mark.parametrize(
    "tag",
    [
        '<KeyPoint name="k" edgeflowFind="similar"/>',
        '<KeyPointLabels name="k" EdgeFlowFind="similar" smart="true"/>',
        '<Rectangle name="r" edgeflowfind="similar" edgeflowAnswer="b" edgeflowModel="m"/>',
        '<BrushLabels name="b" edgeflowOverlap="never"/>',
    ],
)
def test_attributes_where_they_belong_are_not_mentioned(tag: str) -> None:
    assert said(tag) == []


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ('<BrushLabels edgeflowFind="similar"/>', "edgeflowFind does nothing on <brushlabels>"),
        ('<Image edgeflowFind="similar"/>', "put it on a KeyPoint or Rectangle control"),
        ('<Labels edgeflowFind="similar"/>', "does nothing on <labels>"),
        ('<KeyPoint><Label edgeflowFind="similar"/></KeyPoint>', "does nothing on <label>"),
        ('<KeyPoint smart="false" edgeflowFind="similar"/>', 'without smart="true"'),
        ('<KeyPoint edgeflowOverlap="never"/>', "edgeflowOverlap does nothing on <keypoint>"),
        ('<KeyPoint edgeflowAnswer="similar"/>', 'edgeflowFind="similar"'),
        ('<KeyPoint edgeflowAnswer="pages"/>', 'edgeflowFind="pages"'),
        ('<KeyPoint edgeflowSimilar="true"/>', "no attribute 'edgeflowsimilar'"),
    ],
)
def test_attributes_that_do_nothing_are_told_with_the_way_out(tag: str, words: str) -> None:
    (text,) = said(tag)
    assert words in text


def test_the_same_mistake_is_told_once() -> None:
    assert len(said(*['<Label edgeflowFind="similar"/>'] * 3)) == 1


def test_the_whole_check_tells_it() -> None:
    (problem,) = check(RECOMMENDED.replace("<Image ", '<Image edgeflowFind="similar" '))
    assert "edgeflowFind" in problem


def test_a_value_that_means_nothing_is_a_problem() -> None:
    (problem,) = check(RECOMMENDED.replace("<KeyPoint ", '<KeyPoint edgeflowFind="all" '))
    assert 'edgeflowFind takes "similar"' in problem


def test_pages_of_a_single_image_are_a_problem() -> None:
    xml = RECOMMENDED.replace("<KeyPoint ", '<KeyPoint edgeflowFind="pages" ')
    (problem,) = check(xml)
    assert "shows one image" in problem
    several = xml.replace('value="$image"', 'valueList="$pages"')
    assert check(several) == []
    inner = xml.replace('"image"', '"page_{{idx}}"').replace('"click"', '"click_{{idx}}"')
    inner = inner.replace('"mask"', '"mask_{{idx}}"').replace("$image", "$pages[{{idx}}]")
    inside = inner.removeprefix("<View>").removesuffix("</View>")
    assert check(f'<View><Repeater on="$pages">{inside}</Repeater></View>') == []
    other = inside.replace("{{idx}}", "2")
    assert check(f"<View>{inside.replace('{{idx}}', '1')}{other}</View>") == []
    listed = other.replace('value="$pages[2]"', 'valueList="$pages"')
    (problem,) = check(f"<View>{inside.replace('{{idx}}', '1')}{listed}</View>")
    assert "shows one image" in problem
    other = other.replace(' edgeflowFind="pages"', "")
    (problem,) = check(f"<View>{inside.replace('{{idx}}', '1')}{other}</View>")
    assert "shows one image" in problem


def test_every_attribute_has_takers() -> None:
    assert all(ATTRIBUTES.values())
