"""The benchmarks and training images, which are not part of the repository."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import pytest

REASON = "set EDGEFLOW_DATA to the folder with benchmarks/ and train/ (docs/evaluation.md)"

Test = TypeVar("Test", bound=Callable[..., None])


def find_data(environment: Mapping[str, str]) -> Path | None:
    """The data folder, or None without one.

    Raises:
        RuntimeError: there is none, and EDGEFLOW_REQUIRE_DATA is 1, as in CI.
    """
    name = environment.get("EDGEFLOW_DATA")
    folder = Path(name).resolve() if name else None
    if folder is not None and all((folder / part).is_dir() for part in ("benchmarks", "train")):
        return folder
    if environment.get("EDGEFLOW_REQUIRE_DATA") == "1":
        raise RuntimeError(f"EDGEFLOW_DATA is {name!r}: {REASON}")
    return None


_FOUND = find_data(os.environ)
DATA = _FOUND or Path("the folder that EDGEFLOW_DATA names")


def needs_data(test: Test) -> Test:
    """Mark a test that reads the data folder; it is skipped without one."""
    for mark in (pytest.mark.data, pytest.mark.skipif(_FOUND is None, reason=REASON)):
        test = mark(test)
    return test
