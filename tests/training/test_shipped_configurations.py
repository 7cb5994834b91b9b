from __future__ import annotations

from pathlib import Path

import pytest

from edgeflow.train.config import read_config

FOLDER = Path(__file__).parents[2] / "training"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.name)
def test_they_can_be_read_and_are_in_the_docs(path: Path) -> None:
    config = read_config(path)
    assert config.output.folder.parent.name == "runs"
    assert path.name in (FOLDER.parent / "docs" / "training.md").read_text(encoding="utf-8")


def test_exclude_files_are_there() -> None:
    for path in FOLDER.glob("*.toml"):
        for source in read_config(path).data.sources:
            assert source.exclude is None or source.exclude.is_file()
