"""A project with disks on record, and what stands where networks and their training do."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from torch import Tensor

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.data.base import Sample
from edgeflow.inference.predictor import Predictor
from edgeflow.learning.accepted import AcceptedObject, MaskCode
from edgeflow.learning.gate.bounds import Bounds
from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.learning.pictures import Pictures
from edgeflow_backend.learning.shelf import Shelf
from edgeflow_backend.learning.training.run import Training
from edgeflow_backend.settings import Settings
from edgeflow_backend.versions.folders import versions_of
from tests.unit.edgeflow.learning.gate.gated import Answer, blobs, network, picture, pictures, sees
from tests.unit.edgeflow.learning.learning_samples import accepted
from tests.unit.edgeflow_backend.learning.learning import REF

BOUNDS = Bounds(least_objects=4, max_clicks=4, general_max_clicks=4)


def shifted(mask: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.roll(mask, 32, axis=1)


def label(
    settings: Settings, tasks: int, wrong: Callable[[int], bool] = lambda _task: False
) -> list[AcceptedObject]:
    """Put a disk on record for each task; some of them beside where they are seen."""
    shelf = Shelf(settings, Pictures(settings))
    files = shelf.files(REF)
    everything = []
    for task in range(1, tasks + 1):
        sample = picture(f"task-{task}")
        data = cv2.imencode(".png", sample.rgb[..., ::-1])[1].tobytes()
        digest = hashlib.sha256(data).hexdigest()
        files.cache.put(digest, data)
        mask = shifted(sample.objects[0]) if wrong(task) else sample.objects[0]
        each = accepted(
            task, picture=digest, start="hand", clicks=(), mask=MaskCode.of(MaskPatch.of(mask))
        )
        files.store.put(task, "stamp", [each])
        everything.append(each)
    return everything


class Learner:
    """Stands where :func:`edgeflow.learning.adaptation.adapt.adapt` does: learns nothing."""

    def __init__(self, fails: BaseException | None = None) -> None:
        self.fails = fails
        self.pictures: list[int] = []

    def __call__(
        self,
        base: Checkpoint,
        samples: Sequence[Sample],
        _options: object,
        /,
        *,
        folder: Path | None,
        **_: Any,
    ) -> Learner:
        self.pictures.append(len(list(samples)))
        self._tensors = base.load().state_dict()
        assert folder is not None
        folder.mkdir(exist_ok=True)
        (folder / "progress").write_text("so far")
        if self.fails is not None:
            raise self.fails
        return self

    def tensors(self, _share: float, /) -> dict[str, Tensor]:
        return dict(self._tensors)


def networks(learnt: Answer = sees) -> Callable[..., Predictor]:
    """Stands where :func:`.predictor_of` does."""

    def make(_checkpoint: Checkpoint, _policy: object, tensors: object = None) -> Predictor:
        return network(blobs(5) if tensors is None else learnt)

    return make


def making(learner: Learner) -> Callable[..., Training]:
    """Trainings with that learner and a small general set."""

    return partial(
        Training, learn=learner, bounds=BOUNDS, general=lambda: pictures(2, of="general")
    )


def served(settings: Settings) -> list[tuple[int, str]]:
    """Number and state of each version."""
    return [(each.number, each.state) for each in versions_of(settings, REF).all()]
