from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeflow.data.base import DatasetError
from edgeflow.data.json_list import list_elements

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def read(folder: Path, text: bytes) -> list[Any]:
    path = folder / "list.json"
    path.write_bytes(text)
    return list(list_elements(path))


@given(st.lists(VALUES, max_size=6), st.sampled_from([None, 2]), st.booleans())
def test_it_reads_what_json_reads(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], indent: int | None, escaped: bool
) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=escaped)
    found = read(tmp_path_factory.mktemp("list"), text.encode("utf-8", "replace"))
    expected = json.loads(text.encode("utf-8", "replace"))
    assert repr(found) == repr(expected)  # of NaN, too


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[",
        b"[{}",
        b"[{},]",
        b"[{},,{}]",
        b"[,{}]",
        b"[{} {}]",
        b"[1 2]",
        b'[{"a": }]',
        b"[{}] x",
        b"[{}]]",
        b"[{}}",
        b'{"a": [1]}',
        b"x[1]",
        b"5",
        b'["a',
        b"[" * 300_000,
        b"[[" + b"[" * 200_000 + b"]" * 200_000 + b"]]",
        b'["\xff\xfe"]',
    ],
    ids=range(19),
)
def test_what_is_no_list_is_an_error(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(DatasetError):
        read(tmp_path, text)


def test_a_byte_order_mark_and_nan_are_read(tmp_path: Path) -> None:
    (value,) = read(tmp_path, b'\xef\xbb\xbf[{"a": NaN}]')
    assert value["a"] != value["a"]


def test_elements_before_a_fault_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'[{"a": 1}, {"b": ')
    elements = list_elements(tmp_path / "a.json")
    assert next(elements) == {"a": 1}
    with pytest.raises(DatasetError, match="ends too early"):
        next(elements)
