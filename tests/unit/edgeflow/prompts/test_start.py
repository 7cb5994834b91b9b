from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgeflow.arrays import BoolMask
from edgeflow.errors import PromptError
from edgeflow.geometry import Box, ImagePoint, NetworkPoint, Size
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import State
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click, check_clicks
from edgeflow.prompts.outline import Outline
from edgeflow.prompts.prior_mask import PriorMask
from edgeflow.prompts.start import NOTHING, Opening, Start
from tests.unit.edgeflow.prompts.shapes import LAYOUTS, MASKS, PROPERTY, blank, boxed, disk
from tests.unit.edgeflow.samples import FakeRuntime, click, disk_image, disk_maps, negative


def test_starts_that_differ_have_different_digests() -> None:
    whole = Box(0, 0, 60, 80)
    starts: list[Start] = [
        PriorMask(blank()),
        PriorMask(~blank()),
        PriorMask(boxed(Box(0, 0, 1, 1))),
        PriorMask(boxed(Box(0, 1, 1, 2))),
        PriorMask(boxed(Box(59, 79, 60, 80))),
        Outline(whole),
        Outline(whole, blank()),
        Outline(whole, ~blank()),
        Outline(whole, boxed(Box(59, 79, 60, 80))),
        Outline(Box(0, 0, 59, 80)),
        Outline(Box(0, 0, 60, 79)),
        Outline(Box(1, 0, 60, 80)),
        Outline(Box(0, 1, 60, 80)),
        Outline(Box(1, 11, 20, 30)),
        Outline(Box(11, 1, 20, 30)),
        Outline(Box(1, 1, 120, 30)),
        Outline(Box(0, 1, 60, 80), ~blank()),
    ]
    assert len({start.digest for start in starts}) == len(starts)
    assert NOTHING.digest not in {start.digest for start in starts}


@PROPERTY
@given(MASKS, st.data())
def test_a_single_pixel_makes_another_digest(mask: BoolMask, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, mask.shape[0] - 1))
    col = data.draw(st.integers(0, mask.shape[1] - 1))
    changed = mask.copy()
    changed[row, col] ^= True
    region = Box(0, 0, *mask.shape)
    assert PriorMask(changed).digest != PriorMask(mask).digest
    assert Outline(region, changed).digest != Outline(region, mask).digest
    assert Outline(region, mask).digest != PriorMask(mask).digest


@pytest.mark.slow
@PROPERTY
@given(MASKS)
def test_equal_starts_have_equal_digests(mask: BoolMask) -> None:
    prior = PriorMask(mask)
    assert prior.digest == prior.digest == PriorMask(mask.copy()).digest
    lasso = Outline(Box(0, 0, *mask.shape), mask)
    again = Outline(Box(0, 0, *mask.shape), mask.copy())
    assert lasso.digest == lasso.digest == again.digest


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_memory_layout_of_a_mask_does_not_change_its_digest(layout: str) -> None:
    mask = disk(20, 50, 12)
    assert PriorMask(LAYOUTS[layout](mask)).digest == PriorMask(mask).digest


@pytest.mark.parametrize(
    "shapes",
    [[(24, 32), (32, 24), (12, 64), (1, 768), (768, 1)], [(1, 9), (1, 10), (2, 5), (1, 16)]],
)
def test_digests_tell_shapes_of_equal_bits_apart(shapes: list[tuple[int, int]]) -> None:
    region = Box(0, 0, 1, 1)
    masks = [np.zeros(shape, np.bool_) for shape in shapes]
    assert len({PriorMask(mask).digest for mask in masks}) == len(shapes)
    assert len({Outline(region, mask).digest for mask in masks}) == len(shapes)


def test_starts_cannot_be_reassigned() -> None:
    with pytest.raises(AttributeError):
        PriorMask(blank()).mask = ~blank()  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Outline(Box(0, 0, 1, 1)).inside = None  # type: ignore[misc]


# A kind of start that nothing in edgeflow knows


@dataclass(frozen=True)
class Scribble(Start):
    """A line drawn on the object: clicks that are there before the annotator's first."""

    points: tuple[ImagePoint, ...]
    opens: ClassVar[bool] = True

    @property
    def digest(self) -> str:
        return f"scribble {self.points}"

    def check(self, size: Size) -> None:
        check_clicks(self.clicks, size)

    def opening(self, size: Size, masks: Sequence[MaskPatch]) -> Opening | None:  # noqa: ARG002
        return None if masks else Opening(self.clicks, None)

    @property
    def clicks(self) -> tuple[Click, ...]:
        return tuple(map(Click, self.points))


class Store(dict[bytes, State]):
    def put(self, key: bytes, state: State) -> None:
        self[key] = state


def test_a_kind_from_outside_needs_no_word_in_inference() -> None:
    runtime = FakeRuntime(mask=0.9)
    policy = ZoomPolicy(long_side=96, min_side=10_000)
    predictor = Predictor(runtime, version="v", policy=policy)
    image = predictor.encode(disk_image(64, 96))
    scribble = Scribble((ImagePoint(30, 20), ImagePoint(40, 25)))
    store = Store()

    first = predictor.predict(image, [], store, start=scribble)
    assert first.steps == len(runtime.prompts) == 1
    assert first.mask.all()
    assert first.state.implied == scribble.clicks
    later = predictor.predict(image, [negative(80, 50)], store, start=scribble)
    assert later.steps == 1
    assert later.state.clicks == (negative(80, 50),)
    for clicks, prompt in (
        (scribble.clicks, runtime.prompts[0]),
        ((*scribble.clicks, negative(80, 50)), runtime.prompts[1]),
    ):
        points = [(NetworkPoint(c.point.y, c.point.x), c.positive) for c in clicks]
        np.testing.assert_array_equal(prompt[0, 1:].numpy(), disk_maps(points, image.size))

    assert predictor.predict(image, [], store, start=scribble).steps == 0  # undone
    assert predictor.predict(image, [negative(80, 50)], store).steps == 1  # without the scribble
    with pytest.raises(PromptError, match="outside"):
        predictor.predict(image, [], store, start=Scribble((ImagePoint(500, 20),)))


@dataclass(frozen=True)
class Countdown(Start):
    """Changes with each click."""

    number: int

    @property
    def digest(self) -> str:
        return f"countdown {self.number}"

    def check(self, size: Size) -> None:
        """Fits any image."""

    def after(self, mask: MaskPatch, click: Click) -> Countdown:  # noqa: ARG002
        return Countdown(self.number - 1)


def test_a_start_that_changes_with_each_click_is_the_states() -> None:
    predictor = Predictor(FakeRuntime(mask=0.9), version="v", policy=ZoomPolicy(long_side=96))
    image = predictor.encode(disk_image(64, 96))
    state = predictor.predict(image, [click(9, 9), click(20, 20)], start=Countdown(5)).state
    assert state.start == Countdown(3)


def test_nothing_is_a_start_that_changes_nothing() -> None:
    values, patch = torch.rand(4, 6), MaskPatch.of(boxed(Box(0, 0, 2, 2)))
    NOTHING.check(Size(4, 6))
    assert not NOTHING.opens
    assert NOTHING.nbytes == 0
    assert NOTHING.prior is None
    assert NOTHING.opening(Size(4, 6), ()) is None
    assert NOTHING.imply((), [click(1, 1)]) == ()
    assert NOTHING.confine(values, Box(0, 0, 4, 6)) is values
    assert NOTHING.after(patch, click(1, 1)) is NOTHING
