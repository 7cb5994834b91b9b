from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow.errors import LabelConfigError
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.label_studio.config.tags import MAX_DEPTH, parse_tags
from tests.unit.edgeflow.label_studio.config.written import CLICK, IMAGE, MASK

QUICK_S = 1.0  # of the processor, so that busy machines do not matter


def refused(xml: object) -> LabelConfigError:
    """Parse what must be refused at once."""
    started = time.thread_time()
    with pytest.raises(LabelConfigError) as caught:
        parse_label_config(xml)
    assert time.thread_time() - started < QUICK_S
    assert caught.value.hint
    return caught.value


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


@pytest.mark.parametrize("depth", [MAX_DEPTH, 500, 900, 50_000])
def test_tags_inside_each_other_are_limited(depth: int) -> None:
    with pytest.raises(LabelConfigError, match=f"more than {MAX_DEPTH} tags inside"):
        parse_tags("<View>" * (depth + 1) + "</View>" * (depth + 1))
    assert parse_tags("<View>" * MAX_DEPTH + "</View>" * MAX_DEPTH).type == "view"


def test_what_is_nested_too_deep_is_refused_where_it_is_and_costs_no_more() -> None:
    no_xml = "<Brush>" * 20_000 + "<<"
    with pytest.raises(LabelConfigError, match=f"more than {MAX_DEPTH} tags inside"):
        parse_label_config("<View>" + "<Brush>" * MAX_DEPTH + no_xml)  # what follows is not read
    with pytest.raises(LabelConfigError, match="not valid XML"):
        parse_label_config("<View>" + "<Brush>" * (MAX_DEPTH - 1) + "<<")


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_config_or_a_typed_error(text: str) -> None:
    with contextlib.suppress(LabelConfigError):
        parse_label_config(text)
