"""The training of a project's own weights, which a kill at any moment does no harm."""

from __future__ import annotations

import copy
import hashlib
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.data.base import Sample
from edgeflow.learning.adaptation.options import DEFAULTS, AdaptationOptions
from edgeflow.learning.adaptation.pictures import even_weights, read_pictures
from edgeflow.learning.adaptation.precision import faster_precision
from edgeflow.learning.adaptation.turns import rest
from edgeflow.runtime.devices import pick_device
from edgeflow.train.config import Recipe
from edgeflow.train.distributed import Processes
from edgeflow.train.errors import TrainingError
from edgeflow.train.image_store import ImageStore
from edgeflow.train.optimiser import make_optimiser
from edgeflow.train.resume import Learner, Position, resume, save_progress
from edgeflow.train.trainer import Trainer

Say = Callable[[str], None]


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """The training was asked to stop; where it has a folder, it can go on."""


@dataclass(frozen=True)
class Adaptation:
    """What was learnt.

    Attributes:
        base: Tensors that it began from, float32.
        learnt: The same after learning.
        objects: Objects that were learnt from.
        steps: Steps done.
        seconds: What they took, over all resumptions.
    """

    base: dict[str, Tensor]
    learnt: dict[str, Tensor]
    objects: int
    steps: int
    seconds: float

    def tensors(self, share: float) -> dict[str, Tensor]:
        """Weights between the base's and the learnt (WiSE-FT, arXiv:2109.01903).

        Args:
            share: 0 gives the base weights, 1 the learnt ones.
        """
        return {
            name: torch.lerp(tensor, self.learnt[name], share) for name, tensor in self.base.items()
        }


def adapt(
    base: Checkpoint,
    samples: Sequence[Sample],
    options: AdaptationOptions = DEFAULTS,
    *,
    folder: Path | None = None,
    say: Say = lambda _text: None,
    stop: Callable[[], bool] = lambda: False,
) -> Adaptation:
    """Learn from accepted objects.

    Args:
        base: Weights to begin from.
        samples: Pictures with their objects; read once, one after the other, so that a sequence
            which decodes them as they are asked for keeps memory low.
        options: How.
        folder: Where the progress is kept, and what a killed training goes on from if it is called
            with the same; it is emptied of what belongs to other weights, objects or options.
        say: Told what happens.
        stop: Asked before every step, and between the parts of one; then what was learnt until the
            step is kept.

    Raises:
        TrainingError: No object is large enough, or the loss is NaN.
        CheckpointError: The base weights cannot be used.
        DeviceError: This machine does not have the device.
        Stopped: ``stop`` said so.
        OSError: The folder cannot be written to.
    """
    device = pick_device(options.device)
    with _threads(options.threads):
        pictures = read_pictures(samples)
        store = pictures.store
        objects = len(store.objects)
        say(f"{objects} objects in {len(store.names)} pictures")
        recipe = options.recipe(
            base.entry.architecture,
            dict(base.entry.options),
            objects,
            pictures.regions,
            options.precision or faster_precision(device),
        )
        trainer = _trainer(base, recipe, store, options, device)
        start = _tensors(trainer.learner.network)
        position = _learn(trainer, folder, _digest(base, recipe, store, options), say, stop)
        learnt = _tensors(trainer.learner.average)
    if not all(bool(torch.isfinite(tensor).all()) for tensor in learnt.values()):
        raise TrainingError("the loss is NaN", hint="lower the rate")
    return Adaptation(start, learnt, objects, position.step, position.seconds)


def _learn(
    trainer: Trainer, folder: Path | None, digest: str, say: Say, stop: Callable[[], bool]
) -> Position:
    schedule = trainer.config.schedule

    def go_on() -> None:
        if stop():
            raise Stopped

    def save(position: Position) -> None:
        if folder is not None:
            save_progress(folder, trainer.learner, position)

    resumed = None if folder is None else _resume(folder, trainer.learner, digest)
    position = resumed or Position(0, 0.0, digest)
    if position.step:
        say(f"continuing at step {position.step}")
    began = time.perf_counter() - position.seconds
    trainer.between = go_on  # a busy machine takes seconds for a step; what stops it may not wait
    while not schedule.over(position.step, position.seconds):
        step_began = time.perf_counter()
        try:
            go_on()
            progress = schedule.progress(position.step, position.seconds)
            figures = trainer.step(position.step, progress)
        except Stopped:
            save(position)
            raise
        rest(trainer.processes.device, step_began)
        position = Position(position.step + 1, time.perf_counter() - began, digest)
        if position.step % schedule.log_every == 0:
            loss, iou = float(figures["loss"]), float(figures["iou"])
            say(f"step {position.step}  loss {loss:.4f}  iou {iou:.3f}  {position.seconds:.0f} s")
        if position.step % schedule.save_every == 0:
            save(position)
    save(position)  # what follows takes minutes, too, and may be stopped
    return position


def _resume(folder: Path, learner: Learner, digest: str) -> Position | None:
    try:
        return resume(folder, learner, digest)
    except TrainingError:  # of other weights, objects or options: there is nothing to go on from
        shutil.rmtree(folder)
        return None


def _trainer(
    base: Checkpoint,
    recipe: Recipe,
    store: ImageStore,
    options: AdaptationOptions,
    device: torch.device,
) -> Trainer:
    network = base.load().to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(network).eval().requires_grad_(False)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(options.frozen))
    learner = Learner(network.train(), average, make_optimiser(network, recipe.optimiser))
    store = store.to(device)
    return Trainer(recipe, learner, store, even_weights(store), Processes(0, 1, device))


def _tensors(network: torch.nn.Module) -> dict[str, Tensor]:
    return {
        name: tensor.detach().to("cpu", copy=True).contiguous()
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


def _digest(base: Checkpoint, recipe: Recipe, store: ImageStore, options: AdaptationOptions) -> str:
    """Changes with everything that a step depends on."""
    digest = hashlib.sha256(base.entry.sha256.encode())
    digest.update(f"{options.frozen}|{recipe.model_dump_json()}".encode())
    for tensor in (store.images, store.labels, store.objects):
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
