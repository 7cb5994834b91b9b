"""``edgeflow cutout``; with masks as far as no network is needed, else with the shipped one."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from edgeflow.cli import app
from edgeflow.cli.cutout import INCOMPLETE
from tests.unit.edgeflow.samples import PHOTOS, disk_image

HEIGHT, WIDTH = 60, 80


def disk() -> npt.NDArray[np.bool_]:
    rows, cols = np.mgrid[:HEIGHT, :WIDTH]
    inside: npt.NDArray[np.bool_] = np.hypot(rows - 30, cols - 40) < 15
    return inside


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the pictures ``in/a.png`` and ``in/b.jpg``, and the disk's mask in ``m.png``."""
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Image.fromarray(disk_image(HEIGHT, WIDTH)).save("in/a.png")
    Image.fromarray(disk_image(HEIGHT, WIDTH, shade=90)).save("in/b.jpg", quality=95)
    Image.fromarray(disk().astype(np.uint8) * 255).save("m.png")


def run(*arguments: object, data: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["cutout", *map(str, arguments)], input=data)


def pixels(path: str | bytes) -> npt.NDArray[np.uint8]:
    with Image.open(io.BytesIO(path) if isinstance(path, bytes) else path) as image:
        return np.array(image, np.uint8)


@pytest.mark.parametrize(("name", "kind"), [("o.png", "PNG"), ("O.WEBP", "WEBP")])
def test_a_mask_becomes_a_transparent_picture(name: str, kind: str) -> None:
    result = run("in/a.png", "--mask", "m.png", "-o", name)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{name}\n"
    with Image.open(name) as image:
        assert (image.format, image.mode, image.size) == (kind, "RGBA", (WIDTH, HEIGHT))
    made = pixels(name)
    assert made[30, 40].tolist() == [220, 180, 40, 255]
    assert made[0, 0].tolist() == [0, 0, 0, 0]
    assert np.abs(made[..., 3] / 255 - disk()).mean() < 0.02


def test_hard_borders_are_the_mask() -> None:
    assert run("in/a.png", "--mask", "m.png", "-o", "o.png", "--hard").exit_code == 0
    assert np.array_equal(pixels("o.png")[..., 3], np.where(disk(), 255, 0))


def test_cropping_leaves_the_object_and_a_margin() -> None:
    run("in/a.png", "--mask", "m.png", "-o", "o.png", "--hard", "--crop")
    assert pixels("o.png").shape == (29, 29, 4)
    run("in/a.png", "--mask", "m.png", "-o", "o.png", "--hard", "--crop", "--margin", 20)
    assert pixels("o.png").shape == (60, 69, 4)  # as far as the picture goes


@pytest.mark.parametrize("colour", ["#00ff00", "lime", "rgb(0,255,0)"])
def test_a_colour_as_background(colour: str) -> None:
    arguments = ("in/a.png", "--mask", "m.png", "--background", colour)
    result = run(*arguments, "-o", "o.jpg")
    assert result.exit_code == 0, result.output
    assert run(*arguments, "-o", "o.png").exit_code == 0
    assert pixels("o.png")[0, 0].tolist() == [0, 255, 0]
    assert pixels("o.png")[30, 40].tolist() == [220, 180, 40]


def test_a_picture_as_background_covers_what_is_left_after_cropping() -> None:
    Image.new("RGB", (7, 300), (9, 8, 7)).save("sky.png")
    result = run("in/a.png", "--mask", "m.png", "--background", "sky.png", "--crop", "-o", "o.png")
    assert result.exit_code == 0, result.output
    made = pixels("o.png")
    assert made.shape[2] == 3
    assert made.shape[0] < HEIGHT
    assert made[0, 0].tolist() == [9, 8, 7]


def test_a_folder_with_a_folder_of_masks() -> None:
    Path("masks").mkdir()
    for name in ("a", "b"):
        Image.open("m.png").save(f"masks/{name}.png")
    result = run("in", "--mask", "masks", "--format", "webp")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in Path("cutouts").iterdir()) == ["a.webp", "b.webp"]


