from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from edgeflow.annotated import AnnotatedImage
from edgeflow.errors import EdgeFlowError
from edgeflow.export.splits import parse_splits
from edgeflow.geometry import Size
from tests.unit.edgeflow.export.exported import PixelPicture

SHARES = "train=80, val=10,test=10"


def image(number: int, name: str = "a.jpg") -> AnnotatedImage:
    pixels = np.full((1, 3, 3), (number & 255, number >> 8, 0), dtype=np.uint8)
    return AnnotatedImage(str(number), name, Size(1, 3), (), PixelPicture(pixels))


def test_the_shares_are_kept_about() -> None:
    splits = parse_splits(SHARES)
    assert splits.names == ("train", "val", "test")
    counts = Counter(splits.of(image(number)) for number in range(2000))
    for name, share in (("train", 1600), ("val", 200), ("test", 200)):
        assert abs(counts[name] - share) < 60


def test_a_picture_is_in_the_same_part_whatever_its_name_and_task() -> None:
    splits = parse_splits(SHARES)
    for number in range(30):
        parts = {splits.of(image(number, name)) for name in ("a.jpg", "b/c.png")}
        assert len(parts) == 1


def test_without_a_picture_the_name_decides() -> None:
    splits = parse_splits(SHARES)
    names = [f"{number}.jpg" for number in range(100)]
    parts = [splits.of(AnnotatedImage("k", name, Size(1, 1), ())) for name in names]
    assert parts == [splits.of(AnnotatedImage("other", name, Size(2, 2), ())) for name in names]
    assert len(set(parts)) == 3


def test_one_part_has_no_name() -> None:
    assert parse_splits("").names == ("",)
    assert parse_splits("").of(AnnotatedImage("k", "a", Size(1, 1), ())) == ""


@pytest.mark.parametrize(
    "text", ["train", "train=", "a=1,a=2", "a=0", "a=-1", "../x=1", "a=1,,b=2"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(EdgeFlowError, match="does not name the parts"):
        parse_splits(text)


@pytest.mark.parametrize(
    "name", ["names", "nc", "path", "Path", "kpt_shape", "TRAIN", "con", "NUL"]
)
def test_a_name_that_some_format_or_system_takes_for_something_else_is_refused(name: str) -> None:
    with pytest.raises(EdgeFlowError, match=f"cannot be called '{name}'"):
        parse_splits(f"train=80,{name}=20")
