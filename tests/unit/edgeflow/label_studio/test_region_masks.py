from __future__ import annotations

import base64
import io
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeflow.arrays import BoolMask
from edgeflow.errors import EdgeFlowError, MaskCodecError
from edgeflow.geometry import Size
from edgeflow.label_studio.bitmask_png import OPAQUE
from edgeflow.label_studio.brush_rle import encode_brush
from edgeflow.label_studio.region_masks import (
    parse_bitmask,
    parse_brush,
    parse_polygon,
    parse_rectangle,
)

SIZE = Size(30, 40)


def block(top: int, left: int, bottom: int, right: int) -> BoolMask:
    mask = np.zeros(SIZE, dtype=np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def png(pixels: Any, kind: str = "PNG") -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def stroke(*points: float, kind: str = "add", width: float = 10) -> dict[str, Any]:
    return {"type": kind, "relativePoints": list(points), "relativeStrokeWidth": width}


def test_a_brush_is_its_code_with_its_strokes_on_top() -> None:
    value = {
        "format": "rle",
        "rle": list(encode_brush(block(5, 5, 25, 20))),
        "touches": [stroke(80, 50), stroke(25, 50, kind="eraser")],
    }
    mask = parse_brush(value).mask(SIZE)
    assert mask[15, 32]  # drawn
    assert not mask[15, 10]  # erased
    assert mask[6, 6]


def test_strokes_need_no_code() -> None:
    assert parse_brush({"touches": [stroke(50, 50)]}).mask(SIZE)[15, 20]


@pytest.mark.parametrize("rle", [5, 10**13, True, "QUJD", {"0": 1}, 1.5])
def test_a_brush_code_is_a_list_whatever_bytes_would_make_of_it(rle: object) -> None:
    with pytest.raises(MaskCodecError, match="not a list"):
        parse_brush({"rle": rle})


def zigzag(corners: int) -> list[float]:
    """From side to side."""
    return [place for n in range(corners) for place in (n % 2 * 100.0, n * 37 % 100)]


@pytest.mark.parametrize(
    "strokes",
    [
        [stroke(*zigzag(5000), width=10)],
        [stroke(*zigzag(100_000), width=0.01)],
        [stroke(*zigzag(2), width=10)] * 5000,
        [stroke(*[50] * 20_000, width=1000)] * 10,
    ],
    ids=["wide", "thin", "many", "dots"],
)
def test_strokes_that_would_take_minutes_to_draw_are_refused_at_once(
    strokes: list[dict[str, Any]],
) -> None:
    started = time.monotonic()
    with pytest.raises(MaskCodecError, match="hundreds of times"):
        parse_brush({"touches": strokes}).mask(Size(4000, 6000))
    assert time.monotonic() - started < 10


def test_a_large_image_may_be_painted_all_over_by_hand() -> None:
    across = [place for x in range(101) for place in (x, 0)]
    rows = [stroke(*(p + 2 * row * (i % 2) for i, p in enumerate(across))) for row in range(50)]
    assert parse_brush({"touches": rows}).mask(Size(1500, 2000)).all()


def test_a_code_without_strokes_must_be_there() -> None:
    with pytest.raises(MaskCodecError):
        parse_brush({"format": "rle"})
    with pytest.raises(MaskCodecError):
        parse_brush({"format": "rle", "rle": []}).mask(SIZE)


@pytest.mark.parametrize(("alpha", "opaque"), [(OPAQUE, False), (OPAQUE + 1, True)])
def test_a_bitmask_is_where_its_png_is_opaque(alpha: int, *, opaque: bool) -> None:
    pixels = np.zeros((*SIZE, 4), dtype=np.uint8)
    pixels[10:20, 10:20, 3] = alpha
    mask = parse_bitmask({"imageDataURL": png(pixels)}).mask(SIZE)
    np.testing.assert_array_equal(mask, block(10, 10, 20, 20) & opaque)


def test_a_bitmask_of_another_size_or_format_is_refused() -> None:
    with pytest.raises(MaskCodecError, match="40×30"):
        parse_bitmask({"imageDataURL": png(np.zeros((5, 5), dtype=np.uint8))}).mask(SIZE)
    with pytest.raises(MaskCodecError, match="readable PNG"):
        parse_bitmask({"imageDataURL": png(np.zeros(SIZE, dtype=np.uint8), "GIF")}).mask(SIZE)


def test_a_polygon_covers_the_pixels_whose_centres_it_holds() -> None:
    points = [[25, 20], [75, 20], [75, 80], [25, 80]]
    np.testing.assert_array_equal(
        parse_polygon({"points": points}).mask(SIZE), block(6, 10, 24, 30)
    )


@pytest.mark.parametrize("points", [[[1, 1]], [[1, 1], [50, 50]], [[1, 1], [50, 50], [99, 99]]])
def test_an_unfinished_polygon_covers_nothing(points: list[list[float]]) -> None:
    assert not parse_polygon({"points": points}).mask(SIZE).any()


def test_a_rectangle_may_be_turned() -> None:
    value = {"x": 25, "y": 20, "width": 50, "height": 60}
    np.testing.assert_array_equal(parse_rectangle(value).mask(SIZE), block(6, 10, 24, 30))
    turned = parse_rectangle({**value, "x": 75, "rotation": 90}).mask(SIZE)
    np.testing.assert_array_equal(turned, block(6, 12, 26, 30))


@pytest.mark.parametrize(
    "value",
    [
        {"rle": 10**10},
        {"rle": "abc"},
        {"rle": [256]},
        {"rle": [-1]},
        {"rle": [[1]]},
        {"rle": [0, 0, 0]},
        {"rle": [], "touches": "x"},
        {"touches": [{"type": "add"}]},
        {"touches": [stroke(float("nan"), 1)]},
    ],
)
def test_a_broken_brush_is_a_typed_error(value: dict[str, Any]) -> None:
    with pytest.raises(EdgeFlowError):
        parse_brush(value).mask(SIZE)
