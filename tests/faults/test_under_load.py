"""One fault after the other while people click: all is right or honest, and right again after."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.faults.annotators import AT_ANY_TIME, Tally
from tests.faults.backends import until
from tests.faults.injectors import FAULTS
from tests.faults.oracle import RIGHT
from tests.faults.world import World

PEOPLE = 5
UNFELT_S = 0.6
"""How long a fault goes on that nobody notices."""

RECOVERY_S = 40.0


@pytest.mark.parametrize("name", FAULTS)
def test_answers_are_right_or_honest_and_right_again_afterwards(spoiled: World, name: str) -> None:
    fault, tally = FAULTS[name], Tally()
    with spoiled.team(PEOPLE, tally) as team:
        until(lambda: team.everybody_since(0), RECOVERY_S)
        with fault.inject(spoiled):
            if fault.felt:
                until(lambda: fault.felt in tally.outcomes, RECOVERY_S)
            else:
                time.sleep(UNFELT_S)
        over = time.monotonic()
        until(lambda: team.everybody_since(over), RECOVERY_S)
    assert tally.wrong == []
    assert tally.outcomes <= {RIGHT, fault.felt} | AT_ANY_TIME | fault.codes


def test_the_page_of_faults_has_each_of_them() -> None:
    page = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")
    rows = page.partition("## While people click")[2].partition("\n## ")[0]
    named = set()
    for cell in re.findall(r"^\| (`.*?`) \|", rows, re.MULTILINE):
        first, *others = re.findall(r"`([^`]+)`", cell)
        host = first.partition("-")[0]
        named |= {first, *(f"{host}{each}" if each[0] == "-" else each for each in others)}
    assert named == FAULTS.keys()
