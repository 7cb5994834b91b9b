"""One fault after the other while people click: all is right or honest, and right again after."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.enduring import endure
from tests.faults.injectors import FAULTS
from tests.faults.world import World


@pytest.mark.parametrize("name", FAULTS)
def test_answers_are_right_or_honest_and_right_again_afterwards(spoiled: World, name: str) -> None:
    endure(spoiled, FAULTS[name])


def test_the_page_of_faults_has_each_of_them() -> None:
    page = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")
    rows = page.partition("## While people click")[2].partition("\n## ")[0]
    named = set()
    for cell in re.findall(r"^\| (`.*?`) \|", rows, re.MULTILINE):
        first, *others = re.findall(r"`([^`]+)`", cell)
        host = first.partition("-")[0]
        named |= {first, *(f"{host}{each}" if each[0] == "-" else each for each in others)}
    assert named == FAULTS.keys()
