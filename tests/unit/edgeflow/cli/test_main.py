from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner, Result

from edgeflow import __version__
from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, shipped_folder, shipped_models
from edgeflow.checkpoints.published import PUBLISHED
from edgeflow.cli import app
from edgeflow.cli.predict import parse_click
from edgeflow.inference.predictor import Prediction, Predictor
from edgeflow.inference.quality import QUALITIES
from edgeflow.inference.state import EncodedImage, StateStore
from edgeflow.inference.zoom import POLICIES, ZoomPolicy
from edgeflow.prompts.click import Click
from edgeflow.prompts.start import Start
from tests.unit.edgeflow.samples import (
    PHOTOS,
    FakeRuntime,
    click,
    disk_image,
    manifest_entry,
    negative,
    png_header,
    write_manifest,
)

COINS = PHOTOS / "coins.jpg"


class Spy(Predictor):
    """Notes how it was loaded and which clicks it was asked about; its mask is everything."""

    def __init__(self) -> None:
        super().__init__(FakeRuntime(mask=0.9), version="v", policy=ZoomPolicy(long_side=32))
        self.clicks: list[Click] = []
        self.loaded: dict[str, object] = {}

    def predict(
        self,
        image: EncodedImage,
        clicks: Sequence[Click],
        store: StateStore | None = None,
        *,
        start: Start | None = None,
    ) -> Prediction:
        self.clicks += clicks
        return super().predict(image, clicks, store, start=start)


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    spy = Spy()

    def load(model: str, **options: object) -> Spy:
        spy.loaded = {"model": model, **options}
        return spy

    monkeypatch.setattr("edgeflow.cli.predict.load_predictor", load)
    return spy


@pytest.fixture(autouse=True)
def _an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def image_path(tmp_path: Path) -> str:
    path = tmp_path / "image.png"
    Image.fromarray(disk_image(60, 80)).save(path)
    return str(path)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def succeeds(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert not result.stderr
    return result.stdout


def fails(*arguments: object) -> str:
    """What stands on standard error, freed of the boxes and line breaks of usage errors."""
    result = run(*arguments)
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.stderr).split())


def read(path: str | Path) -> npt.NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image)


# predict, with the real model


@pytest.mark.slow
def test_a_mask_is_written_as_an_8_bit_grey_png_of_0_and_255() -> None:
    said = succeeds("predict", COINS, "--click", "108,185", "--output", "coin.png")
    with Image.open("coin.png") as image, Image.open(COINS) as photo:
        assert image.format == "PNG"
        assert image.mode == "L"
        assert image.size == photo.size
    mask = read("coin.png")
    assert set(np.unique(mask)) == {0, 255}
    assert mask[185, 108] == 255
    assert mask[40, 300] == 0
    assert f"coin.png: {(mask > 0).sum()} pixels" in said
    assert "1 network steps" in said
    assert "cpu float32" in said


@pytest.mark.slow
def test_the_quality_is_said_beside_the_runtime() -> None:
    said = succeeds("predict", COINS, "--click", "108,185", "--quality", "best")
    assert "1 network steps" in said
    assert "quality best" in said


@pytest.mark.slow
def test_a_negative_click_shrinks_the_mask() -> None:
    photo = PHOTOS / "astronaut.jpg"
    succeeds("predict", photo, "-c", "230,300", "-o", "one.png")
    one = read("one.png") > 0
    rows, cols = np.nonzero(one)
    far = int(np.argmax(np.hypot(rows - 300, cols - 230)))
    succeeds("predict", photo, "-c", "230,300", f"-c-{cols[far]},{rows[far]}", "-o", "two.png")
    two = read("two.png") > 0
    assert one[rows[far], cols[far]]
    assert not two[rows[far], cols[far]]


@pytest.mark.slow
def test_an_overlay_is_an_image_with_mask_and_clicks_on_it() -> None:
    succeeds("predict", COINS, "--click=108,185", "--overlay", "overlay.jpg")
    with Image.open("overlay.jpg") as overlay, Image.open(COINS) as photo:
        assert overlay.format == "JPEG"
        assert overlay.size == photo.size
        assert overlay.mode == "RGB"
    drawn = read("overlay.jpg").astype(int)
    assert drawn[185, 108, 1] > drawn[185, 108, 0] + 80  # the click's green dot
    assert Path("mask.png").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("zoom", POLICIES)
def test_every_zoom_policy_segments(zoom: str) -> None:
    succeeds("predict", COINS, "-c", "108,185", "-c", "112,182", "--zoom", zoom)
    assert read("mask.png")[185, 108] == 255


@pytest.mark.slow
def test_a_model_may_be_given_by_path() -> None:
    path = shipped_folder() / f"{DEFAULT_MODEL}.safetensors"
    succeeds("predict", COINS, "-c", "108,185", "--model", path)
    assert read("mask.png")[185, 108] == 255


