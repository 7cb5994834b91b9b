"""The training loop: steps, and what happens between them."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from edgeflow.evaluate.summary import Summary
from edgeflow.nn.interface import Feedback, NetworkOutput
from edgeflow.nn.registry import ARCHITECTURES
from edgeflow.train import drawings
from edgeflow.train.augment import Batch, draw_batch, view_size
from edgeflow.train.chance import Chance
from edgeflow.train.config import Config, Recipe
from edgeflow.train.contact_sheet import save_sheet
from edgeflow.train.distributed import Processes
from edgeflow.train.errors import TrainingError
from edgeflow.train.image_store import ImageStore, object_weights, with_share
from edgeflow.train.log import Log
from edgeflow.train.objective import autocast, keep_norms, mean_iou, total_loss
from edgeflow.train.optimiser import follow, make_optimiser, rate_at, set_rate
from edgeflow.train.pretrained import build_network
from edgeflow.train.publish import Outcome, write_result
from edgeflow.train.resume import Learner, Position, resume, save_progress
from edgeflow.train.simulate import Prompt, simulate
from edgeflow.train.teachers import Teachers, open_teachers
from edgeflow.train.training_data import Material
from edgeflow.train.validation import validate

Say = Callable[[str], None]


@dataclass
class Trainer:
    """A run on one device of one process: everything that a step changes, and nothing of the loop.

    Attributes:
        config: Configuration of the run.
        learner: Network, average and optimiser, on the device.
        store: Training images, on the device or beside it.
        weights: Likelihood of each object to be drawn.
        processes: This process among all.
        teachers: Networks to learn from; or None.
        between: Called between the parts of a step; if it raises, what is learnt stays as it was.
    """

    config: Recipe
    learner: Learner
    store: ImageStore
    weights: Tensor
    processes: Processes
    teachers: Teachers | None = None
    between: Callable[[], None] = lambda: None

    @property
    def feedback(self) -> Feedback:
        """The map that the network is fed back."""
        return ARCHITECTURES[self.config.model.architecture].feedback

    def example(self, step: int) -> tuple[Batch, Prompt]:
        """The views and clicks of a step; the same at every call until the network changes."""
        config, device = self.config, self.processes.device
        chance = Chance.of_step(config.schedule.seed, self.processes.rank, step, device)
        batch = draw_batch(
            self.store,
            self.weights,
            config.schedule.batch,
            view_size(config.views, chance.host),
            config.views,
            chance.device,
        )
        image = batch.image.contiguous(memory_format=torch.channels_last)
        batch = batch._replace(image=image)
        with autocast(device, config.schedule.precision):
            prompt = simulate(self.learner.network, batch, config.clicks, self.feedback, chance)
        if prompt.void is not None:
            batch = batch._replace(truth=batch.truth & ~prompt.void[:, None, None, None])
        return batch, prompt

    def step(self, number: int, progress: float) -> dict[str, Tensor]:
        """Learn from one batch.

        Args:
            number: Number of the step, from 0.
            progress: Share of the run that is over, 0 to 1.

        Returns:
            The losses and the mean IoU, as scalars on the device.
        """
        config, network = self.config, self.learner.network
        batch, prompt = self.example(number)
        prompt_maps = prompt.tensor().contiguous(memory_format=torch.channels_last)
        lesson = self._lesson(batch, prompt, prompt_maps)
        network.train()
        if config.optimiser.freeze_norms:
            keep_norms(network)
        optimiser = self.learner.optimiser
        optimiser.zero_grad(set_to_none=True)
        count = len(batch.image)
        at_once = config.schedule.at_once or count
        figures: dict[str, Tensor] = {}
        for start in range(0, count, at_once):
            if start:
                self.between()
            views = slice(start, start + at_once)
            part = batch.part(views)
            share = len(part.image) / count
            taught = None if lesson is None else lesson[views]
            for name, value in self._learn(part, prompt_maps[views], taught, share).items():
                figures[name] = figures.get(name, 0.0) + share * value
        parameters = list(network.parameters())
        self.processes.average_gradients(parameters)
        figures["gradient"] = nn.utils.clip_grad_norm_(parameters, config.optimiser.clip)
        set_rate(optimiser, rate_at(config.optimiser, number, progress))
        optimiser.step()
        follow(self.learner.average, network, config.optimiser.average, number)
        return figures

    def _lesson(self, batch: Batch, prompt: Prompt, prompt_maps: Tensor) -> Tensor | None:
        """What teachers answer: B×1×H×W, mask probability."""
        if self.teachers is None:
            return None
        with autocast(self.processes.device, self.config.schedule.precision):
            return self.teachers.masks(batch, prompt_maps, prompt.void)

    def _learn(
        self, batch: Batch, prompt_maps: Tensor, lesson: Tensor | None, share: float
    ) -> dict[str, Tensor]:
        """Add the gradients of some of a step's views, which are this share of them."""
        config = self.config
        with autocast(self.processes.device, config.schedule.precision):
            output: NetworkOutput = self.learner.network(batch.image, prompt_maps)
        loss, figures = total_loss(output, batch, config.losses, lesson)
        torch.autograd.backward(loss * share)
        figures["loss"] = loss.detach()
        figures["iou"] = mean_iou(output.mask.detach(), batch.truth, batch.valid)
        return figures


