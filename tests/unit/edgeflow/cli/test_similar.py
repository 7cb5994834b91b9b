"""``edgeflow similar``, with the real model and with one that sees the same everywhere."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from edgeflow.cli import app
from edgeflow.cli.image_output import encode_numbers
from edgeflow.data.opening import open_dataset
from edgeflow.geometry import ImagePoint
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click
from edgeflow.similar.found import Candidate, Found, SimilarOptions
from tests.unit.edgeflow.samples import PHOTOS, FakeRuntime, disk_image

COINS = PHOTOS / "coins.jpg"


@pytest.fixture(autouse=True)
def _an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def similar(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["similar", *map(str, arguments)])


def numbers_in(path: str) -> npt.NDArray[np.integer[Any]]:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.slow
def test_one_click_on_a_coin_finds_the_other_twenty_three() -> None:
    outputs = ("-o", "numbers.png", "--overlay", "overlay.jpg", "--json", "coco.json")
    result = similar(COINS, "--click", "108,185", "--seconds", 100, "--label", "coin", *outputs)
    assert result.exit_code == 0, result.output
    assert "numbers.png: 23 found, numbered 2 to 24" in result.output
    numbers = numbers_in("numbers.png")
    assert numbers[185, 108] == 1
    assert np.unique(numbers).tolist() == list(range(25))
    with Image.open("overlay.jpg") as overlay, Image.open(COINS) as photo:
        assert overlay.size == photo.size
    coco = json.loads(Path("coco.json").read_text())
    scores = [each["score"] for each in coco["annotations"]]
    assert scores[1:] == sorted(scores[1:], reverse=True)
    assert "similarity" not in coco["annotations"][0]
    # Whatever reads COCO finds the same masks.
    Path("images").mkdir()
    Path("images/coins.jpg").symlink_to(COINS)
    sample = open_dataset(Path("coco.json"), images=Path("images"))[0]
    assert sample.labels == ("coin",) * 24
    for number, mask in enumerate(sample.objects, start=1):
        assert MaskPatch.of(mask).iou(MaskPatch.of(numbers == number)) > 0.9


@pytest.mark.slow
def test_an_example_may_be_in_another_picture() -> None:
    with Image.open(COINS) as photo:
        photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save("flipped.png")
    mask = Image.new("L", (384, 303))
    mask.paste(255, (79, 174, 125, 218))
    mask.save("mask.png")
    example = ("--example", COINS, "--example-mask", "mask.png", "--seconds", 100)
    result = similar("flipped.png", *example, "--limit", 4)
    assert result.exit_code == 0, result.output
    assert numbers_in("similar.png").max() == 4


class FakeFinder:
    """Notes what it was asked, and finds the corner of each picture."""

    asked: dict[str, Any]

    def __init__(self, _predictor: Predictor) -> None:
        pass

    def describe(self, image: EncodedImage, mask: MaskPatch) -> str:
        return f"{image.size.width}: {mask.box.area}"

    def find(self, image: EncodedImage, examples: Sequence[MaskPatch], **asked: Any) -> Found:
        FakeFinder.asked = {"examples": [mask.box.area for mask in examples], **asked}
        corner = np.zeros(image.size, dtype=np.bool_)
        corner[:4, :5] = True
        found = Candidate(Click(ImagePoint(2, 2)), MaskPatch.of(corner), 0.75, 0.5)
        return Found((found,), steps=3, seconds=0.25, complete=False)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that were loaded; the folder holds ``a.png``, ``b.png`` and a mask of each."""
    loaded: list[str] = []

    def load(model: str, **_: object) -> Predictor:
        loaded.append(model)
        return Predictor(FakeRuntime(mask=0.9), version="v", policy=ZoomPolicy(long_side=32))

    monkeypatch.setattr("edgeflow.cli.similar.load_predictor", load)
    monkeypatch.setattr("edgeflow.cli.similar.SimilarFinder", FakeFinder)
    for name, (height, width) in {"a": (60, 80), "b": (30, 40)}.items():
        Image.fromarray(disk_image(height, width)).save(f"{name}.png")
        mask = Image.new("L", (width, height))
        mask.paste(255, (0, 0, 10, 10))
        mask.save(f"{name}-mask.png")
    Image.new("L", (80, 60)).save("empty.png")
    return loaded


ALL = 60 * 80


OTHER = ("--example", "b.png", "--example-mask", "b-mask.png")


