from __future__ import annotations

import numpy as np
import pytest

from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.similar.numbered import number_map

SIZE = Size(2, 300)


def pixels(first: int, last: int) -> MaskPatch:
    mask = np.zeros(SIZE, dtype=np.bool_)
    mask[0, first:last] = True
    return MaskPatch.of(mask)


def test_objects_are_numbered_and_the_first_stays_on_top() -> None:
    numbers = number_map([pixels(0, 3), pixels(2, 5), pixels(4, 4), pixels(4, 7)], SIZE)
    assert numbers.dtype == np.uint8
    assert numbers[0, :8].tolist() == [1, 1, 1, 2, 2, 4, 4, 0]
    assert not numbers[1].any()
    assert not number_map([], SIZE).any()


@pytest.mark.parametrize(("count", "kind"), [(254, np.uint8), (255, np.uint16)])
def test_a_byte_holds_no_number_that_readers_take_for_ignored(count: int, kind: type) -> None:
    numbers = number_map([pixels(each, each + 1) for each in range(count)], SIZE)
    assert numbers.dtype == kind
    assert numbers.max() == count


def test_more_than_can_be_counted_is_refused() -> None:
    with pytest.raises(ValueError, match="65536"):
        number_map([pixels(0, 1)] * 65_536, SIZE)