def check_models(config: Config, models_folder: Path | None = None) -> None:
    """Find out before images are read whether the network and its teacher can be built.

    Raises:
        TrainingError: They cannot be built.
        CheckpointError: ``start_from`` or the teacher names weights that cannot be used.
    """
    build_network(config.model, models_folder)
    _teachers(config, torch.empty(0), models_folder)


def make_trainer(
    config: Config, material: Material, processes: Processes, models_folder: Path | None = None
) -> Trainer:
    """Build everything on the device.

    Raises:
        TrainingError: The network or its teacher cannot be built.
    """
    device = processes.device
    network = build_network(config.model, models_folder)
    network = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    processes.share(network)
    average = copy.deepcopy(network).eval().requires_grad_(False)
    learner = Learner(network, average, make_optimiser(network, config.optimiser))
    store = material.store.to(device)
    weights = object_weights(store, balance=config.data.balance, factors=material.factors)
    drawn = drawings.of(store)
    weights = with_share(weights, drawn, config.data.drawn)
    teachers = _teachers(config, drawn, models_folder)
    return Trainer(config, learner, store, weights, processes, teachers)


def train(
    config: Config,
    material: Material,
    processes: Processes,
    say: Say,
    models_folder: Path | None = None,
) -> Path | None:
    """Train until the steps or the minutes are over, and write the weights.

    An interrupted run continues at its last checkpoint; a finished one writes its result again.

    Args:
        config: Configuration of the run.
        material: Images to learn from.
        processes: This process among all.
        say: Reports progress in the first process.
        models_folder: Folder of the user's models.

    Returns:
        Path of the weights; None in all processes except the first.

    Raises:
        TrainingError: The run cannot start or continue, or the loss is NaN.
    """
    trainer = make_trainer(config, material, processes, models_folder)
    folder, schedule = config.output.folder, config.schedule
    checkpoints = folder / "checkpoints"
    position = resume(checkpoints, trainer.learner, config.digest)
    position = position or Position(0, 0.0, config.digest)
    if position.step:
        say(f"continuing at step {position.step}")
    elif processes.first:
        save_sheet(folder / "samples.png", *trainer.example(0))
        say(f"the first views and clicks: {folder / 'samples.png'}")
    step, spent = position.step, position.seconds
    summary: Summary | None = None
    with Log(folder if processes.first else folder / f"rank-{processes.rank}", step) as log:
        began = time.perf_counter()
        while not processes.agree(schedule.over(step, spent)):
            figures = trainer.step(step, schedule.progress(step, spent))
            step += 1
            spent = position.seconds + time.perf_counter() - began
            if step % schedule.log_every == 0:
                _report(log, say, step, figures, spent, processes)
            if processes.first and step % schedule.save_every == 0:
                save_progress(checkpoints, trainer.learner, Position(step, spent, config.digest))
            if schedule.validate_every and step % schedule.validate_every == 0:
                summary = _validate(trainer, material, log, say, step)
                began = time.perf_counter() - (spent - position.seconds)
        if not processes.first:
            return None
        save_progress(checkpoints, trainer.learner, Position(step, spent, config.digest))
        if summary is None or step % max(schedule.validate_every, 1):
            summary = _validate(trainer, material, log, say, step)
    outcome = Outcome(
        config=config,
        steps=step,
        minutes=spent / 60,
        device=_device_name(processes),
        images=material.store.names,
        validation=summary,
    )
    return write_result(trainer.learner.average, outcome)


def _report(
    log: Log,
    say: Say,
    step: int,
    figures: dict[str, Tensor],
    spent: float,
    processes: Processes,
) -> None:
    values = processes.mean(torch.stack([value.float() for value in figures.values()])).tolist()
    named = dict(zip(figures, values, strict=True))
    if math.isnan(named["loss"]):
        raise TrainingError(
            f"the loss is NaN at step {step}",
            hint="lower optimiser.rate or use precision = 'float32'; the last checkpoint is intact",
        )
    log.write(step, {**named, "seconds": spent})
    say(f"step {step}  " + "  ".join(f"{name} {value:.4f}" for name, value in named.items()))


def _validate(
    trainer: Trainer, material: Material, log: Log, say: Say, step: int
) -> Summary | None:
    if not trainer.processes.first or len(material.held_out) == 0:
        return None
    summary = validate(
        trainer.learner.average,
        trainer.processes.device,
        material.held_out,
        trainer.config.schedule.validation_side,
    )
    figures = {f"validation/noc{key}": each.mean for key, each in summary.noc.items()}
    figures["validation/iou1"] = summary.iou_at[1].mean
    log.write(step, figures)
    say(
        f"step {step}: held-out NoC@90 {summary.noc[90].mean:.2f}, "
        f"IoU after one click {summary.iou_at[1].mean:.3f} ({summary.objects} objects)"
    )
    return summary


def _teachers(config: Config, drawn: Tensor, folder: Path | None) -> Teachers | None:
    if config.teacher is None:
        return None
    return open_teachers(config.teacher, config.model.architecture, drawn, folder)


def _device_name(processes: Processes) -> str:
    device = processes.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    return f"{processes.count} × {name}" if processes.count > 1 else name
