"""The folder that a run writes masks into: what an interrupted run left there is taken up."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from edgeflow.cli.sequences.outputs import check_new_folder
from edgeflow.errors import FileWriteError
from edgeflow.files import UNFINISHED, write_atomically
from edgeflow.label_studio.values import JSONObject

OWN = ".edgeflow-propagate"
"""Folder in the output for all that a further run needs. It may be deleted after the last one."""

_RUN, _MASKS, _STEPS, _KIND = "run.json", "masks.jsonl", "steps", ".npz"


class RunFolder:
    """An output folder with the masks of one sequence; see also ``StepStore``.

    It holds the digests of all masks that were written, so one that was changed by hand since is
    never replaced.

    Args:
        folder: The output folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._own = folder / OWN
        self._used: set[str] = set()
        self._made: set[str] = set()

    def check(self, run: JSONObject, names: Sequence[str], inputs: Sequence[Path]) -> None:
        """Refuse, before any work is done, a folder whose content would be lost or mixed.

        Args:
            run: What a run is of; another one in the same folder is refused.
            names: Of the masks that it may write.
            inputs: Masks that are read.

        Raises:
            FileWriteError: It is not empty and of no such run, cannot be written, holds an input,
                or a mask that was changed by hand.
        """
        if not (self._own / _RUN).is_file():
            check_new_folder(self.folder)
            return
        if self._run() != run:
            raise FileWriteError(
                f"{self.folder} holds masks of other frames or clicks",
                hint="name a new folder with --output, or delete that one",
            )
        for path in inputs:
            if path.resolve().is_relative_to(self.folder.resolve()):
                raise FileWriteError(
                    f"{path} lies where masks are written",
                    hint="copy the masks that you corrected to a folder of their own",
                )
        written = self._written()
        for path in (self.folder / name for name in names):
            if path.is_file() and _digest(path.read_bytes()) not in written.get(path.name, ()):
                raise FileWriteError(
                    f"{path} was changed by hand after it was written",
                    hint="move it to a folder of your own, and name it with --mask",
                )

    def begin(self, run: JSONObject) -> None:
        """Note what the run is of, and clear away what a killed process left half done.

        Raises:
            FileWriteError: The folder cannot be written.
        """
        for place in (self.folder, self._own, self._own / _STEPS):
            for part in place.glob(f"{UNFINISHED}*"):
                shutil.rmtree(part, ignore_errors=True)
        write_atomically(self._own / _RUN, json.dumps(run).encode())
        with (self._own / _MASKS).open("a", encoding="utf-8") as file:
            file.write("\n")  # after a line that an interruption cut off

    def write(self, name: str, data: bytes) -> None:
        """Write a mask; it is noted first, so that an interruption leaves none unknown."""
        self._made.add(name)
        path = self.folder / name
        if path.is_file() and path.read_bytes() == data:
            return
        with (self._own / _MASKS).open("a", encoding="utf-8") as file:
            file.write(_line(name, _digest(data)))
        write_atomically(path, data)

    def get(self, key: str) -> bytes | None:
        """See :class:`edgeflow.propagate.kept_steps.StepStore`."""
        path = self._step(key)
        if not path.is_file():
            return None
        self._used.add(key)
        return path.read_bytes()

    def put(self, key: str, data: bytes) -> None:
        """See :class:`edgeflow.propagate.kept_steps.StepStore`."""
        self._used.add(key)
        write_atomically(self._step(key), data)

    def finish(self) -> None:
        """Delete the masks and steps of earlier runs that this one has not."""
        written = self._written()
        for name in written.keys() - self._made:
            (self.folder / name).unlink(missing_ok=True)
        lines = [
            _line(name, digests[-1]) for name, digests in written.items() if name in self._made
        ]
        write_atomically(self._own / _MASKS, "".join(lines).encode())
        for path in (self._own / _STEPS).glob(f"*{_KIND}"):
            if path.stem not in self._used:
                path.unlink()

    def _step(self, key: str) -> Path:
        return self._own / _STEPS / f"{key}{_KIND}"

    def _run(self) -> object:
        try:
            return json.loads((self._own / _RUN).read_bytes())
        except (OSError, ValueError):
            return None

    def _written(self) -> dict[str, list[str]]:
        """The digests that each mask had, in order; a line that was cut off does not count."""
        found: dict[str, list[str]] = {}
        path = self._own / _MASKS
        for line in path.read_bytes().splitlines() if path.is_file() else ():
            try:
                name, digest = json.loads(line)
            except (ValueError, TypeError):
                continue
            if isinstance(name, str) and Path(name).name == name:
                found.setdefault(name, []).append(digest)
        return found


def _line(name: str, digest: str) -> str:
    return json.dumps([name, digest]) + "\n"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
