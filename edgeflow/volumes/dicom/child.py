"""The process that decodes compressed frames: whatever they do to it, only it ends.

Run by :class:`edgeflow.volumes.dicom.decoder.FrameDecoder`. Requests come on standard input and
answers go to standard output; it ends when the input does, or at the limits that a request brings.
"""

from __future__ import annotations

import io
import json
import mmap
import os
import signal
import struct
import sys
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pydicom
from pydicom.pixels.utils import pixel_array

from edgeflow.errors import brief

HEAD = struct.Struct(">QQQ")
"""Of a request: bytes of memory, seconds, and the length of the DICOM file that follows."""


def main() -> None:
    """Answer requests until there are no more.

    A request is :data:`HEAD` and a DICOM file of one frame. An answer is a line of JSON: ``shape``
    and ``dtype``, and after it the pixels; or ``error``, why there are none.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which closes us
    answers = os.fdopen(os.dup(1), "wb")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)  # decoders in C complain wherever they like
    os.dup2(silence, 2)
    warnings.simplefilter("ignore")
    while len(head := sys.stdin.buffer.read(HEAD.size)) == HEAD.size:
        memory, seconds, length = HEAD.unpack(head)
        data = sys.stdin.buffer.read(length)
        _limit(memory, seconds)
        _answer(data, answers)
        _limit(0, 0)


def _answer(data: bytes, answers: BinaryIO) -> None:
    try:
        pixels = np.ascontiguousarray(pixel_array(pydicom.dcmread(io.BytesIO(data)), index=0))
        said = {"shape": pixels.shape, "dtype": pixels.dtype.str}
    except Exception as error:  # noqa: BLE001 - decoders raise almost anything; told to the parent
        said, pixels = {"error": brief(error) or type(error).__name__}, np.zeros(0, np.uint8)
    answers.write(json.dumps(said).encode() + b"\n")
    answers.write(pixels.data.cast("B") if pixels.size else b"")
    answers.flush()


def _limit(memory: int, seconds: int) -> None:
    """Limit what this process may take beyond what it has; 0 lifts it. Nothing but on Unix."""
    try:
        import resource  # noqa: PLC0415 - Unix only
    except ImportError:
        return
    # The kernel ends it, also when the parent is gone: time by the clock, generous on busy machines
    signal.setitimer(signal.ITIMER_REAL, 4 * seconds)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(usage.ru_utime + usage.ru_stime) + 1
    held = Path("/proc/self/statm")
    used = int(held.read_text().split()[0]) * mmap.PAGESIZE if held.is_file() else 1 << 30
    for kind, value in (
        (resource.RLIMIT_CPU, spent + seconds if seconds else None),
        (resource.RLIMIT_AS, used + memory if memory else None),
    ):
        _, hard = resource.getrlimit(kind)
        soft = hard if value is None else value
        if hard != resource.RLIM_INFINITY:
            soft = min(soft, hard)
        resource.setrlimit(kind, (soft, hard))
