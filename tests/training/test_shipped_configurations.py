from __future__ import annotations

from pathlib import Path

import pytest

from edgeflow.train.config_file import read_config
from edgeflow.train.simulate import samples_of_rounds

FOLDER = Path(__file__).parents[2] / "training"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "train").mkdir()
    return tmp_path


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.name)
def test_they_can_be_read_and_are_in_the_docs(path: Path, data: Path) -> None:
    config = read_config(path, data)
    assert config.output.folder.parent.name == "runs"
    assert path.name in (FOLDER.parent / "docs" / "training.md").read_text(encoding="utf-8")


def test_exclude_files_are_there(data: Path) -> None:
    for path in FOLDER.glob("*.toml"):
        for source in read_config(path, data).data.sources:
            assert source.exclude is None or source.exclude.is_file()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.name)
def test_nothing_outside_the_repository_is_needed_without_saying_so(path: Path) -> None:
    assert '"..' not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("start", [0.0, 0.999])
def test_rounds_of_the_leg_of_corrections_have_one_size_for_a_gpu_to_plan(
    data: Path, start: float
) -> None:
    config = read_config(FOLDER / "corrections.toml", data)
    at_once = config.clicks.at_once
    assert at_once is not None
    sizes = samples_of_rounds(config.schedule.batch, config.clicks.rounds, start)
    assert len(sizes) == 6
    assert [size % at_once for size in sizes] == [0] * 6
