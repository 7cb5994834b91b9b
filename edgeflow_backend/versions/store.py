"""The versions of one project on disk, of which one may be served.

Each version is a folder that is made beside and renamed when it is whole; the one that is served
stands in a file that is replaced. Several processes may read and write; a crash at any moment
leaves the state before or after.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from torch import Tensor

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.errors import CheckpointError, EdgeFlowError, FileWriteError
from edgeflow.files import UNFINISHED
from edgeflow.learning.likeness.likeness import Likeness
from edgeflow_backend.log import get_logger
from edgeflow_backend.versions.lock import alone
from edgeflow_backend.versions.reading import listed, numbers, paths, read_likeness, read_version
from edgeflow_backend.versions.served import SERVED, read_served
from edgeflow_backend.versions.synced import rename_synced
from edgeflow_backend.versions.version import Facts, SpoiledVersionError, Version
from edgeflow_backend.versions.writing import packed, write_version

VERSIONS = "versions"
"""Folder in the project's."""

MOST_KEPT = 5
"""Versions that are kept besides the served one."""

PATIENCE_S = 60.0
"""How long another process may be writing before this one gives up."""

_MAKING, _LEAVING, _LOCK = ".making-", ".leaving-", ".lock"


class VersionsError(EdgeFlowError):
    """A version cannot be stored or served."""

    code = "learning_versions"