# predict, and what it makes of its arguments


def test_the_mask_goes_to_mask_png_by_default(spy: Spy, image_path: str) -> None:
    succeeds("predict", image_path, "--click", "40,30")
    assert read("mask.png").shape == (60, 80)
    assert spy.clicks == [click(40, 30)]


def test_an_empty_mask_is_an_error_as_in_the_backend(spy: Spy, image_path: str) -> None:
    spy.runtime = FakeRuntime(mask=0.1)
    said = fails("predict", image_path, "--click", "40,30")
    assert "error: no object was found at these clicks" in said
    assert not Path("mask.png").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--click=-30,40"],
        ["--click", "-30,40"],
        ["-c", "-30,40"],
        ["-c-30,40"],
        ["--click", " -30,40 "],
    ],
)
def test_a_negative_click_is_written_with_a_leading_minus(
    spy: Spy, image_path: str, arguments: list[str]
) -> None:
    succeeds("predict", image_path, *arguments)
    assert spy.clicks == [negative(30, 40)]


def test_several_clicks_keep_their_order(spy: Spy, image_path: str) -> None:
    said = succeeds(
        "predict", image_path, "-c", "40,30", "--click=-1,2", "-c", "3.5,4.25", "-c", "-5,6"
    )
    assert spy.clicks == [click(40, 30), negative(1, 2), click(3.5, 4.25), negative(5, 6)]
    assert "4 network steps" in said


def test_options_reach_the_predictor(spy: Spy, image_path: str) -> None:
    succeeds(
        "predict", image_path, "-c", "4,3", "--model", "some", "--device", "cuda:1",
        "--zoom", "ritm", "--models-dir", "weights", "--runtime", "openvino", "--quality", "best",
    )  # fmt: skip
    assert spy.loaded == {
        "model": "some",
        "device": "cuda:1",
        "runtime": "openvino",
        "policy": POLICIES["ritm"],
        "folder": Path("weights"),
        "quality": QUALITIES["best"],
    }


def test_without_options_the_shipped_model_is_used_with_our_zoom(spy: Spy, image_path: str) -> None:
    succeeds("predict", image_path, "-c", "4,3")
    assert spy.loaded == {
        "model": DEFAULT_MODEL,
        "device": "auto",
        "runtime": "torch",
        "policy": ZoomPolicy(),
        "folder": None,
        "quality": QUALITIES["fast"],
    }


@pytest.mark.usefixtures("spy")
def test_a_raised_or_lowered_pixel_limit_is_used(image_path: str) -> None:
    succeeds("predict", image_path, "-c", "4,3", "--max-pixels", "4800")
    assert "the limit is 4799" in fails("predict", image_path, "-c", "4,3", "--max-pixels", "4799")


@given(
    st.floats(0, 1e5).map(lambda v: round(v, 3)),
    st.integers(0, 100_000),
    st.sampled_from(["", "+", "-"]),
)
def test_clicks_are_read_as_they_are_written(x: float, y: int, sign: str) -> None:
    assert parse_click(f"{sign}{x:.3f},{y}") == (click if sign != "-" else negative)(x, y)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "5,",
        ",5",
        "5,6,7",
        "5;6",
        "5 6",
        "5, 6",
        "a,b",
        "--5,6",
        "5,-6",
        "-5,-6",
        "1e3,5",
        "nan,1",
        "inf,1",
        "5.,6",
        ".5,6",
        "0x5,6",
        "5,6\n7",
        "- 5,6",
        "²,3",
    ],
)
def test_what_is_no_click_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is not a click") as caught:
        parse_click(text)
    assert "--click 120,80 --click=-30,40" in caught.value.message


def test_a_bad_click_is_a_usage_error(spy: Spy, image_path: str) -> None:
    said = fails("predict", image_path, "-c", "40,30", "-c", "left,top")
    assert "'left,top' is not a click" in said
    assert "--click=-30,40" in said
    assert not spy.clicks
    assert not Path("mask.png").exists()


def test_at_least_one_click_is_asked_for(image_path: str) -> None:
    assert "--click" in fails("predict", image_path)


def test_a_missing_image_is_named() -> None:
    said = fails("predict", "nowhere.jpg", "-c", "1,1")
    assert "nowhere.jpg" in said
    assert "does not exist" in said


def test_a_folder_is_no_image(tmp_path: Path) -> None:
    assert "is a directory" in fails("predict", tmp_path, "-c", "1,1")


def test_a_file_that_is_no_image_is_refused_with_the_formats(tmp_path: Path) -> None:
    page = tmp_path / "login.jpg"
    page.write_text("<!doctype html><title>Log in</title>")
    said = fails("predict", page, "-c", "1,1")
    assert said.startswith("error: not a readable image (it is an HTML page")
    assert "hint: supported formats" in said
    assert not Path("mask.png").exists()


