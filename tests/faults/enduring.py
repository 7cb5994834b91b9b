"""People click while a fault comes and goes, and every answer is judged."""

from __future__ import annotations

import time

from tests.faults.annotators import AT_ANY_TIME, Tally
from tests.faults.backends import until
from tests.faults.injectors import Fault
from tests.faults.oracle import RIGHT
from tests.faults.world import World

PEOPLE = 5
UNFELT_S = 0.6
"""How long a fault goes on that nobody notices."""

RECOVERY_S = 60.0


def endure(world: World, fault: Fault) -> None:
    """Assert that all is right or honest during a fault, and that all is right again afterwards."""
    tally = Tally()
    with world.team(PEOPLE, tally) as team:
        until(lambda: team.everybody_since(0), RECOVERY_S)
        with fault.inject(world):
            if fault.felt:
                until(lambda: fault.felt in tally.outcomes, RECOVERY_S)
            else:
                time.sleep(UNFELT_S)
        over = time.monotonic()
        until(lambda: team.everybody_since(over), RECOVERY_S)
    assert not tally.wrong, "\n".join(tally.wrong)
    assert tally.outcomes <= {RIGHT, fault.felt} | AT_ANY_TIME | fault.codes
