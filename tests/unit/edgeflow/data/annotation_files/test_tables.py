from __future__ import annotations

from pathlib import Path

import pytest

from edgeflow.data.annotation_files.tables import read_instance_table, read_label_list
from edgeflow.data.base import DatasetError
from tests.unit.edgeflow.data.making import put


def test_labels_are_found_by_file_and_number(tmp_path: Path) -> None:
    table = 'number,label,file,more\n1,"a, é",x/a.b.png,\n2,,x/a.b.jpg,\n'.encode()
    labels, left_out = read_instance_table(put(tmp_path, {"t.csv": table}) / "t.csv")
    assert labels == {"x/a.b": {1: "a, é", 2: None}}
    assert left_out == []


def test_label_lists_of_eiseg_are_read(tmp_path: Path) -> None:
    put(tmp_path, {"l.txt": "1 cat 128 0 0 \n2 a b é 0 128 0\n".encode()})
    assert read_label_list(tmp_path / "l.txt") == {1: "cat", 2: "a b é"}


@pytest.mark.parametrize(
    "text",
    [b"", b"cat\n", b"1 cat 1 2\n", b"1 cat red 0 0\n", b"x cat 1 2 3\n", b"1 1 2 3\n", b"\xff"],
)
def test_other_texts_are_no_label_lists(tmp_path: Path, text: bytes) -> None:
    put(tmp_path, {"l.txt": text})
    with pytest.raises(DatasetError):
        read_label_list(tmp_path / "l.txt")
