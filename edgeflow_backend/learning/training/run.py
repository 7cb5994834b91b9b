"""A training from beginning to end: read, screen, learn, judge, store, serve.

One network at a time is in memory. Whatever ends it leaves what is served as it was: a version is
stored whole before it is served, and what was learnt until then is kept for the next attempt.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from torch import Tensor

from edgeflow.arrays import BoolMask
from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.data.base import Sample
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.zoom import POLICIES, ZoomPolicy
from edgeflow.learning.accepted import AcceptedObject
from edgeflow.learning.adaptation.adapt import Stopped, adapt
from edgeflow.learning.adaptation.options import AdaptationOptions
from edgeflow.learning.gate.bounds import STANDARD, Bounds
from edgeflow.learning.gate.clicking import Clicked, choose, click
from edgeflow.learning.gate.general import general_set
from edgeflow.learning.gate.judge import Clicks, choose_share, too_few
from edgeflow.learning.gate.screen import too_many
from edgeflow.learning.gate.shares import weigh_shares
from edgeflow.learning.gate.verdict import Verdict
from edgeflow.learning.likeness.likeness import Likeness
from edgeflow.learning.split import split
from edgeflow.runtime.selection import start_runtime
from edgeflow_backend.images.decoding.decoder import Decoder
from edgeflow_backend.learning.pictures import Files
from edgeflow_backend.learning.store import StoreError
from edgeflow_backend.learning.training.kinds import Kinds
from edgeflow_backend.learning.training.networks import predictor_of, replays
from edgeflow_backend.learning.training.samples import (
    LazySamples,
    Opener,
    Picture,
    Screened,
    pictures_of,
    rank,
    screened,
)
from edgeflow_backend.learning.training.watch import base_of
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.settings import Settings
from edgeflow_backend.versions.reading import read_likeness
from edgeflow_backend.versions.store import Versions

Say = Callable[[str], None]

PROGRESS = "training"
"""Folder of what a killed training goes on from."""

LEARNING = 0.8
"""Share of a training's minutes that learning itself may take; the rest is for judging."""

LONGEST_LEARNT = 2048
LONGEST_JUDGED = 1024
"""Pixels of the longer side of pictures to learn from, and to judge by."""


class Learnt(Protocol):
    """What :func:`.adapt` returns."""

    def tensors(self, share: float, /) -> dict[str, Tensor]:
        """Weights between the base's and the learnt."""
        ...


class Adapt(Protocol):
    """What learns; :func:`.adapt`, unless a test has something quicker."""

    def __call__(
        self,
        base: Checkpoint,
        samples: Sequence[Sample],
        options: AdaptationOptions,
        /,
        *,
        folder: Path | None,
        say: Say,
        stop: Callable[[], bool],
    ) -> Learnt:
        """As :func:`.adapt`."""
        ...


class Outcome(NamedTuple):
    """What a training came to.

    Attributes:
        verdict: The gate's.
        version: Number of the version; None where none was made.
    """

    verdict: Verdict
    version: int | None


