"""What ``edgeflow predict`` writes, and what it refuses to write over."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from edgeflow.checkpoints.convert.convert import convert
from edgeflow.cli import app
from edgeflow.errors import FileWriteError
from edgeflow.files import check_outputs
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.zoom import ZoomPolicy
from tests.unit.edgeflow.checkpoints.convert.foreign import pdparams
from tests.unit.edgeflow.samples import FakeRuntime, disk_image


@pytest.fixture(autouse=True)
def loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that were loaded; the working folder holds ``a.png`` and links to it."""
    monkeypatch.chdir(tmp_path)
    loaded: list[str] = []

    def load(model: str, **_: object) -> Predictor:
        loaded.append(model)
        return Predictor(FakeRuntime(mask=0.9), version="v", policy=ZoomPolicy(long_side=32))

    monkeypatch.setattr("edgeflow.cli.predict.load_predictor", load)
    Image.fromarray(disk_image(60, 80)).save("a.png")
    Path("sub").mkdir()
    Path("link.png").symlink_to("a.png")
    Path("folder").symlink_to(".")
    os.link("a.png", "hard.png")
    return loaded


def predict(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["predict", "a.png", "-c", "40,30", *map(str, arguments)])


@pytest.mark.parametrize(
    "arguments",
    [
        ["-o", "a.png"],
        ["-o", "./a.png"],
        ["-o", "sub/../a.png"],
        ["-o", "link.png"],
        ["-o", "hard.png"],
        ["-o", "folder/a.png"],
        ["--overlay", "a.png"],
        ["-o", "m.png", "--overlay", "m.png"],
        ["-o", "m.png", "--overlay", "sub/../m.png"],
        ["-o", "m.png", "--overlay", "folder/m.png"],
        ["-o", "m"],
        ["-o", "-"],
        ["-o", "m.jpg"],
        ["-o", "m.docx"],
        ["-o", "sub"],
        ["-o", "none/m.png"],
        ["-o", "m.png", "--overlay", "o.docx"],
        ["-o", "m.png", "--overlay", "none/o.png"],
    ],
    ids=" ".join,
)
def test_what_must_not_be_written_is_refused_before_the_model_loads(
    arguments: list[str], loads: list[str]
) -> None:
    before = {path: path.read_bytes() for path in Path().glob("*") if path.is_file()}
    result = predict(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert "hint: " in result.stderr
    assert not loads
    assert {path: path.read_bytes() for path in Path().glob("*") if path.is_file()} == before


def test_the_absolute_path_of_the_image_is_refused_too() -> None:
    assert predict("-o", Path("a.png").absolute()).exit_code == 1


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("m.png", "PNG"),
        ("M.PNG", "PNG"),
        ("m.tif", "TIFF"),
        ("m.TIFF", "TIFF"),
        ("m.bmp", "BMP"),
        ("m.webp", "WEBP"),
        ("m\u00e4sk \u732b #1 50%.png", "PNG"),
        ("e\u0301.png", "PNG"),
        ("-dash.png", "PNG"),
        ("new\nline.png", "PNG"),
        ("\U0001f600.png", "PNG"),
        ("x" * 251 + ".png", "PNG"),
        (os.fsdecode(b"\xff\xfe.png"), "PNG"),
    ],
)
def test_the_ending_decides_the_format_and_the_mask_is_exact(name: str, kind: str) -> None:
    Path(name).write_bytes(b"an older file is replaced")
    result = predict(f"--output={name}")
    assert result.exit_code == 0, result.output
    with Image.open(name) as image:
        assert image.format == kind
        assert np.array_equal(np.asarray(image.convert("L")), np.full((60, 80), 255))


@pytest.mark.parametrize("name", ["o.jpg", "o.JPEG", "o.png", "o.webp"])
def test_an_overlay_may_also_be_a_jpeg(name: str) -> None:
    assert predict("--overlay", name).exit_code == 0
    with Image.open(name) as image:
        assert image.size == (80, 60)
        assert (image.format == "JPEG") == (".j" in name.lower())


def test_a_device_is_written_to_and_stays_one() -> None:
    assert predict("-o", "/dev/null").exit_code == 0
    assert not Path("/dev/null").is_file()


def test_names_that_differ_are_two_files_unless_the_file_system_says_otherwise() -> None:
    Path("Probe").touch()
    outputs = {"mask": Path("m.png"), "overlay": Path("M.png")}
    if Path("probe").exists():
        with pytest.raises(FileWriteError, match="same file"):
            check_outputs(outputs, [])
    else:
        check_outputs(outputs, [])


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["mod\u00e8le 1", "mode\u0300le", "\u732b", "a#b%c", "-dash", "x" * 243, "W", "\U0001f600"],
)
def test_a_model_may_have_any_unicode_name(name: str, tmp_path: Path) -> None:
    checkpoint = convert(pdparams(), tmp_path / f"{name}.safetensors")
    result = CliRunner().invoke(app, ["models", "--models-dir", str(tmp_path)])
    assert result.exit_code == 0
    assert checkpoint.version in result.output


def test_a_conversion_does_not_replace_its_source(tmp_path: Path) -> None:
    source = tmp_path / "w.safetensors"
    source.write_bytes(pdparams().read_bytes())
    result = CliRunner().invoke(app, ["convert", str(source), str(source)])
    assert result.exit_code == 1
    assert "would replace" in result.output
    assert source.read_bytes() == pdparams().read_bytes()


@pytest.mark.parametrize("name", ["a\nb", "~a", "a:b", os.fsdecode(b"\xff")])
def test_a_name_that_no_manifest_can_hold_is_refused(name: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["convert", str(pdparams()), f"{tmp_path}/{name}.safetensors"])
    assert result.exit_code == 1
    assert "cannot be a model's file name" in result.output
