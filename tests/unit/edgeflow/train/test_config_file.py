from __future__ import annotations

from pathlib import Path

import pytest

from edgeflow.train.config_file import read_config
from edgeflow.train.errors import TrainingError

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
        (SMALLEST + "[views]\nside = []\n", "side"),
        (SMALLEST + "[views]\nside = [416, 16]\n", "side"),
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


IN_DATA = SMALLEST.replace(
    'path = "images"', 'path = "$EDGEFLOW_DATA/train", images = "$EDGEFLOW_DATA/train/images"'
)


def test_sources_may_lie_in_the_data_folder_and_only_those_that_say_so(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "train" / "images").mkdir(parents=True)
    source = read_config(write(tmp_path, IN_DATA), data).data.sources[0]
    assert (source.path, source.images) == (data / "train", data / "train" / "images")
    assert read_config(write(tmp_path, SMALLEST), data).data.sources[0].path == tmp_path / "images"


@pytest.mark.parametrize(
    ("folder", "fault"),
    [(None, "no data folder is given"), ("empty", "empty/train does not exist")],
)
def test_a_data_folder_without_the_source_is_named_with_how_to_set_it(
    tmp_path: Path, folder: str | None, fault: str
) -> None:
    data = None if folder is None else tmp_path / folder
    with pytest.raises(TrainingError, match=fault) as caught:
        read_config(write(tmp_path, IN_DATA), data)
    assert "--data" in caught.value.hint
    assert "EDGEFLOW_DATA" in caught.value.hint
