"""Exports of hostile annotations: refused or cleaned, told, and nothing else is lost."""

from __future__ import annotations

import base64
import tracemalloc
import unicodedata
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from typer.testing import CliRunner, Result

from edgeflow.cli import app
from edgeflow.cli.export import INCOMPLETE
from edgeflow.export.formats.table import FORMATS
from edgeflow.masks.rasterize import MAX_POINTS
from tests.unit.edgeflow.data.making import (
    TWO_OBJECTS,
    bare_png,
    encoded,
    huge_png,
    image_file,
    put,
    put_json,
)
from tests.unit.edgeflow.data.test_label_studio import SQUARE, brush, polygon, region, task
from tests.unit.edgeflow.export.exported import categories, drawn, load, mask_of

LOCATIONS = {
    "../../../etc/passwd.png": "etc/passwd.png",
    "/data/upload/7/../../up.png": "up.png",
    "https://host/%2e%2e/%2e%2e%2fcoded.png": "coded.png",
    "/data/local-files/?d=../../local.png": "local.png",
    "C:\\windows\\system.png": "windows/system.png",
    "https://host/deep/COLLIDE.png": "deep/COLLIDE.png",
    "https://host/deep/collide.jpg": "deep/collide.jpg",
    "https://host/deep_collide.png": "deep_collide.png",
    "con.png": "con.png",
    ".hidden.png": ".hidden.png",
    "bell\x07.png": "bell\x07.png",
    "<b>&amp;'\".png": "<b>&amp;'\".png",
    "--output.png": "--output.png",
    f"{'é' * 100}.png": f"{'é' * 100}.png",
    "turned\u202egnp.png": "turned\u202egnp.png",
}
"""Locations of pictures, and where their files are found."""

LABELS = (
    "../../up", "/etc/passwd", "a/b", "a\\b", "a:b", "a_b", "A_B", "a b", "a b ", "con", ".", "..",
    "<b>&amp;\"'", "comma, tab\tand\nline", "\x1b[31mred", "é", "e\u0301", "x" * 300, "unlabelled",
    "0: nought", "'quoted'", "# note", "background", "_background_", "__ignore__",
)  # fmt: skip
"""Class names, each another one; many become the same where they name files."""

PLAIN = tuple(f"class {number}" for number in range(len(LABELS)))

MAX_NAME = 255
"""Bytes of a file's name that file systems allow."""


