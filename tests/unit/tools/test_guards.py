"""The table of guards is true to the code, and the tool that takes them out notices who sees it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import pytest

from tools.guards.guard import Guard, Threat, problems
from tools.guards.page import threat_table
from tools.guards.removal import copy_code, passing, without
from tools.guards.table import THREATS

ROOT = Path(__file__).parents[3]
GUARDS = [guard for threat in THREATS for guard in threat.guards]

HALVES = Guard(
    "odd numbers are refused",
    "halves/even.py",
    "if number % 2:",
    "if False:",
    ("tests/test_even.py::test_odd_numbers_are_refused",),
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A tiny project with one guard, one test that sees it, and one that does not."""
    files = {
        "halves/__init__.py": "",
        "halves/even.py": "def half(number):\n    if number % 2:\n        raise ValueError\n"
        "    return number // 2\n",
        "tests/test_even.py": "import pytest\nfrom halves.even import half\n\n"
        "@pytest.mark.parametrize('number', [1, 3])\n"
        "def test_odd_numbers_are_refused(number):\n"
        "    with pytest.raises(ValueError):\n        half(number)\n\n"
        "def test_four():\n    assert half(4) == 2\n",
    }
    for name, text in files.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "project"


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: f"{guard.module}: {guard.does}")
def test_a_row_is_true_to_the_code(guard: Guard) -> None:
    assert list(problems(guard, ROOT)) == []


def test_no_guard_stands_there_twice() -> None:
    assert len(GUARDS) > 70
    assert Counter((guard.module, guard.code) for guard in GUARDS).most_common(1)[0][1] == 1
    assert Counter(guard.does for guard in GUARDS).most_common(1)[0][1] == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"module": "halves/odd.py"}, "there is no halves/odd.py"),
        ({"code": "if number % 3:"}, "0 times"),
        ({"code": "number"}, "times"),
        ({"without": "if:"}, "is not Python"),
        ({"tests": ()}, "no test notices"),
        ({"tests": ("tests/test_odd.py::test_four",)}, "there is no tests/test_odd.py"),
        ({"tests": ("tests/test_even.py::test_five",)}, "test_five"),
    ],
)
def test_a_row_that_is_not_true_is_told(
    project: Path, changes: dict[str, object], said: str
) -> None:
    assert list(problems(HALVES, project)) == []
    wrong = dataclasses.replace(HALVES, **changes)  # type: ignore[arg-type]
    assert said in " ".join(problems(wrong, project))


def test_a_test_that_does_not_see_the_guard_go_is_found(project: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy_code(project, copy)
    seeing, blind = HALVES.tests[0], "tests/test_even.py::test_four"
    before = (copy / HALVES.module).read_text()
    with without(HALVES, copy):
        assert passing([seeing, blind], copy) == [blind]
    assert (copy / HALVES.module).read_text() == before
    assert "if False" not in (project / HALVES.module).read_text()


def test_a_test_that_runs_for_ever_counts_as_failing(project: Path) -> None:
    assert passing([*HALVES.tests], project, timeout_s=0.01) == []


def test_the_page_has_a_row_for_each_guard() -> None:
    text = threat_table((Threat("Odd numbers", (HALVES,)),))
    assert text.startswith("### Odd numbers\n\n| guard |")
    row = f"| odd numbers are refused | `halves/even.py` | `{HALVES.tests[0]}` |"
    assert text.endswith(row)
