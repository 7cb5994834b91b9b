from __future__ import annotations

from pathlib import Path

import pytest

from edgeflow.cli.cutting.prompt_list import Listed, read_prompt_list
from edgeflow.data.base import DatasetError
from edgeflow.geometry import ImagePoint
from edgeflow.prompts.click import Click

CLICKS = (Click(ImagePoint(120, 80)), Click(ImagePoint(30, 40), positive=False))


def read(folder: Path, name: str, content: str | bytes) -> list[Listed]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_prompt_list(path)


def test_csv(tmp_path: Path) -> None:
    text = (
        'image,clicks,box,mask\r\na.jpg,"120,80 -30,40",,\r\n\r\n"b, c.jpg",,"1,2,30,40",m.png\r\n'
    )
    assert read(tmp_path, "l.csv", text) == [
        Listed("a.jpg", CLICKS),
        Listed("b, c.jpg", (), (1, 2, 30, 40), "m.png"),
    ]


def test_csv_of_excel_with_a_byte_order_mark(tmp_path: Path) -> None:
    assert read(tmp_path, "L.CSV", b'\xef\xbb\xbfimage,clicks\na.jpg,"120,80 -30,40"')[0] == Listed(
        "a.jpg", CLICKS
    )


def test_json_lines(tmp_path: Path) -> None:
    text = (
        '{"image": "a.jpg", "clicks": [[120, 80], [30, 40, 0]]}\n\n'
        '{"image": "a.jpg", "clicks": "120,80 -30,40"}\n'
        '{"image": "a.jpg", "clicks": ["120,80", "-30,40"]}\n'
        '{"image": "a.jpg", "clicks": [[120, 80, true], [30, 40, false]]}\n'
        '{"image": "b.jpg", "box": [1, 2, 30, 40], "mask": null}\r\n'
    )
    assert read(tmp_path, "l.jsonl", text) == [Listed("a.jpg", CLICKS)] * 4 + [
        Listed("b.jpg", (), (1, 2, 30, 40))
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("l.txt", "image\na.jpg", "no known kind"),
        ("l.csv", "", "no column `image`"),
        ("l.csv", "picture,clicks\na,b", "no column `image`"),
        ("l.csv", "image,clicks\n", "lists no image"),
        ("l.csv", "image,clicks\na.jpg,120,80", "line 2: unknown"),
        ("l.csv", 'image,clicks\na.jpg,"x"', "line 2: 'x' is not a click"),
        ("l.csv", 'image,box\na.jpg,"1,2,3"', "line 2: '1,2,3' is not a box"),
        ("l.csv", 'image,clicks\n,"1,2"', "line 2: it names no image"),
        ("l.csv", 'image,clicks\n"a', "unexpected end"),
        ("l.csv", b"image\n\xff\xfe", "not UTF-8"),
        ("l.csv", "image,label\na.jpg,cat", "unknown: label"),
        ("l.csv", "image\n" + "x" * 200_000, "field larger than"),
        ("l.jsonl", "{", "line 1: not JSON"),
        ("l.jsonl", "[" * 100_000, "line 1: not JSON"),
        ("l.jsonl", "[]", "line 1: not a JSON object"),
        ("l.jsonl", '{"image": 3}', "line 1: image is '3'"),
        ("l.jsonl", '{"image": "a\\u0000"}', "line 1: image is"),
        ("l.jsonl", '{"image": "a", "clicks": 4}', "line 1: clicks are"),
        ("l.jsonl", '{"image": "a", "clicks": [[1]]}', "is no list of 2 or 3 numbers"),
        ("l.jsonl", '{"image": "a", "clicks": [["1", 2]]}', "is no list of 2 or 3 numbers"),
        ("l.jsonl", '{"image": "a", "clicks": [[NaN, 2]]}', "is no list of 2 or 3 numbers"),
        ("l.jsonl", '{"image": "a", "clicks": [[1e400, 2]]}', "is no list of 2 or 3 numbers"),
        ("l.jsonl", '{"image": "a", "box": [1, 2, 3]}', "is no list of 4 numbers"),
        ("l.jsonl", '{"image": "a", "box": [3, 3, 1, 1]}', "is empty"),
    ],
    ids=range(24),
)
def test_a_list_that_cannot_be_read_is_refused_with_its_line(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(DatasetError, match=message.replace("[", r"\[")) as caught:
        read(tmp_path, name, content)
    assert caught.value.hint


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"none\.csv is missing"):
        read_prompt_list(tmp_path / "none.csv")
