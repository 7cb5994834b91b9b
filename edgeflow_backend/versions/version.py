"""A version of the weights that a project has learnt, and its facts on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgeflow.checkpoints.checkpoint import Checkpoint, models_in
from edgeflow.errors import CheckpointError, brief
from edgeflow_backend.protocol.project import ProjectRef

FACTS = "version.json"
LIKENESS = "likeness.safetensors"
MAX_FACTS_BYTES = 4_000_000

State = Literal["served", "accepted", "refused", "rolled back"]


class SpoiledVersionError(ValueError):
    """A folder that is no version."""


@dataclass(frozen=True)
class Version:
    """A version.

    Attributes:
        number: From 1 on, never given twice.
        checkpoint: Its weights, in a folder of its own with a manifest and a model card.
        base: SHA-256 of the weights that it was made from.
        made_at: When, ISO 8601 in UTC.
        objects: Accepted objects that it has learnt from.
        verdict: What the gate found: JSON values by name.
        state: Whether it answers clicks, may do so, may not, or did so and was withdrawn.
        reason: Why it may not, or was withdrawn; empty otherwise.
        likeness: SHA-256 of what says which images it answers; empty if it answers all.
    """

    number: int
    checkpoint: Checkpoint
    base: str
    made_at: str
    objects: int
    verdict: Mapping[str, Any]
    state: State
    reason: str
    likeness: str = ""


class Learnt(NamedTuple):
    """Which version of which project is meant, wherever it is asked for.

    Attributes:
        project: The project.
        number: The version's.
        version: Name and digest of its weights.
    """

    project: ProjectRef
    number: int
    version: str


class Facts(BaseModel):
    """What never changes of a version, beside its weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: Annotated[int, Field(ge=1)]
    base: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    made_at: str
    objects: Annotated[int, Field(ge=0)]
    verdict: dict[str, Any]
    accepted: bool
    reason: str
    likeness: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""

    def write(self, folder: Path) -> None:
        """Write them into a version's folder.

        Raises:
            OSError: They cannot be written.
            ValueError: The verdict is no JSON.
        """
        text = json.dumps(self.model_dump(), indent=2, allow_nan=False)
        (folder / FACTS).write_text(f"{text}\n", encoding="utf-8")


def read_facts(folder: Path) -> tuple[Facts, Checkpoint]:
    """The facts of the version in a folder, and its weights, which are not read.

    Raises:
        SpoiledVersionError: It holds none, or another one than its name says.
    """
    path = folder / FACTS
    try:
        if path.stat().st_size > MAX_FACTS_BYTES:
            raise SpoiledVersionError(f"{FACTS} is too large")
        facts = Facts.model_validate(json.loads(path.read_text(encoding="utf-8")))
        models = models_in(folder)
    except OSError as error:
        raise SpoiledVersionError(f"{FACTS} cannot be read: {error.strerror}") from error
    except (ValidationError, ValueError, RecursionError) as error:
        raise SpoiledVersionError(f"{FACTS} is damaged: {brief(error)}") from error
    except CheckpointError as error:
        raise SpoiledVersionError(error.message) from error
    if folder.name != str(facts.number):
        raise SpoiledVersionError(f"it holds version {facts.number}")
    if len(models) != 1 or not models[0].path.is_file():
        raise SpoiledVersionError("its weights are missing")
    return facts, models[0]
