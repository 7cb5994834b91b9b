from __future__ import annotations

from pathlib import Path

import pytest

from tests.data_folder import find_data


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for part in ("benchmarks", "train"):
        (tmp_path / "data" / part).mkdir(parents=True)
    return tmp_path / "data"


def test_the_environment_names_the_data_folder(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_data({"EDGEFLOW_DATA": str(data)}) == data
    monkeypatch.chdir(data.parent)
    assert find_data({"EDGEFLOW_DATA": "data", "EDGEFLOW_REQUIRE_DATA": "1"}) == data


def test_a_folder_without_both_parts_is_not_used(data: Path) -> None:
    assert find_data({}) is None
    assert find_data({"EDGEFLOW_DATA": str(data.parent)}) is None
    (data / "train").rmdir()
    assert find_data({"EDGEFLOW_DATA": str(data)}) is None


@pytest.mark.parametrize("variables", [{}, {"EDGEFLOW_DATA": "/nowhere"}])
def test_where_data_are_required_their_absence_is_an_error(variables: dict[str, str]) -> None:
    with pytest.raises(RuntimeError, match="set EDGEFLOW_DATA to the folder"):
        find_data({**variables, "EDGEFLOW_REQUIRE_DATA": "1"})