def test_a_gigantic_image_is_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(png_header(60_000, 60_000))
    said = fails("predict", bomb, "-c", "1,1")
    assert "error: " in said
    assert "3600000000" in said
    assert "hint: resize the image" in said


@pytest.mark.usefixtures("spy")
def test_a_click_outside_the_image_is_refused_with_the_images_size(image_path: str) -> None:
    said = fails("predict", image_path, "-c", "40,30", "-c", "80,30")
    assert "error: click 2 at x=80, y=30 lies outside the image (80×60)" in said
    assert "hint: click inside the image" in said
    assert not Path("mask.png").exists()


def test_an_unknown_model_is_refused_with_the_known_ones(image_path: str) -> None:
    said = fails("predict", image_path, "-c", "4,3", "--model", "edgeflow_heavy")
    assert "error: no model named 'edgeflow_heavy'" in said
    assert "hint: known models: edgeflow_lite" in said


def test_weights_that_are_no_safetensors_are_refused(image_path: str, tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(b"\x80\x04.")
    said = fails("predict", image_path, "-c", "4,3", "--model", "weights.pth")
    assert "error: weights.pth is not a .safetensors file" in said
    assert "hint: " in said


@pytest.mark.parametrize("device", ["abacus", "cuda:99", "meta"])
def test_a_device_that_is_not_there_is_refused(image_path: str, device: str) -> None:
    said = fails("predict", image_path, "-c", "4,3", "--device", device)
    assert f"device '{device}'" in said
    assert "hint: use" in said


def test_an_unknown_zoom_policy_is_refused_with_the_known_ones(image_path: str) -> None:
    said = fails("predict", image_path, "-c", "4,3", "--zoom", "fish-eye")
    assert "'fish-eye' is not a zoom policy; choose one of edgeflow, ritm, eiseg" in said


@pytest.mark.usefixtures("spy")
def test_a_place_that_cannot_be_written_to_is_named(image_path: str) -> None:
    said = fails("predict", image_path, "-c", "4,3", "-o", "no/such/folder/mask.png")
    assert "error: cannot write the result" in said
    assert "no/such/folder" in said


@pytest.mark.usefixtures("spy")
def test_an_overlay_of_an_unknown_file_type_is_refused(image_path: str) -> None:
    said = fails("predict", image_path, "-c", "4,3", "--overlay", "overlay.docx")
    assert "error: cannot write the result" in said
    assert ".docx" in said


# The other commands


def test_the_version_is_printed() -> None:
    assert succeeds("--version") == f"edgeflow {__version__}\n"


def test_without_a_command_the_help_is_shown() -> None:
    result = run()
    assert "predict" in result.output
    assert "models" in result.output


def test_the_help_explains_negative_clicks() -> None:
    said = " ".join(re.sub(r"[│╭╮╰╯─]", " ", succeeds("predict", "--help")).split())
    assert "negative click" in said


def test_the_shipped_models_are_listed_with_use_and_licence() -> None:
    said = succeeds("models")
    for checkpoint in shipped_models():
        assert checkpoint.version in said
        assert str(checkpoint.path) in said
        assert checkpoint.entry.licence in said
        assert checkpoint.entry.use in said
    assert "NoC@90 1.7" in said
    assert "MISSING" not in said


def test_models_that_can_be_downloaded_are_listed_as_not_present() -> None:
    said = succeeds("models")
    assert len(PUBLISHED) > 0
    for published in PUBLISHED.values():
        assert f"{published.name}  (not present)" in said
        assert published.url in said


def test_models_of_another_folder_are_listed_even_if_their_file_is_gone(tmp_path: Path) -> None:
    write_manifest(tmp_path, mine=manifest_entry("gone.safetensors", "ab" * 32))
    said = succeeds("models", "--models-dir", tmp_path)
    assert "mine  (MISSING, mine-abababab)" in said
    assert "edgeflow_lite" in said


def test_a_broken_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    said = fails("models", "--models-dir", tmp_path)
    assert f"error: {tmp_path / 'manifest.json'} is not a valid manifest" in said
    assert "hint: " in said


def test_an_unknown_download_is_refused_with_the_known_ones() -> None:
    said = fails("download", "everything")
    assert "error: no downloadable model 'everything'" in said
    assert all(name in said for name in PUBLISHED)


def test_what_is_no_weights_file_is_not_converted(tmp_path: Path) -> None:
    (tmp_path / "notes.pdparams").write_text("just some text")
    said = fails("convert", "notes.pdparams", "w.safetensors")
    assert "error: " in said
    assert "hint: " in said
    assert not Path("w.safetensors").exists()