def export(folder: Path, format: str, *tasks: Any) -> Result:
    """Export tasks whose pictures are in ``images/``, beside a folder that must stay as it is."""
    put_json(folder / "project.json", list(tasks))
    before = snapshot(folder)
    command = ["export", folder / "project.json", "-o", folder / "out", "--format", format]
    result = CliRunner().invoke(app, [*map(str, command), "--pictures", "copy"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    assert {path: data for path, data in snapshot(folder).items() if path in before} == before
    for path in snapshot(folder).keys() - before.keys():
        assert path.startswith("out/"), path
        assert all(part == safe(part) for part in path.split("/")), path
    return result


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def safe(name: str) -> str:
    """A file's name, changed if it could do harm on some system or in a terminal."""
    unseen = {character for character in name if unicodedata.category(character)[0] == "C"}
    for character in unseen | set('<>:"/\\|?*'):
        name = name.replace(character, "")
    if (
        name.split(".")[0].casefold() in {"con", "prn", "aux", "nul"}
        or len(name.encode()) > MAX_NAME
    ):
        return ""
    return name


def written(folder: Path) -> list[str]:
    """Files of an export, by their names in lower case: on some systems those are the same."""
    return sorted(path.lower() for path in snapshot(folder / "out"))


def picture(name: str) -> bytes:
    return image_file(kind="JPEG" if name.endswith("jpg") else "PNG")


@pytest.mark.parametrize("format", FORMATS)
def test_names_of_pictures_stay_in_the_folder_and_apart(tmp_path: Path, format: str) -> None:
    put(tmp_path / "up", {"victim.png": b"of another"})
    put(tmp_path, {f"images/{name}": picture(name) for name in LOCATIONS.values()})
    tasks = [task(number, brush(1), image=each) for number, each in enumerate(LOCATIONS, start=1)]
    result = export(tmp_path, format, *tasks)
    assert result.exit_code == 0, result.output
    assert f"{len(LOCATIONS)} images, {len(LOCATIONS)} objects" in result.output
    assert not [line for line in result.output.splitlines() if not line.isprintable()]

    plain = tmp_path / "plain"
    suffixes = [name.rpartition(".")[2] for name in LOCATIONS.values()]
    names = [f"{number}.{suffix}" for number, suffix in enumerate(suffixes)]
    put(plain, {f"images/{name}": picture(name) for name in names})
    tasks = [task(number, brush(1), image=each) for number, each in enumerate(names, start=1)]
    assert export(plain, format, *tasks).exit_code == 0
    files = written(tmp_path)
    assert len(files) == len(set(files)) == len(written(plain))


@pytest.mark.parametrize("format", FORMATS)
def test_labels_that_become_one_as_names_of_files_stay_apart(tmp_path: Path, format: str) -> None:
    counts = []
    for name, labels in (("hostile", LABELS), ("plain", PLAIN)):
        folder = put(tmp_path / name, {"images/a.jpg": image_file()})
        result = export(folder, format, *(labelled(*each) for each in enumerate(labels, start=1)))
        assert result.exit_code == 0, result.output
        assert f"{len(labels)} objects, {len(labels)} categories" in result.output
        assert "\x1b" not in result.output
        files = written(folder)
        assert len(files) == len(set(files))
        counts.append(len(files))
    assert counts[0] == counts[1]


def labelled(number: int, label: str) -> dict[str, Any]:
    drawn = brush(1 + number % 2, id=f"r{number}")
    drawn["value"]["brushlabels"] = [label]
    return task(number, drawn)


def test_labels_are_written_as_they_are(tmp_path: Path) -> None:
    put(tmp_path, {"images/a.jpg": image_file()})
    export(tmp_path, "coco", *(labelled(*each) for each in enumerate(LABELS, start=1)))
    assert sorted(name for _, name in categories(load(tmp_path / "out"))) == sorted(LABELS)


BOMB = base64.b64encode(
    bare_png(20_000, 20_000, 8, zlib.compress(bytes(20_000 * 20_001), 9))
).decode()


def rle(*code: int) -> dict[str, Any]:
    return region("brushlabels", {"format": "rle", "rle": list(code), "brushlabels": ["Cat"]})


def bitmask(png: bytes) -> dict[str, Any]:
    url = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return region("bitmasklabels", {"imageDataURL": url, "bitmasklabels": ["Cat"]})


def sized(height: Any, width: Any) -> dict[str, Any]:
    return brush(2, original_height=height, original_width=width)


def runs_of_ones() -> tuple[int, ...]:
    """A brush code of 2³² - 1 values, as runs of 2¹⁶ each."""
    bits = (
        f"{2**32 - 1:032b}{7:05b}{2:04b}{3:04b}{7:04b}{15:04b}"
        + f"1{3:02b}{2**16 - 1:016b}{255:08b}" * 2**16
    )
    bits += "0" * (-len(bits) % 8)
    return tuple(int(bits, 2).to_bytes(len(bits) // 8, "big"))


BAD = {
    "brush-of-4-billion-values": lambda: rle(*b"\xff\xff\xff\xff", 0, 0, 0, 0),
    "brush-of-65536-long-runs": lambda: rle(*runs_of_ones()),
    "brush-that-ends-early": lambda: rle(1, 2),
    "brush-of-texts": lambda: region("brushlabels", {"format": "rle", "rle": ["a"] * 100}),
    "brush-of-a-number": lambda: region("brushlabels", {"format": "rle", "rle": 10**12}),
    "png-that-claims-10-billion-pixels": lambda: bitmask(huge_png()),
    "png-that-inflates": lambda: region(
        "bitmasklabels", {"imageDataURL": f"data:image/png;base64,{BOMB}"}
    ),
    "png-of-another-size": lambda: bitmask(encoded(np.zeros((9, 9, 4), np.uint8))),
    "no-png": lambda: region("bitmasklabels", {"imageDataURL": "file:///etc/passwd"}),
    "polygon-of-too-many-points": lambda: polygon(SQUARE * (MAX_POINTS // len(SQUARE) + 1)),
    "polygon-far-outside": lambda: polygon([[0, 0], [1e300, 0], [0, 1e300]]),
    "polygon-of-texts": lambda: polygon([["a", "b"]] * 3),
    "region-of-another-size": lambda: sized(40, 60),
    "region-of-a-billion-rows": lambda: sized(10**9, 10**9),
}
"""Regions that cannot be read."""


@pytest.mark.parametrize("bad", BAD)
def test_what_cannot_be_read_is_refused_and_costs_only_itself(tmp_path: Path, bad: str) -> None:
    put(tmp_path, {"images/a.jpg": image_file(), "images/b.jpg": image_file()})
    tasks = [
        task(31, brush(1, id="good"), BAD[bad]() | {"id": "bad"}),
        task(32, brush(2), image="b.jpg"),
    ]
    result = export(tmp_path, "coco", *tasks)
    assert result.exit_code == INCOMPLETE, result.output
    assert "1 could not be read" in result.output
    assert "task 31: " in result.output
    coco = load(tmp_path / "out")
    assert [pixels(coco, name) for name in ("a.jpg", "b.jpg")] == [
        [np.argwhere(number == TWO_OBJECTS).tolist()] for number in (1, 2)
    ]


def pixels(coco: COCO, name: str) -> list[Any]:
    return [np.argwhere(mask_of(coco, each)).tolist() for each in drawn(coco, name)]


@pytest.mark.parametrize("bad", [name for name in BAD if name.startswith(("brush", "png"))])
def test_bombs_are_refused_before_they_take_memory(tmp_path: Path, bad: str) -> None:
    put(tmp_path, {"images/a.jpg": image_file()})
    put_json(tmp_path / "project.json", [task(31, brush(1, id="good"), BAD[bad]() | {"id": "bad"})])
    command = ["export", str(tmp_path / "project.json"), "-o", str(tmp_path / "out")]
    tracemalloc.start()
    try:
        assert CliRunner().invoke(app, command).exit_code == INCOMPLETE
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 << 20


@pytest.mark.parametrize("side", [0, -1, "six", 6.5, None, True, float("inf")], ids=str)
def test_a_size_that_is_none_is_taken_from_the_picture(tmp_path: Path, side: Any) -> None:
    put(tmp_path, {"images/a.jpg": image_file()})
    result = export(tmp_path, "coco", task(31, sized(side, side)))
    assert result.exit_code == 0, result.output
    assert pixels(load(tmp_path / "out"), "a.jpg") == [np.argwhere(TWO_OBJECTS == 2).tolist()]


@pytest.mark.parametrize("format", FORMATS)
def test_a_picture_that_cannot_be_read_costs_only_itself(tmp_path: Path, format: str) -> None:
    put(tmp_path, {"images/a.jpg": huge_png(), "images/b.jpg": image_file()})
    result = export(tmp_path, format, task(31, brush(1)), task(32, brush(2), image="b.jpg"))
    assert result.exit_code == INCOMPLETE, result.output
    assert "1 could not be read" in result.output
    assert "task 31" in result.output
    assert "1 images, 1 objects" in result.output


def test_an_image_that_a_format_lacks_is_named_with_its_task(tmp_path: Path) -> None:
    result = export(tmp_path, "voc", task(31, brush(1), image="gone.jpg"))
    assert result.exit_code == INCOMPLETE
    assert "task 31, gone.jpg: its picture is not at hand" in result.output
