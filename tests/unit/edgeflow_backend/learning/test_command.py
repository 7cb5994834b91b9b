from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from edgeflow_backend.cli import app
from tests.unit.edgeflow_backend.examples.studio import TOKEN, Studio, sheet
from tests.unit.edgeflow_backend.learning.learning import clicked
from tests.unit.edgeflow_backend.loopback import Host


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, host: Host, tmp_path: Path) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", host.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", TOKEN)
    monkeypatch.setenv("EDGEFLOW_LEARN_PROJECTS", "5")
    monkeypatch.setenv("EDGEFLOW_LEARN_DIR", str(tmp_path / "learning"))


def learn(*words: str) -> Result:
    return CliRunner().invoke(app, ["learn", *words])


def test_a_project_is_read_shown_and_forgotten(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert learn("status").stdout == "project 5: nothing is kept yet\n"
    studio.add(sheet(), clicked(0, clicks=3), clicked(1, "other", clicks=1))
    done = learn("read", "--project", "5")
    assert (done.exit_code, "1 task read" in done.stdout) == (0, True)
    shown = learn("status").stdout
    assert "2 objects of 1 task" in shown
    assert "  all labels: 2 objects with clicks on record, 2.00 clicks each" in shown
    assert "  disk: 1 object with clicks on record, 3.00 clicks each" in shown
    assert studio.host.url in shown
    assert TOKEN not in shown
    monkeypatch.setenv("EDGEFLOW_LEARN_PROJECTS", "")
    assert "not read any more" in learn("status").stdout
    assert learn("forget", "--project", "5").stdout == ("project 5: all that was kept is erased\n")
    assert list((tmp_path / "learning").rglob("*")) == []
    assert "nothing is kept" in learn("status").stdout
    assert learn("forget", "--project", "5").stdout == "project 5: nothing was kept\n"


@pytest.mark.usefixtures("studio")
def test_forgetting_a_project_that_is_still_switched_on_says_what_comes_of_it() -> None:
    learn("read", "--project", "5")
    assert "take it out of EDGEFLOW_LEARN_PROJECTS" in learn("forget", "--project", "5").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("read", "--project", "6"), "add it to EDGEFLOW_LEARN_PROJECTS"),
        (("forget", "--project", "5", "--host", "b"), "EDGEFLOW_LABEL_STUDIO_HOSTS"),
    ],
)
def test_what_cannot_be_done_is_told_with_the_way_out(words: tuple[str, ...], said: str) -> None:
    done = learn(*words)
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert "Traceback" not in done.output
