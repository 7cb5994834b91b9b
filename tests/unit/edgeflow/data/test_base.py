from __future__ import annotations

import numpy as np
import pytest

from edgeflow.data.base import Sample, set_of

RGB = np.zeros((2, 2, 3), dtype=np.uint8)
MASK = np.ones((2, 2), dtype=np.bool_)


def test_objects_without_labels_are_labelled_none() -> None:
    assert Sample("a", RGB, (MASK, MASK)).labels == (None, None)
    assert Sample("a", RGB, ()).labels == ()


def test_labels_are_parallel_to_the_objects() -> None:
    assert Sample("a", RGB, (MASK, MASK), labels=("cat", None)).labels == ("cat", None)
    for objects in ((), (MASK,), (MASK, MASK, MASK)):
        with pytest.raises(ValueError, match=f"a: 2 labels for {len(objects)} objects"):
            Sample("a", RGB, objects, labels=("cat", "dog"))


def test_the_set_is_what_is_before_the_last_slash() -> None:
    assert [set_of(name) for name in ("a/b", "a/b/c", "c")] == ["a", "a/b", ""]
