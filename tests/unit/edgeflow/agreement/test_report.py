from __future__ import annotations

import csv
import io
import json

import pytest

from edgeflow.agreement.comparison import match_objects
from edgeflow.agreement.report import LONGEST, Comparison, as_csv, as_json, report_lines
from tests.unit.edgeflow.agreement.drawing import drawn
from tests.unit.edgeflow.agreement.test_comparison import A, B

COMPARED = Comparison(
    "pets, annotator 3", "pets, annotator 7", 0.5, ["a.jpg"], match_objects(0, A, B, 0.5),
    ["b.jpg"], [], ["c.jpg", "d.jpg"],
)  # fmt: skip


def test_people_are_told_everything_in_a_table() -> None:
    same, rims = (each.boundary_iou or 0 for each in COMPARED.matches[:2])
    assert list(report_lines(COMPARED)) == [
        "A: pets, annotator 3",
        "B: pets, annotator 7",
        "1 images in both",
        "1 images in A alone, not compared",
        "2 images of another size in B than in A, not compared",
        "",
        "class  in A  in B  both  only A  only B    IoU  boundary IoU",
        f"cat       2     2     1       0       1  0.875         {rims:.3f}",
        "dog       1     1     0       1       0      –             –",
        f"all       3     3     2       1       1  0.938         {(same + rims) / 2:.3f}",
        "1 × cat in A, dog in B",
    ]


def test_json_has_all_figures_and_objects() -> None:
    document = json.loads(as_json(COMPARED))
    assert document["images"] == {
        "compared": 1, "only_a": ["b.jpg"], "only_b": [], "other_size": ["c.jpg", "d.jpg"]
    }  # fmt: skip
    assert [each["class"] for each in document["classes"]] == ["cat", "dog"]
    assert document["classes"][1]["iou"] is None
    assert document["all"]["both"] == 2
    assert document["confusions"] == [{"a": "cat", "b": "dog", "objects": 1}]
    assert document["objects"][0]["a"] == {"key": "a1", "class": "cat"}
    assert document["objects"][2]["b"] is None
    assert document["objects"][1]["iou"] == 0.875


def test_csv_has_a_line_an_object() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(COMPARED).decode(), newline="")))
    assert [(row["key_a"], row["class_a"], row["key_b"], row["class_b"]) for row in rows] == [
        ("a1", "cat", "b2", "dog"),
        ("a2", "cat", "b1", "cat"),
        ("a3", "dog", "", ""),
        ("", "", "b3", "cat"),
    ]
    assert [row["iou"] for row in rows] == ["1.0", "0.875", "0.0", "0.0"]
    assert rows[2]["boundary_iou"] == ""


@pytest.mark.parametrize("label", ["\x1b[31mred", "a\nb", "\ud800", "x" * 500, "é/ü"], ids=ascii)
def test_names_of_unknown_origin_do_no_harm(label: str) -> None:
    matches = match_objects(0, [drawn("a", 0, 0, 6, 6, label)], [], 0.5)
    hostile = Comparison(label, "b", 0.5, [label], matches, [], [], [])
    lines = list(report_lines(hostile))
    assert all(line.isprintable() for line in lines)
    assert max(len(line) for line in lines[3:]) < LONGEST + 70
    assert json.loads(as_json(hostile))["classes"][0]["class"] == label
    assert as_csv(hostile).decode()