@pytest.mark.parametrize(
    ("arguments", "examples", "counter", "descriptors"),
    [
        (("-c", "40,30"), [ALL], 0, []),
        (("-c", "40,30", "--click=-1,1"), [ALL], 0, []),
        (("-c", "40,30", "--also", "1,1", "--also", "2,2"), [ALL] * 3, 0, []),
        (("-c", "40,30", "--not", "1,1"), [ALL], 1, []),
        (("--example-mask", "a-mask.png"), [100], 0, []),
        (("--example-mask", "a-mask.png", "-c", "40,30"), [100, ALL], 0, []),
        (OTHER, [], 0, ["40: 100"]),
        ((*OTHER, "-c", "9,9"), [ALL], 0, ["40: 100"]),
    ],
    ids=str,
)
@pytest.mark.usefixtures("loads")
def test_examples_come_from_clicks_and_masks(
    arguments: tuple[str, ...], examples: list[int], counter: int, descriptors: list[str]
) -> None:
    result = similar("a.png", *arguments, "--limit", 7, "--seconds", 2)
    assert result.exit_code == 0, result.output
    asked = FakeFinder.asked
    assert asked["examples"] == examples
    assert len(asked["counter_examples"]) == counter
    assert asked["descriptors"] == descriptors
    assert asked["options"] == SimilarOptions(limit=7, seconds=2)
    first = len(examples) + 1
    assert f"similar.png: 1 found, numbered {first}, 3 network steps in 250 ms" in result.stdout
    assert "not all places were looked at" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "no example"),
        (["--also", "1,1"], "no example"),
        (["-c", "1"], "not a click"),
        (["-c", "1,1", "--also=-2,2"], "negative"),
        (["-c", "1,1", "--not=-2,2"], "negative"),
        (["--example", "b.png"], "--example-mask"),
        (["-c", "1,1", "--example", "b.png"], "--example-mask"),
        (["--example", "none.png", "--example-mask", "b-mask.png"], "none.png"),
        (["-c", "1,1", "-o", "a.png"], "replace"),
        (["--example-mask", "a-mask.png", "-o", "a-mask.png"], "replace"),
        (["-c", "1,1", "--json", "a.png"], "replace"),
        (["-c", "1,1", "-o", "n.jpg"], "PNG"),
        (["-c", "1,1", "-o", "n"], "PNG"),
        (["-c", "1,1", "--overlay", "o.docx"], ".docx"),
        (["-c", "1,1", "--overlay", "similar.png"], "same file"),
        (["-c", "1,1", "--json", "none/x.json"], "none"),
        (["-c", "1,1", "--limit", "0"], "--limit"),
        (["-c", "1,1", "--seconds", "0"], "--seconds"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_refused_before_the_model_loads(
    arguments: list[str], named: str, loads: list[str]
) -> None:
    before = {path: path.read_bytes() for path in Path().iterdir()}
    result = similar("a.png", *arguments)
    assert result.exit_code != 0
    assert named in result.stderr
    assert "Traceback" not in result.output
    assert not loads
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["-c", "80,30"], "outside the image"),
        (["-c", "1,1", "--not", "1,99"], "outside the image"),
        (["--example-mask", "b-mask.png"], "40×30"),
        (["--example-mask", "empty.png"], "empty"),
        (["--example", "b.png", "--example-mask", "a-mask.png"], "larger than the image"),
        (["--example-mask", "text.png"], "text.png: not a readable image"),
        (["--example", "text.png", "--example-mask", "a-mask.png"], "text.png: not a readable"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("loads")
def test_what_does_not_fit_the_image_is_told(arguments: list[str], named: str) -> None:
    Path("text.png").write_text("no image")
    result = similar("a.png", *arguments)
    assert result.exit_code == 1
    assert named in result.stderr
    assert "hint: " in result.stderr
    assert not Path("similar.png").exists()


@pytest.mark.usefixtures("loads")
def test_where_nothing_is_found_the_example_alone_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nothing = Found((), steps=1, seconds=0, complete=True)
    monkeypatch.setattr(FakeFinder, "find", lambda *_, **__: nothing)
    result = similar("a.png", "--example-mask", "a-mask.png")
    assert result.exit_code == 0
    assert "nothing like it was found" in result.output
    numbers = numbers_in("similar.png")
    assert numbers[:10, :10].min() == 1
    assert np.count_nonzero(numbers) == 100


@pytest.mark.parametrize(("count", "mode"), [(3, "P"), (300, "I;16")])
def test_numbers_are_exact_however_many(count: int, mode: str) -> None:
    numbers = np.arange(count, dtype=np.uint8 if count < 256 else np.uint16)[None]
    with Image.open(io.BytesIO(encode_numbers(numbers))) as image:
        assert image.mode == mode
        assert np.array_equal(np.asarray(image), numbers)


@pytest.mark.usefixtures("loads")
def test_names_in_any_encoding_and_devices_are_written_to() -> None:
    name = os.fsdecode(b"\xff.png")
    os.link("a.png", name)
    result = similar(name, "-c", "1,1", "-o", "/dev/null", "--json", "coco.json")
    assert result.exit_code == 0, result.output
    assert "found" in result.stderr
    assert json.loads(Path("coco.json").read_text())["images"][0]["file_name"] == name
