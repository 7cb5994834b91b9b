from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from edgeflow.data.annotation_files.data_yaml import parse_data_yaml

NAMES = {0: "cat", 1: "traffic light", 2: "a/b é"}
WRITTEN = {
    "map": "names:\n  0: cat\n  1: traffic light  # red\n  2: a/b é\n",
    "list": "names:\n- cat\n- traffic light\n- 'a/b é'\n",
    "indented": 'names:\n    - cat\n    - "traffic light"\n    # none\n    - a/b é\n',
    "brackets": "names: [cat, 'traffic light', \"a/b \\u00e9\"]  # three\n",
    "lines": "names: ['cat', 'traffic light',\n        'a/b é' ]\n",
    "braces": "names: {0: cat, 1: traffic light, 2: a/b é}\n",
    "quoted": 'names:\n  "0": "cat"\n  1: "traffic light"\n  2: "a/b \\u00e9"\n',
}
REST = (
    "# Ultralytics\npath: ../datasets/x # root\ntrain: images/train\nval:\n  - images/a\n"
    "  - images/b\n\nnc: 3\ndownload: |\n  import os\n  names: none\n"
)


@pytest.mark.parametrize("written", WRITTEN)
def test_what_such_files_hold_is_read_as_yaml_has_it(written: str) -> None:
    text = WRITTEN[written] + REST
    data = parse_data_yaml(text)
    assert data.names == NAMES
    assert data.folder == "../datasets/x"
    assert data.splits == {"train": ("images/train",), "val": ("images/a", "images/b")}
    assert not data.keypoints
    names = yaml.safe_load(text)["names"]
    pairs = names.items() if isinstance(names, dict) else enumerate(names)
    assert {int(key): name for key, name in pairs} == NAMES


@given(st.lists(st.text(max_size=20), max_size=6))
def test_names_written_as_json_come_back(names: list[str]) -> None:
    lines = [f"  {number}: {json.dumps(name)}" for number, name in enumerate(names)]
    data = parse_data_yaml("\n".join(["names:", *lines] if lines else ["names: {}"]))
    assert data.names == dict(enumerate(names))
    assert parse_data_yaml(f"names: {json.dumps(names)}").names == dict(enumerate(names))


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for start in ("", "names: ", "names:\n  ", "train: ["):
        try:
            parse_data_yaml(start + text)
        except ValueError:
            continue


@pytest.mark.parametrize(
    "text", ["names: [a, b", "names: {0: a", "names: [[a]]", "names:\n  a b\n"]
)
def test_what_is_not_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"names|is not|neither"):
        parse_data_yaml(text)


def test_long_runs_of_blanks_take_no_time() -> None:
    blanks = " " * 1_000_000  # with their square of time, minutes
    assert parse_data_yaml(f"path: a{blanks}b # c").folder == f"a{blanks}b"
