from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgeflow.cli import app


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "train.toml"
    path.write_text(
        """
        [data]
        sources = [{ path = "$EDGEFLOW_DATA/train" }]
        [output]
        folder = "run"
        name = "mine"
        """
    )
    return path


def fails(config: Path, *options: str | Path, data: str | None = None) -> str:
    arguments = ["train", str(config), *map(str, options)]
    result = CliRunner().invoke(app, arguments, env={"EDGEFLOW_DATA": data})
    assert result.exit_code == 1, result.output
    return result.stderr


def test_without_a_data_folder_the_error_says_how_to_name_it(config: Path) -> None:
    said = fails(config)
    assert "error: " in said
    assert "no data folder is given" in said
    assert "--data FOLDER or EDGEFLOW_DATA" in said


def test_the_data_folder_is_an_option_or_from_the_environment(config: Path, tmp_path: Path) -> None:
    assert "/from/env/train does not exist" in fails(config, data="/from/env")
    option = tmp_path / "from-option"
    assert f"{option}/train does not exist" in fails(config, "--data", option, data="/from/env")


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        ('[model]\ninitial = [{ file = "none.safetensors" }]', "none.safetensors do not exist"),
        ('[teacher]\nmodel = "nobody"', "nobody"),
    ],
)
def test_a_model_that_is_missing_is_said_before_images_are_read(
    config: Path, tmp_path: Path, model: str, fault: str
) -> None:
    (tmp_path / "train").mkdir()  # without an image, which would be an error, too
    config.write_text(f"{config.read_text()}\n{model}\n")
    assert fault in fails(config, "--data", tmp_path)


def test_images_from_an_earlier_run_are_no_obstacle(config: Path, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "cache").mkdir()
    config.write_text(config.read_text().replace("[data]", '[data]\ncache = "cache"'))
    said = fails(config, "--data", tmp_path)
    assert "cache" not in said
    assert f"{tmp_path / 'train'}" in said  # which has no image
