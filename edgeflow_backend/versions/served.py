"""Which version is served: the one small file of a store that changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgeflow_backend.versions.synced import replace_synced

SERVED = "served.json"

MOST_BEFORE = 20
"""Versions served before that are remembered."""

Number = Annotated[int, Field(ge=1)]


class Served(BaseModel):
    """Which version answers, and which did before.

    Attributes:
        number: The version; None for the base weights.
        before: Those that it took the place of, the latest last.
        rolled_back: Why others were withdrawn, by number.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: Number | None = None
    before: tuple[Number, ...] = ()
    rolled_back: dict[Number, str] = {}

    @property
    def mentioned(self) -> frozenset[int]:
        """Versions that are served, or were."""
        now = () if self.number is None else (self.number,)
        return frozenset((*now, *self.before, *self.rolled_back))

    def serving(self, number: int) -> Served:
        """With another version in its place."""
        if number == self.number:
            return self
        before = [each for each in self.before if each != number]
        before += [] if self.number is None else [self.number]
        rest = {each: why for each, why in self.rolled_back.items() if each != number}
        return Served(number=number, before=tuple(before[-MOST_BEFORE:]), rolled_back=rest)

    def without(self, reason: str, there: frozenset[int]) -> Served:
        """With the version before in its place, or the base weights.

        Args:
            reason: Why.
            there: Versions that still exist.
        """
        if self.number is None:
            return self
        before = [each for each in self.before if each in there and each != self.number]
        number = before.pop() if before else None
        withdrawn = {**self.rolled_back, self.number: reason}
        return Served(number=number, before=tuple(before), rolled_back=withdrawn)

    def write(self, folder: Path) -> None:
        """Replace the file.

        Raises:
            OSError: It cannot be written; then it is as it was.
        """
        text = json.dumps(self.model_dump(mode="json"), indent=2)
        replace_synced(folder / SERVED, f"{text}\n".encode())


def read_served(folder: Path) -> tuple[Served, str]:
    """Which version is served; and what is wrong with the file, where something is.

    A file that is missing or damaged says that none is.
    """
    try:
        data = json.loads((folder / SERVED).read_text(encoding="utf-8"))
        return Served.model_validate(data), ""
    except FileNotFoundError:
        return Served(), ""
    except OSError as error:
        return Served(), f"it cannot be read: {error.strerror}"
    except (ValidationError, ValueError, RecursionError):
        return Served(), "it is damaged; serve a version again"
