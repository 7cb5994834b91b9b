"""The way from a state and a click to the next state; see :mod:`edgeflow.inference.runs`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from edgeflow.geometry import Box, NetworkPoint, Size
from edgeflow.inference.closer import Found
from edgeflow.inference.patch import EnlargedPatch, Patch, ProbabilityPatch
from edgeflow.inference.quality import Looked, Quality
from edgeflow.inference.runs import StepInput, Steps
from edgeflow.inference.state import EncodedImage, State
from edgeflow.inference.transfer import above, upload
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.masks.cleanup import ABSENT, FILLED, Cleanup
from edgeflow.masks.patch import MASK_THRESHOLD, MaskPatch
from edgeflow.masks.score import Calibration
from edgeflow.nn.interface import Feedback
from edgeflow.prompts.click import Click
from edgeflow.prompts.disks import disk_pixels
from edgeflow.prompts.prior_mask import feedback_of
from edgeflow.prompts.start import Start
from edgeflow.runtime.base import StepOutput


class Stepped(NamedTuple):
    """The state after a step, the object's probability, and the network runs that it took."""

    state: State
    patch: Patch
    runs: int


@dataclass(frozen=True)
class Stepper:
    """The way from a state and a click to the next state. Its tensors stay on one device.

    Attributes:
        policy: Which part of the image the network sees, and how.
        cleanup: What is cleaned of each mask.
        device: The runtime's device.
        feedback: Which of its outputs the network is fed at the next click.
        quality: How often the network may look at a view.
        calibration: Scores a look, where that decides about a second one.
    """

    policy: ZoomPolicy
    cleanup: Cleanup
    device: torch.device
    feedback: Feedback
    quality: Quality
    calibration: Calibration

    def start(self, image: EncodedImage, start: Start) -> Steps[tuple[State, int]]:
        """The state before any click, and the network runs that it took."""
        state = State.nothing(image, start)
        masks: list[MaskPatch] = []
        runs = 0
        while (opening := start.opening(image.size, masks)) is not None:
            clicks, box = opening
            region = (
                self.policy.choose(state.region, state.mask_box, clicks, image.size)
                if box is None
                else self.policy.around(box, image.size)
            )
            stepped = yield from self._run(image, state, clicks, (), region)
            state, runs = stepped.state, runs + stepped.runs
            masks.append(stepped.patch.mask)
        return state, runs

    def step(self, image: EncodedImage, state: State, click: Click) -> Steps[Stepped]:
        """One click: a network run, or as many as the quality takes.

        Args:
            image: On the device.
            state: State after the clicks so far.
            click: The next one, on the image.
        """
        start, clicks = state.start, (*state.clicks, click)
        implied = start.imply(state.implied, clicks)
        known, before = (*implied, *clicks), 0
        if self._mistaken(state, click):
            blank = State.nothing(image, start)
            state, _, before = yield from self._run(image, blank, (), state.clicks, None)
        # A prior mask is resampled from the image for each step, so no region need be kept for it.
        previous = state.region if start.prior is None else None
        region = self.policy.choose(previous, state.mask_box, known, image.size, close=state.close)
        if region is None and len(known) == 1 and click.positive and start.prior is None:
            state, found, runs = yield from self._first(image, state, clicks)
        else:
            state, found, runs = yield from self._run(image, state, implied, clicks, region)
        runs += before
        start = start.after(found.mask, click)
        if start.prior is None:
            return Stepped(replace(state, start=start), found, runs)
        patch = ProbabilityPatch.of_mask(MaskPatch.of(start.prior), self.device)
        return Stepped(replace(state, start=start, mask_box=patch.mask_box), patch, runs)

    def patch(self, image: EncodedImage, state: State) -> Patch:
        """The object's probability after a state's clicks."""
        start = state.start
        if start.prior is not None:
            return ProbabilityPatch.of_mask(MaskPatch.of(start.prior), self.device)
        return self._patches(image, state)[1]

    def _run(
        self,
        image: EncodedImage,
        state: State,
        implied: tuple[Click, ...],
        clicks: tuple[Click, ...],
        region: Box | None,
    ) -> Steps[Stepped]:
        """Run the network on all clicks in a region, with the feedback of the state before."""
        size = self.policy.network_size((region or Box.whole(image.size)).size)
        output, runs = yield from self._look(image, state, implied, clicks, region, size)
        close = state.close and region is not None
        after = State(
            state.start, implied, clicks, region, output.mask, output.feedback, None, close
        )
        return self._stepped(image, after, runs)

    def _first(
        self, image: EncodedImage, state: State, clicks: tuple[Click, ...]
    ) -> Steps[Stepped]:
        """Look at the whole image and, where that is not enough, at the click from close by."""
        size = self.policy.network_size(image.size)
        output, runs = yield from self._look(image, state, (), clicks, None, size)
        after = State(state.start, (), clicks, None, output.mask, output.feedback, None)
        closer = self.policy.closer
        windows = [] if closer is None else list(closer.windows(clicks[0].point, image.size))
        if closer is None or not windows:
            return self._stepped(image, after, runs)
        overview = self._found(output, Box.whole(image.size), image.size)
        if closer.enough(overview, max(image.size) / max(size)):
            return self._stepped(image, after, runs)
        for window in windows:
            size = self.policy.window_size(window.size)
            output, taken = yield from self._look(image, state, (), clicks, window, size)
            runs += taken
            found = self._found(output, window, image.size)
            if closer.whole(found):
                if closer.believes(found, overview):
                    after = State(
                        state.start, (), clicks, window, output.mask, output.feedback, None, True
                    )
                break
        return self._stepped(image, after, runs)

    @staticmethod
    def _mistaken(state: State, click: Click) -> bool:
        """Whether a second click lies outside the window that the first was believed to show."""
        return (
            state.close
            and len(state.clicks) == 1
            and click.positive
            and state.region is not None
            and not state.region.contains(click.point)
        )

    def _found(self, output: StepOutput, frame: Box, size: Size) -> Found:
        return Found.of(output.mask[0, 0].cpu().numpy(), frame, size, self.calibration)

    def _look(
        self,
        image: EncodedImage,
        state: State,
        implied: tuple[Click, ...],
        clicks: tuple[Click, ...],
        region: Box | None,
        size: Size,
    ) -> Steps[Looked]:
        """What the network sees in a region at a size: as often as the quality has it."""
        frame = region or Box.whole(image.size)
        fed_back = self._fed_back(image, state, frame, size)
        view = self._input(image, frame, size, (*implied, *clicks), fed_back)
        looked = yield from self.quality.look(
            view, lambda seen: self.calibration(seen.mask[0, 0].cpu().numpy(), len(clicks))
        )
        return looked

    def _stepped(self, image: EncodedImage, after: State, runs: int) -> Stepped:
        followed, clean = self._patches(image, after)
        return Stepped(replace(after, mask_box=followed.mask_box), clean, runs)

    def _fed_back(self, image: EncodedImage, state: State, frame: Box, size: Size) -> Tensor:
        """The map that the network is fed in a frame: 1×1×size float32 on the device."""
        prior = state.start.prior
        if prior is not None:
            return feedback_of(prior, frame, size, self.feedback).to(self.device)
        source = state.region or Box.whole(image.size)
        return self.policy.sampling.carry(state.feedback, source, frame, size, image.size)

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

    def _patches(self, image: EncodedImage, state: State) -> tuple[EnlargedPatch, EnlargedPatch]:
        """A state's probability map at its place in the image.

        Returns:
            The map that the next region follows, and the one that is answered. Regions follow the
            network's own mask, specks and all, as when it was trained and measured, except where
            the start rules the object out.
        """
        frame = state.region or Box.whole(image.size)
        cleaned = self._clean(state, frame)
        start = state.start.loosened(cleaned, frame, image.size)
        clean = EnlargedPatch(cleaned, frame, image.size, self.policy.sampling, start)
        if cleaned is state.probability or start.confines:
            return clean, clean
        return replace(clean, values=state.probability), clean

    def _clean(self, state: State, frame: Box) -> Tensor:
        """A cleaned 1×1×h×w map; the very same one where there is nothing to clean.

        Only bits leave the device, unless borders are smoothed or a component's fate depends on its
        probability.
        """
        values = state.probability
        size = Size(int(values.shape[2]), int(values.shape[3]))
        clicks = self._located((*state.implied, *state.clicks), frame, size)
        if self.cleanup.smoothing > 0:
            smooth = self.cleanup.smooth(values[0, 0].cpu().numpy(), clicks)
            values = upload(smooth, self.device)[None, None]
        # An outline or a mask says itself where the object is: its pieces need no clicks.
        known = state.start.confines or state.start.prior is not None
        rules = replace(self.cleanup, min_certainty=0) if known else self.cleanup
        changes = rules.changes(
            above(values[0, 0], MASK_THRESHOLD), clicks, lambda: values[0, 0].cpu().numpy()
        )
        if changes is None:
            return values
        dropped, filled = (upload(each, self.device) for each in changes)
        return values.masked_fill(dropped, ABSENT).masked_fill(filled, FILLED)

    def _located(
        self, clicks: Sequence[Click], frame: Box, size: Size
    ) -> list[tuple[NetworkPoint, bool]]:
        locate = self.policy.sampling.locate
        return [(locate(click.point, frame, size), click.positive) for click in clicks]