@dataclass(frozen=True)
class Training:
    """A training of one project.

    Attributes:
        settings: The backend's.
        project: The project.
        files: Its store, and its copies of images.
        folder: Its folder.
        versions: Its versions.
        say: Told how far it is.
        stop: Whether to end here, to go on some other time.
        learn: What learns.
        bounds: What the gate asks.
        general: The general set.
    """

    settings: Settings
    project: ProjectRef
    files: Files
    folder: Path
    versions: Versions
    say: Say
    stop: Callable[[], bool]
    learn: Adapt = adapt
    bounds: Bounds = STANDARD
    general: Callable[[], Sequence[Sample]] = general_set

    def run(self, objects: Sequence[AcceptedObject]) -> Outcome:
        """Train with a project's accepted objects.

        Args:
            objects: Those that count.

        Raises:
            EdgeFlowError: Something cannot be read, learnt or stored.
            Stopped: ``stop`` said so.
        """
        base = base_of(self.settings, self.project)
        decoder = Decoder(self.settings)
        try:
            return self._run(base, decoder, objects)
        finally:
            decoder.close()

    def _run(
        self, base: Checkpoint, decoder: Decoder, objects: Sequence[AcceptedObject]
    ) -> Outcome:
        opener = Opener(self.files.cache, decoder, LONGEST_JUDGED)
        ready = self._prepare(base, opener, objects)
        if isinstance(ready, Verdict):
            return Outcome(ready, None)
        learnt = self._learn(
            base, LazySamples(ready.training, replace(opener, longest=LONGEST_LEARNT))
        )
        tensors, verdict = self._judge(base, learnt, ready)
        return self._store(base, tensors, verdict, ready)

    def _prepare(
        self, base: Checkpoint, opener: Opener, objects: Sequence[AcceptedObject]
    ) -> _Ready | Verdict:
        """What there is to learn from and to judge by; a verdict where that is too little."""
        parts, most = split(objects), self.bounds.objects
        training = pictures_of(parts.training)
        held_out = sorted(pictures_of(parts.held_out), key=rank)[:most]
        network = predictor_of(base, self._policy)
        seen = self._screen(training, opener, network), self._screen(held_out, opener, network)
        left_out, wrong = seen[0].left_out + seen[1].left_out, seen[0].wrong + seen[1].wrong
        for reason, count in left_out.most_common():
            self._tell(f"left out {count}: {reason}")
        chosen = choose(LazySamples(seen[1].pictures, opener), most)
        count = sum(len(each.objects) for each in (*training, *held_out))
        refusal = too_many(wrong, count) or too_few(chosen, self.bounds)
        if not refusal and not seen[0].pictures:
            refusal = "there is nothing to learn from: every object is held out, or left out"
        if refusal:
            return Verdict.refused(refusal, left_out=left_out)
        general = self.general()
        before = Clicks(self._click(network, chosen), self._click_general(network, general))
        kinds = Kinds.of(base, network, LazySamples(seen[0].pictures, opener), chosen, general)
        return _Ready(seen[0].pictures, chosen, general, before, left_out, kinds)

    def _judge(
        self, base: Checkpoint, learnt: Learnt, ready: _Ready
    ) -> tuple[dict[str, Tensor], Verdict]:
        """How much of what was learnt is taken, and whether it may be served."""
        kinds, before = ready.kinds, ready.before

        def candidate(share: float) -> Predictor:
            return predictor_of(base, self._policy, learnt.tensors(share))

        def general(network: Predictor) -> tuple[Clicked, ...]:
            click = partial(self._click_general, network)
            return kinds.clicked(ready.general, before.general, click, kinds.likeness)

        def held_out(network: Predictor, likeness: Likeness | None) -> tuple[Clicked, ...]:
            click = partial(self._click, network)
            return kinds.clicked(ready.chosen, before.held_out, click, likeness)

        def clicks(share: float) -> Clicks:
            network = candidate(share)
            after = greatest.general if share == greatest.share else general(network)
            return Clicks(held_out(network, kinds.likeness), after)

        greatest = choose_share(before.general, lambda each: general(candidate(each)), self.bounds)
        served, version = None, self.versions.serving(base.entry.sha256)
        if version is not None:
            served = held_out(
                predictor_of(version.checkpoint, self._policy), read_likeness(version)
            )
        share, verdict = weigh_shares(before, served, greatest, clicks, self.bounds)
        return learnt.tensors(share), replace(verdict, left_out=ready.left_out)

    def _click(self, network: Predictor, samples: Sequence[Sample]) -> tuple[Clicked, ...]:
        return click(network, samples, self.bounds, say=self._tell)

    def _click_general(self, network: Predictor, samples: Sequence[Sample]) -> tuple[Clicked, ...]:
        return click(network, samples, self.bounds.of_general, say=self._tell)

    def _screen(self, pictures: Sequence[Picture], opener: Opener, network: Predictor) -> Screened:
        def replay(sample: Sample, each: AcceptedObject, mask: BoolMask) -> bool:
            self._tell(f"task {each.origin.task}: an object's clicks are made again")
            return replays(network, sample, each, mask)

        return screened(pictures, opener, replay)

    def _learn(self, base: Checkpoint, samples: Sequence[Sample]) -> Learnt:
        options = AdaptationOptions(
            minutes=LEARNING * self.settings.learn_minutes,
            threads=self.settings.learn_threads,
            device=self.settings.learn_device,
        )
        folder = self.folder / PROGRESS
        try:
            return self.learn(base, samples, options, folder=folder, say=self._tell, stop=self.stop)
        except OSError as error:
            raise StoreError(
                f"cannot write {folder}: {error.strerror or error}",
                hint="check the space on its disk",
            ) from error

    def _store(
        self, base: Checkpoint, tensors: dict[str, Tensor], verdict: Verdict, ready: _Ready
    ) -> Outcome:
        """Store a version, and serve it if it may be."""
        version = self.versions.add(
            tensors,
            base,
            objects=sum(len(of.objects) for of in ready.training),
            verdict=verdict.to_json(),
            accepted=verdict.accepted,
            reason="; ".join(verdict.reasons),
            likeness=ready.kinds.likeness,
        )
        shutil.rmtree(self.folder / PROGRESS, ignore_errors=True)
        if verdict.accepted:
            # What it is executed from is made now, so that no click waits for it.
            start_runtime(
                self.settings.runtime,
                version.checkpoint,
                device=self.settings.device,
                side_multiple=self._policy.side_multiple,
            )
            self.versions.serve(version.number)
        return Outcome(verdict, version.number)

    @property
    def _policy(self) -> ZoomPolicy:
        return POLICIES[self.settings.zoom]

    def _tell(self, text: str) -> None:
        if self.stop():
            raise Stopped
        self.say(text)


class _Ready(NamedTuple):
    """What a training begins with.

    Attributes:
        training: Pictures to learn from.
        chosen: Held-out pictures to judge by.
        general: The general set.
        before: What the base weights take.
        left_out: Objects that are not used, by reason.
        kinds: What kinds of pictures these are.
    """

    training: Sequence[Picture]
    chosen: Sequence[Sample]
    general: Sequence[Sample]
    before: Clicks
    left_out: Mapping[str, int]
    kinds: Kinds
