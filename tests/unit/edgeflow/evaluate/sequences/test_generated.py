from __future__ import annotations

import numpy as np
import pytest

from edgeflow.evaluate.sequences.generated import KINDS, LEAST_AREA, SIZE, generated


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_shows_one_object_that_changes_on_every_page(kind: str) -> None:
    (made,) = generated((kind,), 1, pages=4)
    assert made.name == f"{kind}/000"
    assert len(made) == 4
    for page in made.pages:
        assert page.rgb.shape == (*SIZE, 3)
        assert page.rgb.dtype == np.uint8
        assert np.count_nonzero(page.truth) >= LEAST_AREA
    assert (made[0].truth != made[3].truth).any()


def test_a_sequence_follows_from_its_kind_and_number() -> None:
    one, other = (list(generated(("shapes",), 2, pages=2)) for _ in range(2))
    assert all(
        (a.rgb == b.rgb).all() and (a.truth == b.truth).all()
        for made, again in zip(one, other, strict=True)
        for a, b in zip(made.pages, again.pages, strict=True)
    )
    assert (one[0][0].rgb != one[1][0].rgb).any()
