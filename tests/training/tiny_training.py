"""A training as the backend starts it, of views so small that a step takes a part of a second.

What it says, and whenever it asks whether to stop, it writes into a file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.data.base import Sample
from edgeflow.learning.adaptation.adapt import Adaptation, adapt
from edgeflow.learning.adaptation.options import AdaptationOptions
from edgeflow.learning.gate.bounds import Bounds
from edgeflow_backend.learning.training import __main__ as training
from edgeflow_backend.learning.training.process import train
from edgeflow_backend.learning.training.run import Training
from tests.unit.edgeflow.learning.gate.gated import picture

SAID = "TINY_TRAINING_SAYS"
"""Environment variable with the file."""

ASKED = "asked"
STEPS = 40


def note(text: str) -> None:
    with Path(os.environ[SAID]).open("a", encoding="utf-8") as file:
        file.write(f"{text}\n")


def tiny(
    base: Checkpoint,
    samples: Sequence[Sample],
    options: AdaptationOptions,
    /,
    *,
    folder: Path | None,
    say: Callable[[str], None],
    stop: Callable[[], bool],
) -> Adaptation:
    """As :func:`.adapt`; nothing but a stop keeps what was learnt before the last step."""

    def asked() -> bool:
        note(ASKED)
        return stop()

    def told(text: str) -> None:
        note(text)
        say(text)

    changes = replace(
        options,
        steps=STEPS,
        per_object=STEPS,
        batch=2,
        side=64,
        save_every=STEPS,
        precision="float32",
    )
    return adapt(base, samples, changes, folder=folder, say=told, stop=asked)


if __name__ == "__main__":
    make = partial(
        Training,
        learn=tiny,
        bounds=Bounds(
            objects=1, least_objects=1, least_pictures=1, max_clicks=1, general_max_clicks=1
        ),
        general=lambda: (picture("general"),),
    )
    with patch.object(training, "train", partial(train, make=make)):
        sys.exit(training.main())
