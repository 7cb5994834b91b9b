"""``python -m tools.guards [WORD …]``: take guards out, one after the other, and see tests fail.

With words, only the guards in whose row one of them stands.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tools.guards.removal import copy_code, passing, without
from tools.guards.table import THREATS

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Print a line for each guard; exit with 1 if a test passes without it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*")
    words = parser.parse_args().words
    chosen = [
        guard
        for threat in THREATS
        for guard in threat.guards
        if not words or any(word in f"{threat.name} {guard}" for word in words)
    ]
    unnoticed = 0
    with tempfile.TemporaryDirectory(prefix="edgeflow-guards-") as folder:
        copy = Path(folder) / "code"
        copy_code(ROOT, copy)
        tests = list(dict.fromkeys(test for guard in chosen for test in guard.tests))
        if failing := set(tests) - set(passing(tests, copy)):
            sys.exit("fail as the code is: " + ", ".join(sorted(failing)))
        for guard in chosen:
            with without(guard, copy):
                blind = passing(guard.tests, copy)
            unnoticed += bool(blind)
            sys.stdout.write(f"{'UNSEEN' if blind else 'noticed'}  {guard.module}: {guard.does}\n")
            sys.stdout.writelines(f"         passes without it: {test}\n" for test in blind)
            sys.stdout.flush()
    seen = len(chosen) - unnoticed
    sys.stdout.write(f"{seen} of {len(chosen)} guards are noticed when they are gone\n")
    sys.exit(1 if unnoticed else 0)


if __name__ == "__main__":
    main()
