"""Compressed frames, decoded in a process with limits: a file of 1 KiB can be minutes of work."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import weakref
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from edgeflow.errors import EdgeFlowError
from edgeflow.volumes.dicom.child import HEAD

MEMORY_BYTES, BYTES_A_VALUE = 512 << 20, 24
"""Memory beyond that of the libraries: this much, and so much for each value of the frame."""

CPU_S, VALUES_A_SECOND = 10, 4 << 20
"""Processor time: this much, and a second for so many values."""

_LINE = 4096
"""Most bytes of an answer's first line."""

_START = (
    "import sys; sys.path[:] = sys.argv.pop(1).split(chr(10)); "
    "from edgeflow.volumes.dicom.child import main; main()"
)
"""The child has this process's path and not the working folder, which may hold foreign modules."""


class DecodingError(EdgeFlowError):
    """A frame that cannot be decoded; the message says why, and not of what."""

    code = "volume"


class FrameDecoder:
    """Decodes frames, one after another, in a child that is started at the first. Not for threads.

    A child that a frame has ended is replaced at the next one.
    """

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def decode(self, file: bytes, values: int) -> npt.NDArray[Any]:
        """Decode a frame.

        Args:
            file: A DICOM file with nothing but the frame, untrusted.
            values: How many the frame claims: pixels times samples.

        Returns:
            H×W or H×W×3, as stored; YBR as RGB.

        Raises:
            DecodingError: It is damaged, hostile, or of a kind that is not known.
        """
        memory = MEMORY_BYTES + BYTES_A_VALUE * values
        seconds = CPU_S + values // VALUES_A_SECOND
        child = self._child or self._start()
        assert child.stdin is not None  # noqa: S101 - it is a pipe
        assert child.stdout is not None  # noqa: S101
        try:
            child.stdin.write(HEAD.pack(memory, seconds, len(file)) + file)
            child.stdin.flush()
            return _answer(child.stdout, values)
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._child = None
            raise DecodingError(_fault(_ended(child))) from error

    def _start(self) -> subprocess.Popen[bytes]:
        root = str(Path(__file__).parents[3])
        modules = "\n".join([root, *(each for each in sys.path if each)])
        child = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-I", "-c", _START, modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        weakref.finalize(self, _ended, child)
        self._child = child
        return child


def _answer(answers: IO[bytes], values: int) -> npt.NDArray[Any]:
    """Read a child's answer; raises ValueError, KeyError or TypeError for what is none."""
    said = json.loads(answers.readline(_LINE))
    if "error" in said:
        raise DecodingError("no decoder can read it")
    shape, kind = tuple(map(int, said["shape"])), np.dtype(str(said["dtype"]))
    if math.prod(shape) > values:
        raise ValueError("more pixels than were asked for")
    data = answers.read(math.prod(shape) * kind.itemsize)
    return np.frombuffer(data, kind).reshape(shape)


def _ended(child: subprocess.Popen[bytes]) -> int:
    """End a child; its exit status."""
    for pipe in (child.stdin, child.stdout):
        if pipe is not None and not pipe.closed:
            try:
                pipe.close()
            except OSError:  # what was not sent
                continue
    try:
        return child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def _fault(status: int) -> str:
    if -status in {getattr(signal, name, None) for name in ("SIGXCPU", "SIGALRM", "SIGKILL")}:
        return "decoding it takes more time than pictures of its size do"
    if status < 0:
        return f"the decoder crashed (signal {-status})"
    return "the decoder ended for want of memory"
