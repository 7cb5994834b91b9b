"""The result of a run: weights in half precision, their manifest entry, and a model card."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save
from torch import nn

from edgeflow.checkpoints.manifest import ModelEntry, add_to_manifest
from edgeflow.data.base import set_of
from edgeflow.evaluate.summary import Summary
from edgeflow.files import write_atomically
from edgeflow.nn.registry import ARCHITECTURES
from edgeflow.train.config import Config

INPUT = (
    "image N×3×H×W float32 RGB in [0, 1]; prompt N×3×H×W float32: previous map (zeros at the first "
    "click), positive disks, negative disks of radius 5; longer side 448, sides multiples of 32"
)


@dataclass(frozen=True)
class Outcome:
    """Facts about a finished run.

    Attributes:
        config: Configuration of the run.
        steps: Number of steps done.
        minutes: Minutes that they took.
        device: Device, as free text.
        images: Names of the training images.
        validation: Figures on held-out images; None without such images.
    """

    config: Config
    steps: int
    minutes: float
    device: str
    images: Sequence[str]
    validation: Summary | None


def write_result(network: nn.Module, outcome: Outcome) -> Path:
    """Write weights, manifest entry and card into the output folder.

    Args:
        network: Averaged network.
        outcome: Facts for manifest and card.

    Returns:
        The weights' path.

    Raises:
        FileWriteError: The folder cannot be written to.
    """
    output = outcome.config.output
    data = save(
        {
            name: (tensor.half() if tensor.is_floating_point() else tensor).cpu().contiguous()
            for name, tensor in network.state_dict().items()
            if not name.endswith("num_batches_tracked")
        }
    )
    path = output.folder / f"{output.name}.safetensors"
    write_atomically(path, data)
    entry = _entry(outcome, path.name, hashlib.sha256(data).hexdigest())
    add_to_manifest(output.folder, output.name, entry)
    write_atomically(output.folder / "MODEL_CARD.md", _card(outcome, entry).encode())
    return path


def _entry(outcome: Outcome, file: str, digest: str) -> ModelEntry:
    config = outcome.config
    return ModelEntry(
        file=file,
        sha256=digest,
        architecture=config.model.architecture,
        options=config.model.options,
        feedback=ARCHITECTURES[config.model.architecture].feedback,
        input=INPUT,
        use=config.output.use,
        licence=config.output.licence,
        trained_on=f"{len(outcome.images)} images: {_sets(outcome.images)}",
        metrics={} if outcome.validation is None else {"held out": _figures(outcome.validation)},
        metrics_note=(
            f"RITM's protocol, zoom-in, longer side {config.schedule.validation_side}, threshold "
            ".49, no flip, float32, on images held out of the training data; trained on "
            f"{outcome.device}"
        ),
    )


def _figures(summary: Summary) -> dict[str, float]:
    noc = {f"NoC@{percent}": round(each.mean, 2) for percent, each in summary.noc.items()}
    return {"objects": summary.objects, **noc, "over 20": summary.failures[90]}


def _sets(images: Sequence[str]) -> str:
    counts = Counter(set_of(name) or "unnamed" for name in images)
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


def _card(outcome: Outcome, entry: ModelEntry) -> str:
    config = outcome.config
    sources = "\n".join(
        f"| {source.path.name} | {source.layout} | {source.licence} |"
        for source in config.data.sources
    )
    figures = "\n".join(f"| {name} | {_row(values)} |" for name, values in entry.metrics.items())
    start = config.model.start_from or "random parameters"
    initial = ", ".join(each.file.name for each in config.model.initial)
    return f"""# {config.output.name}

* Architecture: `{entry.architecture}` {dict(entry.options) or ""}, feeds back its {entry.feedback}.
* File: `{entry.file}`, sha256 `{entry.sha256}`, float16; PyTorch {torch.__version__}.
* Began with: {start}{f" and {initial}" if initial else ""}.
* Training: {outcome.steps} steps of {config.schedule.batch} views in {outcome.minutes:.0f} minutes
  on {outcome.device}; {config.schedule.precision}; seed {config.schedule.seed}.
* Intended use: {entry.use}; interactive segmentation with a person who checks every mask.
* Licence: {entry.licence}

## Data

{entry.trained_on}.

| source | layout | licence as stated |
|---|---|---|
{sources}

Images left out: those named in the sources' exclude files, and the held-out ones
({config.data.held_out:.1%}, chosen by name).

## Measured

| images | figures |
|---|---|
{figures or "| none | no validation objects |"}

{entry.metrics_note}.

## To be filled in before publishing

Known failures with images; figures on benchmarks (`edgeflow evaluate`); who may use the data.
"""


def _row(values: Mapping[str, float]) -> str:
    return ", ".join(f"{key} {value:g}" for key, value in values.items())
