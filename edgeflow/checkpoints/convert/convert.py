"""Convert foreign weights: read, recognise, check every tensor, write safetensors and manifest."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save as to_safetensors

from edgeflow.checkpoints.checkpoint import SUFFIX, Checkpoint, load_tensors
from edgeflow.checkpoints.convert.recognise import recognise
from edgeflow.checkpoints.convert.sources import open_source
from edgeflow.checkpoints.manifest import ModelEntry, SourceNote, add_to_manifest
from edgeflow.errors import ConversionError
from edgeflow.files import write_atomically
from edgeflow.nn.registry import ARCHITECTURES

INPUT = (
    "image N×3×H×W float32 RGB in [0, 1], normalised inside the network; prompt N×3×H×W float32: "
    "the previous {feedback} probability (zeros at the first click), positive disks, negative "
    "disks of radius 5"
)
LICENCE = "not stated with the weights; the publishers' repositories are Apache-2.0 and MIT"


def convert(
    source: Path, destination: Path, *, use: str = "generic", licence: str = LICENCE
) -> Checkpoint:
    """Convert one file (or zip, or folder) of foreign weights.

    Args:
        source: what EISeg or RITM published; see ``edgeflow.checkpoints.convert.sources.FORMATS``.
        destination: the ``.safetensors`` file to write; the manifest beside it gets an entry
            under the file's stem.
        use: what the weights are good for, for people.
        licence: what is known of the weights' licence, for people.

    Raises:
        ConversionError: the source is unknown, damaged or hostile; nothing was written.
        CheckpointError: its tensors do not fit the recognised architecture, with every
            difference named; nothing was written.
    """
    if destination.suffix != SUFFIX:
        raise ConversionError(
            f"{destination.name} does not end in {SUFFIX}", hint=f"name it NAME{SUFFIX}"
        )
    opened = open_source(source)
    recognised = recognise(opened.tensors)
    tensors = {
        name: torch.from_numpy(np.array(array, dtype=np.float32))
        for name, array in opened.tensors.items()
    }
    load_tensors(recognised.build(), tensors, source=f"{opened.name} ({recognised})")
    broken = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if broken:
        raise ConversionError(
            f"{opened.name}: {broken[0]} holds values that are not finite",
            hint="the file is damaged; download it again",
        )
    data = to_safetensors(tensors, {"architecture": recognised.architecture})
    feedback = ARCHITECTURES[recognised.architecture].feedback
    entry = ModelEntry(
        file=destination.name,
        sha256=hashlib.sha256(data).hexdigest(),
        architecture=recognised.architecture,
        options=recognised.options,
        feedback=feedback,
        input=INPUT.format(feedback=feedback),
        use=use,
        licence=licence,
        trained_on="see the publisher",
        metrics={},
        metrics_note="not measured",
        source=SourceNote(
            name=opened.name,
            sha256=opened.sha256,
            converted_on=datetime.now(timezone.utc).date().isoformat(),
        ),
    )
    write_atomically(destination, data)
    add_to_manifest(destination.parent, destination.stem, entry)
    return Checkpoint(destination.stem, entry, destination)
