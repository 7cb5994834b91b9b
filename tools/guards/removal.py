"""Runs a guard's tests in a copy of the code that lacks the guard."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tools.guards.guard import Guard

TIMEOUT_S = 300
"""Without some guards, tests would run for ever; that counts as failing."""

_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "artifacts", "site", "docs")


@contextmanager
def without(guard: Guard, copy: Path) -> Iterator[None]:
    """The copy lacks the guard inside the ``with``."""
    path = copy / guard.module
    before = path.read_bytes()
    guard.remove(copy)
    try:
        yield
    finally:
        path.write_bytes(before)


def copy_code(root: Path, copy: Path) -> None:
    """Copy the code, its tests, and the weights they need."""
    shutil.copytree(root, copy, ignore=_LEFT_OUT)


def passing(tests: Sequence[str], copy: Path, timeout_s: float = TIMEOUT_S) -> list[str]:
    """Those of some tests that pass in a copy with all their parameters; none if they are late."""
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider"]
    paths = os.pathsep.join(filter(None, [str(copy), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [*command, *tests],
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return []
    if done.returncode not in (0, 1):  # for example, a test that is not there
        raise RuntimeError(done.stdout + done.stderr)
    lines = done.stdout.splitlines()
    failed = [line.split()[1] for line in lines if line.startswith(("FAILED ", "ERROR "))]
    return [test for test in tests if not any(_is(each, test) for each in failed)]


def _is(failed: str, test: str) -> bool:
    return failed == test or failed.startswith(f"{test}[")
