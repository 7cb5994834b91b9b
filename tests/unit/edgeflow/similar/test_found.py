from __future__ import annotations

import pytest

from edgeflow.similar.found import SimilarOptions


@pytest.mark.parametrize(
    ("options", "most"),
    [
        (SimilarOptions(), 120),
        (SimilarOptions(limit=300), 600),
        (SimilarOptions(limit=300, steps=7), 7),
    ],
)
def test_a_search_for_more_objects_may_take_more_steps(options: SimilarOptions, most: int) -> None:
    assert options.most_steps == most
