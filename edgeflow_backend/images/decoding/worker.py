"""A child process that decodes, seen from the backend."""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass

import numpy as np

from edgeflow.arrays import RGBImage
from edgeflow.errors import ImageError, ImageTooLargeError
from edgeflow_backend.errors import InternalError
from edgeflow_backend.images.decoding.wire import ClosedError, Message, receive, send
from edgeflow_backend.settings import environment_of_children

CHILD = "edgeflow_backend.images.decoding.child"
GRACE_S = 2.0
"""How long after its own time limit a child is killed by us, should it be stopped."""

FEW_BYTES = 8 << 20
"""Smaller images are copied to anonymous pages: a mapped file holds a descriptor."""

_ERRORS: dict[str, type[ImageError]] = {
    error.code: error for error in (ImageError, ImageTooLargeError)
}


class SlowImageError(ImageError):
    """An image that takes too long to decode."""

    code = "image_too_slow"


class NotPlainError(Exception):
    """An image that cannot be decoded in strips after all."""


@dataclass(frozen=True)
class Job:
    """What a child is asked to do.

    Attributes:
        max_pixels: Limit of pixels.
        nbytes: Memory that it may take.
        timeout_s: Seconds that it may take.
        strips: Whether to decode it in strips.
        as_stored: Whether to leave it as it is stored.
    """

    max_pixels: int
    nbytes: int
    timeout_s: float
    strips: bool
    as_stored: bool = False


@dataclass(frozen=True)
class Decoded:
    """A decoded image.

    Attributes:
        pixels: H×W×3 uint8 RGB, in memory pages of its own.
        notes: What is to be said about it.
    """

    pixels: RGBImage
    notes: tuple[str, ...] = ()


class Worker:
    """One child process. Not thread-safe, except :meth:`kill`."""

    def __init__(self) -> None:
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", CHILD, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={
                    **environment_of_children(),
                    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                    "OPENBLAS_NUM_THREADS": "1",
                    "OPENCV_LOG_LEVEL": "OFF",
                },
            )

    @property
    def alive(self) -> bool:
        """Whether the child can take another job."""
        return self._process.poll() is None

    def decode(self, file: int, job: Job) -> Decoded:
        """Decode an image.

        Args:
            file: Descriptor of the image's file.
            job: How.

        Raises:
            ImageError: The image cannot be decoded; the child may be gone.
            NotPlainError: It cannot be decoded in strips.
        """
        self._connection.settimeout(job.timeout_s + GRACE_S)
        try:
            send(self._connection, vars(job), file)
            reply, result = receive(self._connection)
        except (ClosedError, TimeoutError) as error:
            raise self._lost(job, late=isinstance(error, TimeoutError)) from error
        if result is None:
            raise _error(reply, job)
        try:
            return _map(reply, result)
        except (KeyError, TypeError, ValueError, OSError) as error:
            self.kill()
            raise InternalError("a decoder's answer makes no sense") from error
        finally:
            os.close(result)

    def kill(self) -> None:
        """End the child now, whatever it is doing; it is waited for."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Give the child and its socket up."""
        self.kill()
        self._connection.close()

    def _lost(self, job: Job, *, late: bool) -> ImageError:
        if not late:  # it ends, or sent nonsense
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE_S)
        code = self._process.poll()
        self.kill()
        if late or code == -signal.SIGALRM:
            return SlowImageError(
                f"decoding the image took longer than {job.timeout_s:g} s",
                hint="save it anew in an image editor, resize it, or raise "
                "EDGEFLOW_DECODE_TIMEOUT_S",
            )
        reason = "" if code is None or code >= 0 else f" ({_signal_name(-code)})"
        return ImageError(
            f"the image's decoder died on it{reason}",
            hint="save it anew in an image editor; if every image fails, see the backend's log",
        )


def _error(reply: Message, job: Job) -> Exception:
    code, message, hint = (str(reply.get(key, "")) for key in ("code", "message", "hint"))
    if job.strips and code in ("memory", "defect"):
        return NotPlainError()
    if code == "memory":
        return ImageTooLargeError(
            f"decoding the image takes more than {job.nbytes // 1_000_000} MB of memory, which is "
            "more than images of its format and size need",
            hint="save it anew in an image editor",
        )
    if code == "defect":
        return InternalError(
            f"an unexpected error while decoding ({message})", hint="save it anew as a PNG"
        )
    return _ERRORS.get(code, ImageError)(message, hint=hint)


def _map(reply: Message, file: int) -> Decoded:
    height, width, channels = (int(side) for side in reply["shape"])
    nbytes = height * width * channels
    if channels != 3 or nbytes <= 0 or os.fstat(file).st_size != nbytes:
        raise ValueError("another size")
    pages = mmap.mmap(file, nbytes, access=mmap.ACCESS_COPY)
    if nbytes < FEW_BYTES:
        with pages:
            own = mmap.mmap(-1, nbytes, flags=mmap.MAP_PRIVATE)
            own[:] = pages
        pages = own
    pixels: RGBImage = np.frombuffer(pages, np.uint8).reshape(height, width, channels)
    return Decoded(pixels, tuple(str(note) for note in reply["notes"]))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
