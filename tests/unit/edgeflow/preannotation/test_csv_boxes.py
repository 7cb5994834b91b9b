from __future__ import annotations

from pathlib import Path

import pytest

from edgeflow.data.base import DatasetError
from edgeflow.data.boxes import FloatBox, FoundBox, FoundPoint, ImageBoxes
from edgeflow.data.left_out import LeftOut
from edgeflow.preannotation.csv_boxes import COLUMNS, read_csv

BOX = FloatBox(1, 2, 3.5, 4)


def read(folder: Path, text: str | bytes) -> list[ImageBoxes | LeftOut]:
    path = folder / "boxes.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(read_csv(path))


TABLES = {
    "commas": "image,label,x1,y1,x2,y2,score\na.jpg,cat,1,2,3.5,4,0.9\n",
    "semicolons": "image;label;x1;y1;x2;y2;score\na.jpg;cat;1;2;3.5;4;0.9\n",
    "tabs": "image\tlabel\tx1\ty1\tx2\ty2\tscore\na.jpg\tcat\t1\t2\t3.5\t4\t0.9\n",
    "other names": "xmin,ymin,xmax,ymax,FileName, Class,confidence\n1,2,3.5,4,a.jpg,cat,0.9\n",
    "a mark and returns": "\ufeffimage,label,x1,y1,x2,y2,score\r\na.jpg,cat,1,2,3.5,4,0.9\r\n",
}


@pytest.mark.parametrize("case", TABLES)
def test_boxes(tmp_path: Path, case: str) -> None:
    assert read(tmp_path, TABLES[case]) == [ImageBoxes("a.jpg", None, (FoundBox("cat", BOX, 0.9),))]


def test_points_and_boxes_without_label_or_score(tmp_path: Path) -> None:
    text = 'image,x,y,x1,y1,x2,y2\n"b, c.jpg",5,6,,,,\na.jpg,,,1,2,3.5,4\n"b, c.jpg",7,8,,,,\n'
    assert read(tmp_path, text) == [
        ImageBoxes("b, c.jpg", None, (), (FoundPoint(None, 5, 6), FoundPoint(None, 7, 8))),
        ImageBoxes("a.jpg", None, (FoundBox(None, BOX),)),
    ]


def test_a_row_that_cannot_be_read_costs_only_itself(tmp_path: Path) -> None:
    rows = ["a.jpg,1,2,3.5,4", "a.jpg,3,2,3,4", "a.jpg,one,2,3,4", "../b.jpg,1,2,3,4", "a.jpg"]
    *left_out, image = read(tmp_path, "\n".join(["image,x1,y1,x2,y2", *rows]))
    assert image == ImageBoxes("a.jpg", None, (FoundBox(None, BOX),))
    assert [each.fault for each in left_out if isinstance(each, LeftOut)] == [
        f"boxes.csv, line {number}" for number in (3, 4, 5, 6)
    ]
    assert not [each for each in left_out if isinstance(each, LeftOut) and "line" in each.reason]


@pytest.mark.parametrize("text", [b"", b"image,label\na,b", b"x1,y1,x2,y2\n1,2,3,4", b"\xff\xfe"])
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(DatasetError) as caught:
        read(tmp_path, text)
    assert caught.value.hint


def test_no_name_of_a_column_means_two_things() -> None:
    names = [name for spellings in COLUMNS.values() for name in spellings]
    assert len(names) == len(set(names))
