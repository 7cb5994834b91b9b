from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeflow.export.formats.xml_text import attribute, content, possible


def read(text: str) -> tuple[str | None, str | None]:
    element = ET.fromstring(f"<a b={attribute(text)}>{content(text)}</a>".encode())
    return element.text, element.get("b")


@pytest.mark.parametrize("text", ["a/b é", "<&>\"'", "]]>", "a\r\n\tb", " a ", "猫 🐈"])
def test_a_text_comes_back(text: str) -> None:
    assert read(text) == (text, text)


@given(text=st.text(alphabet=st.characters(codec=None), max_size=20))
def test_any_text_can_be_parsed(text: str) -> None:
    assert read(text) == (possible(text), possible(text))


def test_what_xml_has_no_place_for_is_replaced() -> None:
    assert possible("a\x00\x1b\ud800\uffff") == "a\ufffd\ufffd\ufffd\ufffd"
    assert possible("") == "_"
