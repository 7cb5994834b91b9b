"""Conversion of foreign weights: read, recognise, check every tensor, write file and manifest."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save as to_safetensors

from edgeflow.checkpoints.checkpoint import SUFFIX, Checkpoint, load_tensors
from edgeflow.checkpoints.convert.isolation import read_source
from edgeflow.checkpoints.convert.recognise import recognise, with_previous_mask
from edgeflow.checkpoints.manifest import (
    MANIFEST,
    ModelEntry,
    SourceNote,
    add_to_manifest,
    is_plain_name,
    model_name,
)
from edgeflow.errors import ConversionError
from edgeflow.files import check_outputs, write_atomically
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
        source: Weights as EISeg or RITM published them, in one of the formats
            :data:`edgeflow.checkpoints.convert.kinds.FORMATS`.
        destination: ``.safetensors`` file to write; the manifest beside it gets an entry under the
            file's stem.
        use: What the weights are good for, free text.
        licence: Licence of the weights as far as it is known, free text.

    Raises:
        ConversionError: The source is unknown, damaged or hostile; nothing was written.
        CheckpointError: The tensors do not fit the recognised architecture, with every difference
            named; nothing was written. Or the existing manifest is broken.
        FileWriteError: The destination cannot be written.
    """
    if destination.suffix.lower() != SUFFIX:
        raise ConversionError(
            f"{destination.name} does not end in {SUFFIX}", hint=f"name it NAME{SUFFIX}"
        )
    if not is_plain_name(destination.name):
        raise ConversionError(
            f"{destination.name!r} cannot be a model's file name: it is no Unicode, or has control "
            "characters, a colon, a backslash or a leading ~",
            hint=f"name it NAME{SUFFIX}",
        )
    outputs = {"weights": destination, "manifest": destination.with_name(MANIFEST)}
    check_outputs(outputs, [source] if source.is_file() else [])
    foreign = read_source(source)
    arrays = with_previous_mask(foreign.tensors)
    spec = recognise(arrays)
    tensors = {
        name: torch.from_numpy(np.array(array, dtype=np.float32)) for name, array in arrays.items()
    }
    load_tensors(spec.build(), tensors, source=f"{foreign.name} ({spec})")
    not_finite = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if not_finite:
        raise ConversionError(
            f"{foreign.name}: {not_finite[0]} holds values that are not finite",
            hint="the file is damaged; download it again",
        )
    data = to_safetensors(tensors, {"architecture": spec.architecture})
    name = model_name(destination.name)
    feedback = ARCHITECTURES[spec.architecture].feedback
    entry = ModelEntry(
        file=destination.name,
        sha256=hashlib.sha256(data).hexdigest(),
        architecture=spec.architecture,
        options=spec.options,
        feedback=feedback,
        input=INPUT.format(feedback=feedback),
        use=_plain(use),
        licence=_plain(licence),
        trained_on="see the publisher",
        metrics={},
        metrics_note="not measured",
        source=SourceNote(
            name=_plain(foreign.name),
            sha256=foreign.sha256,
            converted_on=datetime.now(timezone.utc).date().isoformat(),
        ),
    )
    write_atomically(destination, data)
    add_to_manifest(destination.parent, name, entry)
    return Checkpoint(name, entry, destination)


def _plain(text: str) -> str:
    """Text as Unicode: bytes of a command line or a file name that are none become escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
