from __future__ import annotations

from pathlib import Path

import pytest

from edgeflow.train.config import Config, TrainingError, read_config

SMALLEST = """
[data]
sources = [{ path = "images" }]
[output]
folder = "run"
name = "mine"
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "train.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_few_lines_are_enough_and_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, SMALLEST))
    assert config.data.sources[0].path == tmp_path / "images"
    assert config.output.folder == tmp_path / "run"
    assert config.model.architecture == "edgeflow_lite"
    assert config.losses.aux == 0.4


def test_absolute_paths_stay_as_they_are(tmp_path: Path) -> None:
    text = SMALLEST + '[model]\ninitial = [{ file = "/weights/x.pth", into = "backbone" }]\n'
    assert read_config(write(tmp_path, text)).model.initial[0].file == Path("/weights/x.pth")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "data"),
        ("[data", "train.toml"),
        (SMALLEST + "[optimiser]\nrat = 1\n", "rat"),
        (SMALLEST + "[optimiser]\nrate = -1\n", "rate"),
        (SMALLEST + "[losses]\nedge_width = 4\n", "edge_width must be odd"),
        (SMALLEST + "[schedule]\nprecision = 'fp8'\n", "precision"),
        (SMALLEST.replace("mine", "../mine"), "name"),
        (SMALLEST.replace('[{ path = "images" }]', "[]"), "sources"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(TrainingError, match=named) as caught:
        read_config(write(tmp_path, text))
    assert "training.md" in caught.value.hint


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot read"):
        read_config(tmp_path / "none.toml")


def test_a_run_may_be_made_longer_but_not_otherwise_changed(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, SMALLEST))

    def changed(section: str, **values: object) -> Config:
        part = getattr(config, section).model_copy(update=values)
        return config.model_copy(update={section: part})

    assert changed("schedule", steps=5, minutes=1.0, log_every=1).digest == config.digest
    assert changed("output", folder=Path("/elsewhere")).digest == config.digest
    assert changed("schedule", batch=5).digest != config.digest
    assert changed("optimiser", rate=1.0).digest != config.digest
