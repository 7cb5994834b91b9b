"""Reading of foreign weights in a process of its own, with limits on time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from safetensors import SafetensorError, safe_open

from edgeflow.checkpoints.convert.archive import MAX_BYTES
from edgeflow.checkpoints.convert.child import NOTE
from edgeflow.checkpoints.convert.kinds import Kind, promised_by
from edgeflow.checkpoints.convert.sources import Source
from edgeflow.errors import ConversionError

MEMORY_BYTES, MEMORY_FACTOR = 256 << 20, 8
"""Memory beyond that of the libraries: this much, and this many times the source's size."""

CPU_S, BYTES_PER_S = 10, 8 << 20
"""Processor time: this much, and a second for so many bytes."""

WALL_S, WALL_FACTOR = 60, 4
"""Time by the clock, which a busy machine stretches: start-up, and times the processor time."""

_START = (
    "import sys; sys.path[:] = sys.argv.pop(1).split(chr(10)); "
    "from edgeflow.checkpoints.convert.child import main; main()"
)
"""The child has this process's path and not the working folder, which may hold foreign modules."""


def read_source(path: Path) -> Source:
    """Read foreign weights; see :func:`edgeflow.checkpoints.convert.sources.open_source`.

    Raises:
        ConversionError: The format is unknown, the file is damaged or hostile, or reading it took
            more time or memory than weights of its size can need.
    """
    size = _size(path)
    memory, seconds = MEMORY_BYTES + MEMORY_FACTOR * size, CPU_S + size // BYTES_PER_S
    root = str(Path(__file__).parents[3])
    modules = "\n".join([root, *(each for each in sys.path if each)])
    with tempfile.TemporaryDirectory(prefix="edgeflow-convert-") as folder:
        result = Path(folder) / "tensors.safetensors"
        command = [sys.executable, "-I", "-c", _START, modules, str(path.absolute()), str(result)]
        try:
            done = subprocess.run(  # noqa: S603 - our own module
                [*command, str(memory), str(seconds)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=WALL_S + WALL_FACTOR * seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise _hostile(path, "reading it took too long") from error
        if done.returncode != 0:
            raise _failure(path, done.returncode, done.stdout)
        return _read_result(path, result)


def _size(path: Path) -> int:
    """Bytes that a source has: a file with what lies beside it counts once, a folder whole."""
    alone = promised_by(path.name) not in (Kind.PROGRAM, Kind.PARAMETERS)
    if path.is_file() and alone:
        return min(path.stat().st_size, MAX_BYTES)
    folder = path if path.is_dir() else path.parent
    files = [each for each in folder.glob("*") if each.is_file()]
    return min(sum(each.stat().st_size for each in files), MAX_BYTES)


def _read_result(path: Path, result: Path) -> Source:
    try:
        with safe_open(result, framework="np") as file:
            note = json.loads(file.metadata()[NOTE])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise _hostile(path, f"its tensors came out damaged ({type(error).__name__})") from error
    return Source(tensors, note["name"], note["sha256"])


def _failure(path: Path, code: int, said: bytes) -> ConversionError:
    try:
        words = json.loads(said)
        return ConversionError(str(words["message"]), hint=str(words["hint"]))
    except (ValueError, KeyError, TypeError):
        if code in (-9, -24):  # SIGKILL by the hard limit, SIGXCPU
            return _hostile(path, "reading it took too long")
        if code < 0:
            return _hostile(path, f"reading it crashed (signal {-code})")
        return _hostile(path, "reading it took too much memory, or it is damaged")


def _hostile(path: Path, fault: str) -> ConversionError:
    return ConversionError(
        f"{path.name} cannot be read: {fault}; no weights of its size need that",
        hint="do not trust this file; download the weights again from their source",
    )