class Versions:
    """A project's versions. Thread-safe, and several processes may share them.

    Args:
        folder: The project's folder, which must exist before a version is added: what has been
            erased is not made anew.
        project: The project's id, a part of each version's name.
    """

    def __init__(self, folder: Path, project: str = "") -> None:
        self._folder = folder / VERSIONS
        self._project = project
        self._log = get_logger()

    def add(
        self,
        tensors: Mapping[str, Tensor],
        base: Checkpoint,
        *,
        objects: int,
        verdict: Mapping[str, Any],
        accepted: bool,
        reason: str = "",
        likeness: Likeness | None = None,
    ) -> Version:
        """Store a version, whole or not at all; it is not served by that.

        The oldest leave where there are more than :data:`MOST_KEPT` besides the served one, but
        not the one that it took the place of.

        Args:
            tensors: Its weights by name; they are stored in half precision.
            base: The weights that it was made from.
            objects: Accepted objects that it has learnt from.
            verdict: What the gate found: JSON values by name.
            accepted: Whether it may be served.
            reason: Why it may not.
            likeness: Which images it answers; None for all.

        Raises:
            VersionsError: It cannot be written, the weights do not fit the base's network, or are
                no finite numbers in half precision.
            ValueError: The verdict is no JSON; neither NaN nor infinity is.
        """
        try:
            data = packed(tensors)
        except OverflowError as error:
            raise VersionsError(str(error), hint="the training went astray: train again") from error
        alike = b"" if likeness is None else likeness.to_bytes()
        with self._writing(), self._in_words():
            number = max(numbers(self._folder), default=0) + 1
            facts = Facts(
                number=number,
                base=base.entry.sha256,
                made_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
                objects=objects,
                verdict=dict(verdict),
                accepted=accepted,
                reason=reason,
                likeness=hashlib.sha256(alike).hexdigest() if alike else "",
            )
            with tempfile.TemporaryDirectory(dir=self._folder, prefix=_MAKING) as outer:
                folder = Path(outer) / str(number)
                folder.mkdir(mode=0o700)
                write_version(folder, facts, base, data, alike, self._project)
                rename_synced(folder, self._folder / str(number))
            self._drop_old()
        version = self.find(number)
        if version is None:
            raise VersionsError(
                f"version {number} was removed while it was added", hint="add it again"
            )
        self._log.info("version added", version=version.checkpoint.version, state=version.state)
        return version

    def serve(self, number: int) -> None:
        """Have a version answer the project's clicks, in every process within seconds.

        Raises:
            VersionsError: There is no such version, it was refused, or it cannot be written.
        """
        with self._writing(), self._in_words():
            version = self.find(number)
            if version is None or version.state == "refused":
                known = ", ".join(str(v.number) for v in self.all() if v.state != "refused")
                raise VersionsError(
                    f"version {number} was refused: {version.reason}"
                    if version
                    else f"there is no version {number}",
                    hint=f"versions that may be served: {known or 'none'}",
                )
            read_served(self._folder)[0].serving(number).write(self._folder)
        self._log.info("version served", version=version.checkpoint.version)

    def roll_back(self, reason: str, number: int | None = None) -> Version | None:
        """Withdraw the served version: the one before answers, or else the base weights.

        Args:
            reason: Why.
            number: Only if this one is served; by default whichever is.

        Returns:
            The version that is served now; None for the base weights.

        Raises:
            VersionsError: It cannot be written.
        """
        if not self._folder.is_dir():
            return None
        with self._writing(), self._in_words():
            served, _ = read_served(self._folder)
            if served.number is not None and number in (None, served.number):
                there = frozenset(each.number for each in self.all())
                withdrawn, served = served.number, served.without(reason, there)
                served.write(self._folder)
                self._log.warning("version rolled back", number=withdrawn, reason=reason)
        return None if served.number is None else self.find(served.number)

    def serving(self, base: str) -> Version | None:
        """The version that answers; None for the base weights.

        Args:
            base: SHA-256 of the base weights; a version that was made from others does not answer.
        """
        served, wrong = read_served(self._folder)
        if wrong:
            self._log.warning("no version served", file=SERVED, reason=wrong)
        if served.number is None:
            return None
        try:
            version = read_version(self._folder / str(served.number), served)
            read_likeness(version)
        except SpoiledVersionError as error:
            self._log.warning("version not served", number=served.number, reason=str(error))
            return None
        return version if version.base == base else None

    def unserved(self, base: str) -> Version | None:
        """The newest version that may be served and never was; None if there is none.

        One that is older than any that was served, be it withdrawn since, has been superseded.

        Args:
            base: SHA-256 of the base weights; a version that was made from others is left alone.
        """
        served, wrong = read_served(self._folder)
        if wrong:
            return None
        newest = max(served.mentioned, default=0)
        for version in reversed(self.all()):
            if (version.state, version.base) != ("accepted", base) or version.number <= newest:
                continue
            with contextlib.suppress(SpoiledVersionError):
                read_likeness(version)
                return version
        return None

    def stamp(self) -> tuple[int, ...]:
        """Differs after each change of what is served; costs one look at a file."""
        try:
            stat = (self._folder / SERVED).stat()
        except OSError:
            return ()
        return stat.st_mtime_ns, stat.st_ino, stat.st_size

    def all(self) -> list[Version]:
        """All versions, the oldest first."""
        return listed(self._folder).versions

    def ignored(self) -> dict[str, str]:
        """What lies among the versions and is none, or a damaged one: why, by name."""
        return listed(self._folder).ignored

    def find(self, number: int) -> Version | None:
        """A version by its number; None if there is none, or it is damaged."""
        return next((each for each in self.all() if each.number == number), None)

    def _drop_old(self) -> None:
        served, _ = read_served(self._folder)
        stays = {served.number, *served.before[-1:]}
        others = sorted(set(numbers(self._folder)) - stays, reverse=True)
        room = MOST_KEPT - len(stays - {None, served.number})
        for number in others[room:]:
            leaving = self._folder / f"{_LEAVING}{number}"
            (self._folder / str(number)).rename(leaving)  # at once: readers see all of it, or none
            shutil.rmtree(leaving, ignore_errors=True)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Keep other writers out, and clear away what a killed one left."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            with alone(self._folder / _LOCK, PATIENCE_S) as mine:
                if not mine:
                    raise VersionsError(
                        "another process is writing versions of this project", hint="try again"
                    )
                for path in paths(self._folder):
                    if path.name.startswith((_MAKING, _LEAVING, UNFINISHED)):
                        shutil.rmtree(path, ignore_errors=True)
                yield
        except FileNotFoundError as error:
            raise VersionsError(
                f"there is no folder {self._folder.parent}",
                hint="what was kept of the project has been erased",
            ) from error
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error

    @contextlib.contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except (OSError, FileWriteError) as error:
            raise self._unusable(error) from error
        except (CheckpointError, SpoiledVersionError) as error:
            raise VersionsError(
                f"the version does not fit its network: {error}", hint="train again"
            ) from error

    def _unusable(self, error: Exception) -> VersionsError:
        text = getattr(error, "strerror", None) or getattr(error, "message", None) or error
        return VersionsError(
            f"cannot write {self._folder}: {text}",
            hint="check the folder, its permissions and the space on its disk",
        )
