from __future__ import annotations

import pytest

from edgeflow.data.base import DatasetError
from edgeflow.export.classes import Classes
from edgeflow.export.formats.class_numbers import class_numbers
from tests.unit.edgeflow.export.formats.scene import image, masks


def test_numbers_begin_at_the_background() -> None:
    objects = image(*masks().values(), labels=("b", None, "a", "b", "b")).objects
    classes = Classes(("a", "b"), unlabelled=True)
    assert class_numbers(objects, classes, 3).tolist() == [0, 2, 3, 1, 2, 2]
    assert class_numbers((), classes, 3).tolist() == [0]


def test_a_class_without_a_number_is_refused_by_its_name() -> None:
    (one,) = image(masks()["dot"], label="c2").objects
    classes = Classes(tuple(f"c{number}" for number in range(9)))
    assert class_numbers((one,), classes, 3).tolist() == [0, 3]
    with pytest.raises(DatasetError, match="'c2' is class 3, and the format has 2"):
        class_numbers((one,), classes, 2)