def test_a_list_with_a_fault_in_it_makes_the_rest_and_says_so() -> None:
    lines = [
        {"image": "in/a.png", "mask": "m.png"},
        {"image": "in/none.png", "mask": "m.png"},
        {"image": "in/a.png", "mask": "in/b.jpg", "box": [1, 2, 30, 40]},
        {"image": "in/a.png", "mask": "m.png"},
    ]
    Path("l.jsonl").write_text("\n".join(map(json.dumps, lines)))
    result = run("--list", "l.jsonl", "-o", "out")
    assert result.exit_code == INCOMPLETE
    made = sorted(path.relative_to("out").as_posix() for path in Path("out").rglob("*.png"))
    assert made == ["in/a-3.png", "in/a.png"]
    assert "warning: in/none.png: No such file" in result.stderr
    assert "warning: in/a.png: a mask and a box are both named" in result.stderr
    assert "2 of 4 could not be cut out" in result.stderr


def test_nothing_made_is_an_error() -> None:
    Path("l.csv").write_text("image,mask\nx.png,m.png\ny.png,m.png\n")
    assert run("--list", "l.csv").exit_code == 1


def test_a_list_cannot_lead_out_of_the_output_folder() -> None:
    Path("l.csv").write_text("image,mask\n../x/in/a.png,m.png\n")
    Path("x").mkdir()
    Path("in").rename("x/in")
    Path("list").mkdir()
    Path("l.csv").rename("list/l.csv")
    Path("m.png").rename("list/m.png")
    assert run("--list", "list/l.csv", "-o", "out").exit_code == 0
    assert [path.as_posix() for path in Path("out").rglob("*.png")] == ["out/a.png"]


@pytest.mark.parametrize("format", [pytest.param("png", id="png"), pytest.param("webp", id="webp")])
def test_pipes(format: str) -> None:
    data = Path("in/a.png").read_bytes()
    result = run("-", "--mask", "m.png", "--format", format, data=data)
    assert result.exit_code == 0, result.output
    assert pixels(result.stdout_bytes).shape == (HEIGHT, WIDTH, 4)
    assert result.stderr == "-\n"


def test_a_real_pipe_carries_the_picture_and_nothing_else() -> None:
    command = [sys.executable, "-m", "edgeflow.cli", "cutout", "-", "--mask", "m.png"]
    done = subprocess.run(
        command, input=Path("in/a.png").read_bytes(), capture_output=True, check=True, timeout=120
    )
    assert pixels(done.stdout).shape == (HEIGHT, WIDTH, 4)


@pytest.mark.parametrize("data", [b"", b"no image", b"\x89PNG\r\n\x1a\n"], ids=range(3))
def test_what_is_piped_and_no_image_is_refused(data: bytes) -> None:
    result = run("-", "--mask", "m.png", data=data)
    assert result.exit_code == 1
    assert result.stdout_bytes == b""
    assert result.stderr.startswith("error: not a readable image")


def save_grey(path: Path) -> None:
    Image.fromarray(disk_image(HEIGHT, WIDTH)).convert("L").save(path)


def save_wide(path: Path) -> None:
    grey = np.asarray(Image.fromarray(disk_image(HEIGHT, WIDTH)).convert("L"))
    Image.fromarray(grey.astype(np.uint16) * 257).save(path)


def save_transparent(path: Path) -> None:
    image = Image.fromarray(disk_image(HEIGHT, WIDTH)).convert("RGBA")
    image.putalpha(128)
    image.save(path)


def save_palette(path: Path) -> None:
    Image.fromarray(disk_image(HEIGHT, WIDTH)).quantize(32).save(path)


