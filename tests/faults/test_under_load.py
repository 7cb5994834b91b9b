"""One fault after the other while people click: all is right or honest, and right again after."""

from __future__ import annotations

import time

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
