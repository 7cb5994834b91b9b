"""What the network is shown, and what is made of its answer; running it is left to others.

A step is a generator: it yields what the network is to be shown, is sent what the network said,
and returns the state after it. Whoever drives one may run the network at once (:func:`drive`) or
keep many waiting and run them together.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from edgeflow.geometry import Box, NetworkPoint, Size
from edgeflow.inference.patch import ProbabilityPatch
from edgeflow.inference.state import EncodedImage, State
from edgeflow.inference.transfer import above, upload
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.masks.cleanup import ABSENT, FILLED, Cleanup, Located
from edgeflow.masks.patch import MASK_THRESHOLD, MaskPatch
from edgeflow.nn.interface import Feedback
from edgeflow.prompts.click import Click
from edgeflow.prompts.disks import disk_pixels
from edgeflow.prompts.implied import contradicts, deepest_point, implied_clicks
from edgeflow.prompts.outline import Outline
from edgeflow.prompts.prior_mask import PriorMask, feedback_of, merge
from edgeflow.prompts.start import Start
from edgeflow.runtime.base import StepOutput

OUTLINE_STEPS = 2
"""Network runs that an outline takes before any click; one where the first finds nothing."""


class StepInput(NamedTuple):
    """What the network is to be shown, on the runtime's device.

    Attributes:
        image: 1×3×h×w float32 RGB in [0, 1].
        prompt: 1×3×h×w float32: previous map, positive disks, negative disks.
    """

    image: Tensor
    prompt: Tensor


T = TypeVar("T")
Steps = Generator[StepInput, StepOutput, T]
"""Network runs to be made, one after the other, and what comes of them in the end."""


@torch.inference_mode()
def drive(steps: Steps[T], run: Callable[[Tensor, Tensor], StepOutput]) -> T:
    """Make each network run as soon as it is asked for.

    Args:
        steps: not begun yet.
        run: a runtime's :meth:`edgeflow.runtime.base.Runtime.run`.
    """
    output: StepOutput | None = None
    while True:
        try:
            wanted = next(steps) if output is None else steps.send(output)
        except StopIteration as done:
            result: T = done.value
            return result
        output = run(wanted.image, wanted.prompt)


@dataclass(frozen=True)
class Stepper:
    """The way from a state and a click to the next state. Its tensors stay on one device.

    Attributes:
        policy: which part of the image the network sees, and how.
        cleanup: what is cleaned of each mask.
        device: the runtime's.
        feedback: which of its outputs the network is fed at the next click.
    """

    policy: ZoomPolicy
    cleanup: Cleanup
    device: torch.device
    feedback: Feedback

    def start(self, image: EncodedImage, start: Start | None) -> Steps[tuple[State, int]]:
        """The state before any click, and the network runs that it took.

        An outline takes two: with implied clicks in its middle and outside its corners, then with
        the middle of what that found.
        """
        nothing = State.nothing(image, start)
        if not isinstance(start, Outline):
            return nothing, 0
        region = self.policy.around(start.region, image.size)
        implied = start.implied_clicks(image.size)
        state, shown = yield from self._step_to(image, nothing, implied, region)
        steps = 1
        if state.mask_box is not None:
            middle = deepest_point(shown.mask.whole())
            negatives = (click for click in implied if not click.positive)
            clicks = (Click(middle), *negatives)
            state, _ = yield from self._step_to(image, state, clicks, region)
            steps = OUTLINE_STEPS
        return replace(state, implied=len(state.clicks)), steps

    def step(
        self, image: EncodedImage, state: State, click: Click
    ) -> Steps[tuple[State, ProbabilityPatch]]:
        """One network run.

        Args:
            image: on the device.
            state: after the clicks so far.
            click: the next one, on the image.

        Returns:
            The state after it, and what it shows of the object.
        """
        clicks = (*state.clicks, click)
        if isinstance(state.start, PriorMask):
            return (yield from self._refine(image, state, state.start, clicks))
        if isinstance(state.start, Outline) and state.implied and state.clicks[0].positive:
            middle = state.clicks[0].point
            if contradicts(click, middle, state.start.region.size):
                clicks = clicks[1:]
                state = replace(state, implied=state.implied - 1)
        region = self.policy.choose(state.region, state.mask_box, clicks, image.size)
        return (yield from self._step_to(image, state, clicks, region))

    def shown(self, image: EncodedImage, state: State) -> ProbabilityPatch:
        """What a state shows of the object; one that began as a mask shows it as it is now."""
        if isinstance(state.start, PriorMask):
            return ProbabilityPatch.of_mask(MaskPatch.of(state.start.mask), self.device)
        _, shown = self._show(image, state.probability, state.region, state.clicks, state.start)
        return shown

    def _step_to(
        self,
        image: EncodedImage,
        state: State,
        clicks: tuple[Click, ...],
        region: Box | None,
    ) -> Steps[tuple[State, ProbabilityPatch]]:
        """Show the network ``clicks`` in ``region``, with what ``state`` feeds back."""
        whole = Box.whole(image.size)
        frame = region or whole
        size = self.policy.network_size(frame.size)
        fed_back = self.policy.sampling.carry(
            state.feedback, state.region or whole, frame, size, image.size
        )
        output = yield self._input(image, frame, size, clicks, fed_back)
        raw, shown = self._show(image, output.mask, region, clicks, state.start)
        # Regions follow what the network found, as they did when it was trained and measured.
        box = (shown if isinstance(state.start, Outline) else raw).mask_box
        after = State(state.start, clicks, region, output.mask, output.feedback, box, state.implied)
        return after, shown

    def _refine(
        self, image: EncodedImage, state: State, prior: PriorMask, clicks: tuple[Click, ...]
    ) -> Steps[tuple[State, ProbabilityPatch]]:
        """Change a mask around the newest click; the network is told of the rest of it."""
        seen = clicks
        if state.mask_box is not None:
            seen = (*implied_clicks(prior.mask, clicks, state.mask_box.size), *clicks)
        region = self.policy.choose(None, state.mask_box, seen, image.size)
        frame = region or Box.whole(image.size)
        size = self.policy.network_size(frame.size)
        fed_back = feedback_of(prior.mask, frame, size, self.feedback)
        output = yield self._input(image, frame, size, seen, fed_back.to(self.device))
        _, shown = self._show(image, output.mask, region, seen, None)
        merged = merge(prior.mask, shown.mask.whole(), clicks[-1])
        patch = ProbabilityPatch.of_mask(MaskPatch.of(merged), self.device)
        after = State(
            PriorMask(merged), clicks, region, output.mask, output.feedback, patch.mask_box
        )
        return after, patch

    def _input(
        self,
        image: EncodedImage,
        frame: Box,
        size: Size,
        clicks: Sequence[Click],
        fed_back: Tensor,
    ) -> StepInput:
        sampling = self.policy.sampling
        whole = frame == Box.whole(image.size)
        view = image.overview if whole else sampling.view(image.pixels, frame, size)
        pixels = disk_pixels(self._located(clicks, frame, size), size)
        disks = fed_back.new_zeros((1, 2, *size))
        disks.view(-1).index_fill_(0, upload(pixels, self.device), 1.0)
        return StepInput(view, torch.cat((fed_back, disks), dim=1))

    def _show(
        self,
        image: EncodedImage,
        values: Tensor,
        region: Box | None,
        clicks: Sequence[Click],
        start: Start | None,
    ) -> tuple[ProbabilityPatch, ProbabilityPatch]:
        """A 1×1×h×w probability map at its place in the image, raw and cleaned."""
        frame = region or Box.whole(image.size)
        size = Size(int(values.shape[2]), int(values.shape[3]))
        clean = self._clean(values, self._located(clicks, frame, size))
        enlarge = self.policy.sampling.enlarge
        raw = cleaned = ProbabilityPatch(enlarge(values, frame.size), frame, image.size)
        if clean is not values:
            cleaned = ProbabilityPatch(enlarge(clean, frame.size), frame, image.size)
        if isinstance(start, Outline):
            confined = start.confine(cleaned.whole())
            cleaned = ProbabilityPatch(confined, Box.whole(image.size), image.size)
        return raw, cleaned

    def _clean(self, values: Tensor, clicks: Located) -> Tensor:
        """A cleaned 1×1×h×w map; the very same one where there is nothing to clean.

        Only bits leave the device, unless borders are smoothed.
        """
        if self.cleanup.smoothing > 0:
            smooth = self.cleanup.smooth(values[0, 0].cpu().numpy(), clicks)
            values = upload(smooth, self.device)[None, None]
        changes = self.cleanup.changes(above(values[0, 0], MASK_THRESHOLD), clicks)
        if changes is None:
            return values
        dropped, filled = (upload(each, self.device) for each in changes)
        return values.masked_fill(dropped, ABSENT).masked_fill(filled, FILLED)

    def _located(
        self, clicks: Sequence[Click], frame: Box, size: Size
    ) -> list[tuple[NetworkPoint, bool]]:
        locate = self.policy.sampling.locate
        return [(locate(click.point, frame, size), click.positive) for click in clicks]