def save_turned(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = Image.fromarray(np.rot90(disk_image(HEIGHT, WIDTH)).copy())
    turned.save(path, exif=exif, quality=95)


@pytest.mark.parametrize(
    ("name", "save"),
    [
        ("grey.png", save_grey),
        ("wide.png", save_wide),
        ("wide.tif", save_wide),
        ("alpha.png", save_transparent),
        ("palette.gif", save_palette),
        ("turned.jpg", save_turned),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_images_of_every_kind(name: str, save: object) -> None:
    assert callable(save)
    save(Path(name))
    result = run(name, "--mask", "m.png", "-o", "o.png")
    assert result.exit_code == 0, result.output
    made = pixels("o.png")
    assert made.shape == (HEIGHT, WIDTH, 4)
    assert made[30, 40, 3] == 255
    assert made[0, 0, 3] == 0


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 500), (3, 3)], ids=str)
def test_tiny_images(size: tuple[int, int]) -> None:
    Image.new("RGB", size, "red").save("t.png")
    Image.new("L", size, 255).save("tm.png")
    assert run("t.png", "--mask", "tm.png", "-o", "o.png", "--crop").exit_code == 0
    assert (pixels("o.png") == (255, 0, 0, 255)).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["in/a.png"], "it is not said where the object is"),
        (["-c", "3,4"], "no image is named"),
        (["in/a.png", "--list", "l.csv"], "--list names the images"),
        (["--list", "none.csv"], "none.csv is missing"),
        (["in/a.png", "-c", "3;4"], "is not a click"),
        (["in/a.png", "--box", "3,4"], "is not a box"),
        (["in/a.png", "--mask", "small.png"], "the mask small.png is 8×6, the image 80×60"),
        (["in/a.png", "--mask", "large.png"], "is larger than the image"),
        (["in/a.png", "--mask", "black.png"], "the mask black.png is empty"),
        (["in/a.png", "--mask", "l.csv"], "not a readable image"),
        (["in", "--mask", "in"], "has no mask for in/b.jpg"),
        (["-", "-", "--mask", "m.png"], "standard input is named twice"),
        (["empty", "--mask", "m.png"], "holds no image"),
        (["none.png", "--mask", "m.png"], "No such file"),
        (["l.csv", "--mask", "m.png"], "not a readable image"),
        (["in/a.png", "--mask", "m.png", "--background", "nocolour"], "neither a colour nor"),
        (["in/a.png", "--mask", "m.png", "--background", "#00ff0080"], "is transparent"),
        (["in/a.png", "--mask", "m.png", "--max-pixels", "100"], "100"),
        (["in/a.png", "--mask", "m.png", "-o", "in"], "in the folder in themselves"),
        (["in/a.png", "--mask", "m.png", "-o", "o.jpg"], "without transparency"),
        (["in/a.png", "-c", "3,4", "--model", "none", "-o", "o.png"], "none"),
    ],
    ids=range(21),
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    arguments: list[str], message: str
) -> None:
    Path("l.csv").write_text("image\nin/a.png\n")
    Path("empty").mkdir()
    Image.new("L", (8, 6), 255).save("small.png")
    Image.new("L", (WIDTH + 1, HEIGHT), 255).save("large.png")
    Image.new("L", (WIDTH, HEIGHT), 100).save("black.png")
    before = sorted(Path().rglob("*"))
    result = run(*arguments)
    assert result.exit_code == 1
    assert message in result.stderr
    assert "hint: " in result.stderr
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["in/a.png", "--mask", "m.png", "-o", "in/a.png"],
        ["in/a.png", "--mask", "m.png", "-o", "hard.png"],
        ["in/a.png", "--mask", "m.png", "-o", "link.png"],
        ["in/a.png", "--mask", "m.png", "-o", "m.png"],
        ["in/a.png", "--mask", "m.png", "--background", "sky.png", "-o", "sky.png"],
        ["in/a.png", "in/b.jpg", "--mask", "m.png", "-o", "made"],
    ],
    ids=range(6),
)
def test_what_is_read_is_never_written(arguments: list[str]) -> None:
    os.link("in/a.png", "hard.png")
    Path("link.png").symlink_to("in/a.png")
    Image.new("RGB", (5, 5)).save("sky.png")
    Path("made").mkdir()
    os.link("in/b.jpg", "made/b.png")
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    result = run(*arguments)
    assert result.exit_code == 1, result.output
    assert "which is read" in result.stderr
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


def test_a_second_run_writes_the_same_bytes() -> None:
    run("in/a.png", "--mask", "m.png", "-o", "o.png")
    first = Path("o.png").read_bytes()
    run("in/a.png", "--mask", "m.png", "-o", "o.png")
    assert Path("o.png").read_bytes() == first


@pytest.mark.slow
def test_clicks_and_boxes_find_the_object_with_the_shipped_network() -> None:
    photo = PHOTOS / "coffee.jpg"
    clicked = ("-c", "310,160", "-c", "310,220", "--click=-330,330")
    assert run(photo, *clicked, "-o", "clicks.png").exit_code == 0
    assert run(photo, "--box", "170,15,420,310", "-o", "box.png").exit_code == 0
    one, other = (pixels(name)[..., 3] > 127 for name in ("clicks.png", "box.png"))
    assert one[160, 310]
    assert not one[380, 20]
    assert np.count_nonzero(one & other) > 0.8 * np.count_nonzero(one | other)


@pytest.mark.slow
def test_clicks_correct_a_mask() -> None:
    photo = PHOTOS / "coffee.jpg"
    half = np.zeros((400, 600), np.uint8)
    half[20:200, 180:290] = 255
    Image.fromarray(half).save("half.png")
    assert run(photo, "--mask", "half.png", "-c", "340,150", "-o", "o.png").exit_code == 0
    assert pixels("o.png")[150, 340, 3] == 255
