from __future__ import annotations

from typing import Any

import pytest

from edgeflow.label_studio.object_ids import object_of, piece_id


def region(own: Any, whole: Any) -> dict[str, Any]:
    return {"id": own, "meta": {"edgeflow": {"object": whole}}}


@pytest.mark.parametrize("number", [1, 2, 30])
def test_pieces_are_of_their_object(number: int) -> None:
    assert object_of(region(piece_id("ef.1", number), "ef.1")) == "ef.1"


@pytest.mark.parametrize(
    "other",
    [
        region("a-copy", "ef1"),
        region("ef1-", "ef1"),
        region("ef1-2-3", "ef1"),
        region("efx1", "ef.1"),
        region(7, "ef1"),
        region("ef1", 7),
        {"id": "ef1", "meta": {"edgeflow": "ef1"}},
        {"id": "ef1", "meta": ["edgeflow"]},
        {"id": "ef1"},
        {},
    ],
    ids=str,
)
def test_all_others_stand_alone(other: dict[str, Any]) -> None:
    assert object_of(other) is None
