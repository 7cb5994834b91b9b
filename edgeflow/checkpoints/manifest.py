"""The manifest of a weights folder: what each file is, and the sha256 that pins it."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from edgeflow.errors import CheckpointError, brief
from edgeflow.files import write_atomically
from edgeflow.masks.score import Calibration
from edgeflow.nn.interface import Feedback

MANIFEST = "manifest.json"

_OUTSIDE = re.compile(r"^~|^\.{0,2}$|[/\\:\x00-\x1f\x7f\ud800-\udfff]")
"""What leads out of a folder somewhere, cannot be printed, or cannot be written as UTF-8."""


def is_plain_name(name: str) -> bool:
    """Whether a file name can stand in a manifest: any Unicode but control characters and paths."""
    return _OUTSIDE.search(name) is None


def model_name(file: str) -> str:
    """The name of the model in a weights file: its stem, composed (NFC) as keyboards type it."""
    return unicodedata.normalize("NFC", Path(file).stem)


def _checked(name: str) -> str:
    if not is_plain_name(name):
        raise ValueError("not a plain file name")
    return name


class SourceNote(BaseModel):
    """Where converted weights came from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    converted_on: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")


class StatisticsFile(BaseModel):
    """Statistics of images of many kinds, which tell one kind from the others.

    Attributes:
        file: File name in the manifest's folder.
        sha256: Digest of the file, in hex.
        made_of: The images, free text.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Annotated[str, AfterValidator(_checked)]
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    made_of: str


class ModelEntry(BaseModel):
    """Description of one weights file.

    Attributes:
        file: File name in the manifest's folder.
        sha256: Digest of the file, in hex.
        architecture: Key of :data:`edgeflow.nn.registry.ARCHITECTURES`.
        options: Constructor arguments of the architecture.
        feedback: Output that is fed back at the next click; must equal the architecture's.
        input: Format of the network's input, free text.
        use: What the weights are good for, free text.
        licence: Licence of the weights, free text.
        trained_on: Training data, free text.
        metrics: Figures by name, by benchmark.
        metrics_note: How the figures were measured, free text.
        source: Origin of converted weights.
        calibration: Calibration of the score.
        statistics: Statistics of images, as these weights sum them up; a version that a project
            learns is told by them which images it is for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Annotated[str, AfterValidator(_checked)]
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    architecture: str
    options: dict[str, int | bool] = {}
    feedback: Feedback
    input: str
    use: str
    licence: str
    trained_on: str
    metrics: dict[str, dict[str, float]]
    metrics_note: str
    source: SourceNote | None = None
    calibration: Calibration = Calibration()
    statistics: StatisticsFile | None = None


class Manifest(BaseModel):
    """The weights of one folder, by model name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = Field(ge=1, le=1)
    models: dict[str, ModelEntry]


def read_manifest(folder: Path) -> Manifest:
    """Read ``manifest.json`` of a weights folder.

    Raises:
        CheckpointError: The manifest is missing or does not follow the format.
    """
    path = folder / MANIFEST
    try:
        return Manifest.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise CheckpointError(
            f"no manifest at {path}: {error.strerror}",
            hint=f"put a {MANIFEST} that describes the weights beside them; `edgeflow convert` "
            "writes both",
        ) from error
    except (ValidationError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path} is not a valid manifest: {brief(error, 1000)}",
            hint="see weights/manifest.json",
        ) from error


def add_to_manifest(folder: Path, name: str, entry: ModelEntry) -> None:
    """Add or replace one model in a folder's manifest.

    Raises:
        CheckpointError: The existing manifest is broken.
        FileWriteError: The folder cannot be written to.
    """
    models = read_manifest(folder).models if (folder / MANIFEST).is_file() else {}
    manifest = Manifest(format=1, models={**models, name: entry})
    text = json.dumps(manifest.model_dump(exclude_none=True), indent=2, ensure_ascii=False)
    write_atomically(folder / MANIFEST, f"{text}\n".encode())
