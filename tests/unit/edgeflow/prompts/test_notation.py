from __future__ import annotations

import pytest

from edgeflow.errors import PromptError
from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.prompts.click import Click
from edgeflow.prompts.notation import box_on, click_of, corners_of


@pytest.mark.parametrize(
    ("text", "click"),
    [
        ("120,80", Click(ImagePoint(120, 80))),
        (" +1.5,2 ", Click(ImagePoint(1.5, 2))),
        ("-30,40", Click(ImagePoint(30, 40), positive=False)),
    ],
    ids=str,
)
def test_a_click(text: str, click: Click) -> None:
    assert click_of(text) == click


@pytest.mark.parametrize(
    "text", ["", "1", "1,", "1,-2", "1,2,3", "nan,1", "1e9,1", "١,٢", "9" * 5000 + ",1"], ids=len
)
def test_what_is_no_click_is_refused_briefly(text: str) -> None:
    with pytest.raises(PromptError, match="is not a click") as caught:
        click_of(text)
    assert len(caught.value.message) < 200


def test_a_box() -> None:
    assert corners_of("10,20,300.5,200") == (10, 20, 300.5, 200)


@pytest.mark.parametrize(
    "text", ["1,2,3", "1,2,3,4,5", "a,b,c,d", "5,5,5,9", "9,9,1,1", "-1,0,4,4"]
)
def test_what_is_no_box_is_refused(text: str) -> None:
    with pytest.raises(PromptError, match="box"):
        corners_of(text)


def test_a_box_is_taken_as_far_as_it_lies_on_the_image() -> None:
    assert box_on((10.5, 20, 900, 40), Size(100, 200)) == Box(20, 10, 40, 200)


def test_a_box_beside_the_image_is_refused() -> None:
    with pytest.raises(PromptError, match="outside the image"):
        box_on((300, 20, 900, 40), Size(100, 200))
