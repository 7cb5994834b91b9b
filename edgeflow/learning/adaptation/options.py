"""The settings of an adaptation; ``docs/experiments.md`` says how they were chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from edgeflow.train.config import Losses, Model, Optimiser, Recipe, Schedule
from edgeflow.train.config_views import ClickSimulation, Views

SIDE = 448
"""Network pixels of the longer side at inference, and of the pictures in memory."""

ROUNDS = (0.35, 0.2, 0.15, 0.1, 0.1, 0.0, 0.1)
"""Likelihood of 0, 1, 2, … corrective clicks before a view is learnt from."""


class Regions(NamedTuple):
    """How close inference looks at objects after their first click.

    Attributes:
        least: Smallest side of a region, relative to the picture's longer side, 0 to 1.
        close: The same where the object was found in a closer look.
        small: Longer side of an object below which it is looked for there, relative to the
            picture's.
    """

    least: float
    close: float
    small: float


@dataclass(frozen=True)
class AdaptationOptions:
    """How a project's weights are learnt.

    Attributes:
        steps: Most steps.
        per_object: Most steps for each object; of few, many steps learn what is chance.
        minutes: Most minutes of training, over all resumptions.
        threads: Threads of the CPU to compute with.
        device: What computes: ``cpu``, ``cuda`` or ``cuda:N``.
        side: Pixels of a view's sides.
        batch: Views a step.
        at_once: Views whose gradients are computed at a time, which bounds the memory.
        rate: Highest learning rate.
        encoder: Factor on it for the encoder.
        frozen: Prefixes of the names of parameters that do not learn.
        precision: ``bf16`` or ``float32``; None for what the device computes faster.
        save_every: Steps between two states that a killed training goes on from.
        seed: Of everything random.
    """

    steps: int = 100
    per_object: int = 2
    minutes: float = 9.0
    threads: int = 1
    device: str = "cpu"
    side: int = 256
    batch: int = 4
    at_once: int = 1
    rate: float = 2e-4
    encoder: float = 0.3
    frozen: tuple[str, ...] = ()
    precision: str | None = None
    save_every: int = 20
    seed: int = 0

    def recipe(
        self,
        architecture: str,
        options: dict[str, int | bool],
        objects: int,
        regions: Regions,
        precision: str,
    ) -> Recipe:
        """The same as the settings of a training.

        Args:
            architecture: Of the base weights.
            options: Of the architecture.
            objects: Number of objects that are learnt from.
            regions: Regions of the pictures that inference looks at.
            precision: ``bf16`` or ``float32``.
        """
        return Recipe(
            model=Model(architecture=architecture, options=options),
            views=Views(
                side=self.side,
                aspect=1.0,
                whole=0.5,
                zoomed_first=True,
                expansion=(1.1, 2.0),
                least=regions.least,
                close=regions.close,
                small=regions.small,
                part=0.8,
                full=SIDE,
                merge=0.0,
                paste=0.05,
                warp=0.01,
                colour=0.3,
                grey=0.0,
                blur=0.05,
                noise=0.1,
            ),
            clicks=ClickSimulation(
                centred=0.8, extra=0.15, max_extra=4, rounds=ROUNDS, at_once=1, deepest=0.7
            ),
            losses=Losses(coarse=0.5),
            optimiser=Optimiser(
                rate=self.rate,
                encoder=self.encoder,
                weight_decay=0.0,
                warm_up=10,
                average=0.98,
                freeze_norms=True,
            ),
            schedule=Schedule(
                steps=min(self.steps, self.per_object * objects),
                minutes=self.minutes,
                batch=self.batch,
                at_once=self.at_once,
                precision=precision,
                save_every=self.save_every,
                seed=self.seed,
            ),
        )


DEFAULTS = AdaptationOptions()
