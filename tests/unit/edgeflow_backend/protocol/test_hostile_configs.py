"""Labelling configs of tags and attributes thrown together: understood, or refused in words."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow.errors import EdgeFlowError, LabelConfigError
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow_backend.protocol.config_check import examine
from edgeflow_backend.protocol.targets import resolve

pytestmark = pytest.mark.slow

TAGS = (
    "View", "Image", "KeyPoint", "KeyPointLabels", "BrushLabels", "Brush", "BitmaskLabels",
    "Bitmask", "PolygonLabels", "Polygon", "RectangleLabels", "Rectangle", "EllipseLabels",
    "Labels", "Label", "Repeater", "Choices", "Choice", "HyperText", "Style", "brushLABELS",
)  # fmt: skip
ATTRIBUTES = (
    "name", "toName", "value", "valueList", "smart", "smartOnly", "on", "indexFlag", "alias",
    "edgeflowModel", "background", "NAME", "visibleWhen",
)  # fmt: skip
WORDS = st.sampled_from(
    ("image", "mask", "click", "Object", "$image", "$images", "true", "false", "{{idx}}", "$", "",
     "image_{{idx}}", "$images[0].url", "$images[{{idx}}]", "a,b", "edgeflow_lite", "__class__")
)  # fmt: skip
TEXTS = WORDS | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8)
DATA = st.dictionaries(
    st.sampled_from(("image", "images", "mask")),
    st.recursive(
        TEXTS | st.none() | st.integers(-2, 10**20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=8,
    ),
)


ELEMENT = st.tuples(
    st.sampled_from(TAGS),
    st.lists(st.tuples(st.sampled_from(ATTRIBUTES), TEXTS), max_size=4, unique_by=lambda a: a[0]),
    st.integers(0, 2),
)
"""A tag, its attributes, and how many tags around it end before it begins."""


@st.composite
def configs(draw: st.DrawFn) -> str:
    """Mostly well-formed ones, and some with a piece taken out or put in."""
    text, around = "<View>", ["View"]
    for tag, attributes, ends in draw(st.lists(ELEMENT, min_size=2, max_size=9)):
        for _ in range(min(ends, len(around) - 1)):
            text += f"</{around.pop()}>"
        text += f"<{tag}{''.join(f' {name}={quoteattr(value)}' for name, value in attributes)}>"
        around.append(tag)
    text += "".join(f"</{tag}>" for tag in reversed(around))
    if draw(st.integers(0, 4)):
        return text
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    return text[:start] + draw(st.sampled_from(("", "<", "&", "&x;", "]]>", "\0"))) + text[end:]


@settings(deadline=None, max_examples=120)
@given(configs(), DATA, TEXTS, TEXTS, st.lists(TEXTS, max_size=2))
def test_any_config_is_understood_or_refused_in_words(
    xml: str, data: dict[str, object], from_name: str, to_name: str, labels: list[str]
) -> None:
    try:
        shown = parse_label_config(xml).for_task(data)
    except LabelConfigError as error:
        assert error.hint
        return
    for control in (*shown.controls, None):
        name = control.name if control else from_name
        try:
            target = resolve(shown, name, control.to_name if control else to_name, tuple(labels))
        except EdgeFlowError as error:
            assert error.hint
        else:
            assert target.image in shown.images


@settings(deadline=None, max_examples=120)
@given(configs())
def test_what_is_said_of_any_config_is_short_and_recommends_one_without_problems(xml: str) -> None:
    try:
        found = examine(xml)
    except LabelConfigError as error:
        assert error.hint
        return
    assert all(isinstance(text, str) for text in (*found.problems, *found.warnings))
    if found.problems or found.warnings:
        assert examine(found.recommended).problems == []
