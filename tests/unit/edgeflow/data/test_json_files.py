from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeflow.data.json_files import elements, is_list, is_object, read_json
from tests.unit.edgeflow.data.making import put

SCALARS = st.none() | st.booleans() | st.integers() | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@pytest.mark.slow
@given(st.lists(VALUES), st.lists(VALUES), VALUES, st.sampled_from([None, 1, "\t"]))
def test_elements_are_those_of_the_whole_document(
    first: list[Any], second: list[Any], other: Any, indent: int | str | None
) -> None:
    document = {"x": other, "a": first, "b": second, "c": [1, 2]}
    text = json.dumps(document, indent=indent)
    found = list(elements(text, ("a", "b")))
    assert [each.value for each in found if each.key == "a"] == first
    assert [each.value for each in found if each.key == "b"] == second
    assert all(json.loads(text[each.start : each.stop]) == each.value for each in found)


def test_empty_objects_and_lists_have_no_elements() -> None:
    assert list(elements("{}", "a")) == []
    assert list(elements(' { "a" : [ ] } ', "a")) == []


@pytest.mark.parametrize(
    "text",
    ["", "[]", "7", "{", '{"a"', '{"a":', '{"a":[', '{"a":[1', '{"a":[1,', '{"a":[1,]}',
     '{"a":[1 2]}', '{"a":{}}', '{"a":7}', '{"a":[1]', '{"b":1 "a":[]}',
     '{"b":1,}', '{a:[]}', '{"b":'],
)  # fmt: skip
def test_what_is_no_object_with_lists_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="Expecting"):
        list(elements(text, "a"))


def test_deep_nesting_is_an_error() -> None:
    with pytest.raises(RecursionError):
        list(elements('{"a":[' + "[" * 200_000, "a"))


def test_files_are_told_apart_by_how_they_begin(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "list.json": b"\xef\xbb\xbf \n[1]",
            "object.JSON": b' {"info": {}, "images": []}',
            "other.json": b'{"a": 1}',
            "empty.json": b"",
            "list.txt": b"[1]",
        },
    )
    assert [path.name for path in sorted(tmp_path.iterdir()) if is_list(path)] == ["list.json"]
    objects = [path.name for path in tmp_path.iterdir() if is_object(path, "images", "x")]
    assert objects == ["object.JSON"]
    assert read_json(tmp_path / "list.json") == [1]
    assert not is_list(tmp_path / "gone.json")
    assert not is_object(tmp_path, "images")
