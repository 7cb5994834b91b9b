"""What is known of a project's last training, in a file that is replaced whole."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgeflow.errors import FileWriteError
from edgeflow.files import write_atomically
from edgeflow.learning.due import LastTraining
from edgeflow_backend.learning.store import StoreError
from edgeflow_backend.log import get_logger

RECORD = "training.json"

State = Literal["running", "accepted", "refused", "failed"]


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


class TrainingRecord(BaseModel):
    """A training.

    Attributes:
        state: How it stands; ``running`` also of one that was killed.
        objects: Accepted objects that counted when it began.
        attempts: Trainings since the last verdict, this one included.
        at: When it came to that state, ISO 8601 in UTC.
        message: What a person should know: why a version was refused, or what went wrong.
        version: Number of the version; None where there is none.
        verdict: The gate's, as :meth:`edgeflow.learning.gate.verdict.Verdict.to_json` has it.
        seconds: What it took.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: State
    objects: int = Field(ge=0)
    attempts: int = Field(default=1, ge=1)
    at: str = Field(default_factory=_now)
    message: str = ""
    version: int | None = None
    verdict: dict[str, Any] | None = None
    seconds: float = 0.0

    @property
    def last(self) -> LastTraining:
        """As the rule that says when one is due wants it."""
        finished = self.state in ("accepted", "refused")
        learnt = not finished or self.version is not None
        return LastTraining(self.objects, finished, self.attempts, learnt)


def read_record(folder: Path) -> TrainingRecord | None:
    """The last training of the project in a folder; None if there was none, or it is damaged."""
    path = folder / RECORD
    try:
        return TrainingRecord.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError, ValueError, RecursionError) as error:
        get_logger().warning("training's record not read", file=str(path), reason=str(error)[:200])
        return None


def write_record(folder: Path, record: TrainingRecord) -> None:
    """Write the record of a training.

    Raises:
        StoreError: It cannot be written, or the project has been erased meanwhile.
    """
    if not folder.is_dir():
        raise StoreError(f"there is no folder {folder}", hint="the project has been erased")
    try:
        write_atomically(folder / RECORD, f"{record.model_dump_json(indent=1)}\n".encode())
    except FileWriteError as error:
        raise StoreError(error.message, hint=error.hint) from error


def told_training(folder: Path) -> str:
    """What a person should know of the last training of the project in a folder; mostly nothing.

    Where a version was made, it says itself why it was refused.
    """
    record = read_record(folder)
    if record is None or record.version is not None or not record.message:
        return ""
    how = "was refused" if record.state == "refused" else "failed"
    return f"the last training {how}: {record.message}"
