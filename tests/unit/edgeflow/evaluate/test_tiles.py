from __future__ import annotations

import numpy as np
import pytest

from edgeflow.evaluate.tiles import COLUMNS, tile


@pytest.mark.parametrize(("count", "rows"), [(1, 1), (COLUMNS, 1), (COLUMNS + 1, 2)])
def test_images_stand_in_rows_and_the_rest_is_white(count: int, rows: int) -> None:
    cells = [np.full((4, 5, 3), number, dtype=np.uint8) for number in range(count)]
    sheet = tile(cells)
    assert sheet.shape == (4 * rows, 5 * COLUMNS, 3)
    parts = sheet.reshape(rows, 4, COLUMNS, 5, 3).swapaxes(1, 2).reshape(-1, 4 * 5 * 3)
    assert [set(part.tolist()) for part in parts[:count]] == [{number} for number in range(count)]
    assert (parts[count:] == 255).all()
