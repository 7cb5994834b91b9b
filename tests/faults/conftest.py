from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.world import World, world


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/faults" in item.path.as_posix():
            item.add_marker(pytest.mark.faults)


@pytest.fixture(scope="module")
def spoiled() -> Iterator[World]:
    """A world that a module's tests spoil and mend."""
    with world() as made:
        yield made
