"""The process that decodes: one image at a time, within limits that the system enforces.

Run as ``python -m edgeflow_backend.images.decoding.child DESCRIPTOR`` with one end of a socket. It
imports what decoding needs, never PyTorch, and ends when the other side closes.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from edgeflow.arrays import RGBImage
from edgeflow.errors import EdgeFlowError
from edgeflow.images import quiet_decoders, read_image
from edgeflow.images.jpeg import without_descriptions
from edgeflow.images.orientation import UPRIGHT, exif_orientation
from edgeflow_backend.images.decoding.wire import ClosedError, Message, receive, send

SPARE_BYTES = 128 << 20
"""Address space beside the image's: libraries, stacks, malloc's reserves."""

MESSAGE_LENGTH = 2000

NICENESS = 5
"""Decoding gives way to the network: clicks on images that are there go on, whoever opens more."""


class Decoded(NamedTuple):
    """Pixels in memory that another process can map, and what is to be said about them."""

    file: int
    shape: tuple[int, ...]
    notes: list[str]


def main() -> None:
    """Serve the socket whose descriptor is the first argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the backend, which closes us
    os.nice(NICENESS)
    with contextlib.suppress(OSError):  # if memory ends, this process goes, not the backend
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        serve(connection)


def serve(connection: socket.socket) -> None:
    """Answer requests until the other side closes.

    A request comes with the image's file and says ``max_pixels``, ``nbytes``, ``timeout_s`` and
    whether to read it in ``strips``. The answer brings the pixels' file with its ``shape`` and
    ``notes``, or says ``code``, ``message`` and ``hint``.
    """
    while True:
        try:
            request, file = receive(connection)
        except ClosedError:
            return
        if file is None:
            return
        try:
            with quiet_decoders(), limits(request["nbytes"], request["timeout_s"]):
                reply, result = answer(file, request)
        finally:
            os.close(file)
        try:
            send(connection, reply, result)
        except ClosedError:
            return
        finally:
            if result is not None:
                os.close(result)


def answer(file: int, request: Message) -> tuple[Message, int | None]:
    """Decode a file; never raises."""
    try:
        decoded = (
            decode_strips(file, as_stored=request["as_stored"])
            if request["strips"]
            else decode(file, request["max_pixels"], as_stored=request["as_stored"])
        )
    except Exception as error:  # noqa: BLE001 - told to the backend in a word
        if _for_want_of_memory(error):
            return {"code": "memory", "message": "", "hint": ""}, None
        if isinstance(error, EdgeFlowError):
            message, hint = error.message[:MESSAGE_LENGTH], error.hint[:MESSAGE_LENGTH]
            return {"code": error.code, "message": message, "hint": hint}, None
        return {"code": "defect", "message": type(error).__name__, "hint": ""}, None
    return {"shape": decoded.shape, "notes": decoded.notes}, decoded.file


def decode(file: int, max_pixels: int, *, as_stored: bool) -> Decoded:
    """Decode any image.

    Raises:
        ImageError: It cannot be decoded, or is too large.
    """
    data = _whole(file)
    read = read_image(data, max_pixels=max_pixels, as_stored=as_stored, partial=True)
    del data
    pixels = read.pixels
    result, pages = _shared(pixels.nbytes)
    with pages:
        np.copyto(np.frombuffer(pages, np.uint8).reshape(pixels.shape), pixels)
    return Decoded(result, pixels.shape, list(read.notes))


def decode_strips(file: int, *, as_stored: bool) -> Decoded:
    """Decode a plain JPEG or PNG in little more than its pixels' own memory.

    Raises:
        ValueError: It is not as plain as it seemed.
    """
    from edgeflow_backend.images.decoding import strips  # noqa: PLC0415 - OpenCV takes 0.1 s

    path = f"/proc/self/fd/{file}"
    with Image.open(path, formats=("JPEG", "PNG")) as image:
        width, height = image.size
        is_jpeg = image.format == "JPEG"
        exif: bytes = image.info.get("exif", b"")
    orientation = (
        UPRIGHT
        if as_stored
        else without_descriptions(_whole(file))[1]
        if is_jpeg
        else exif_orientation(exif.removeprefix(b"Exif\0\0"))
    )
    shape = (width, height, 3) if orientation >= 5 else (height, width, 3)
    result, pages = _shared(width * height * 3)
    with pages:
        upright: RGBImage = np.frombuffer(pages, np.uint8).reshape(shape)
        if orientation == 1:
            read = strips.read_stored(path, upright)
        else:
            with mmap.mmap(-1, len(pages), flags=mmap.MAP_PRIVATE) as own:
                stored: RGBImage = np.frombuffer(own, np.uint8).reshape(height, width, 3)
                read = strips.read_stored(path, stored)
                if read:
                    strips.turn(stored, own, upright, orientation)
                del stored
        del upright
    if not read:
        os.close(result)
        raise ValueError("not plain")
    return Decoded(result, shape, [])


@contextlib.contextmanager
def limits(nbytes: int, timeout_s: float) -> Iterator[None]:
    """Limit this process's growth in memory, and let the system end it when its time is over.

    The signal's default action is to end the process, whatever it is doing, and also when the
    backend is gone by then.
    """
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * mmap.PAGESIZE
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = used + 2 * nbytes + SPARE_BYTES  # libraries reserve more than they touch
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard < 0 else min(limit, hard), hard))
    signal.setitimer(signal.ITIMER_REAL, timeout_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        _, hard = resource.getrlimit(resource.RLIMIT_AS)  # others may have lowered it
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _whole(file: int) -> bytes:
    with open(file, "rb", closefd=False) as stream:
        stream.seek(0)  # the backend has just written it
        return stream.read()


def _for_want_of_memory(error: BaseException | None) -> bool:
    """Whether an error or a cause of it is that; a mapping that fails is an OSError."""
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        if isinstance(error, OSError) and error.errno == errno.ENOMEM:
            return True
        error = error.__cause__
    return False


def _shared(nbytes: int) -> tuple[int, mmap.mmap]:
    """Memory without a name, as a descriptor and mapped."""
    file = os.memfd_create("pixels")
    try:
        os.ftruncate(file, nbytes)
        return file, mmap.mmap(file, nbytes)
    except OSError:
        os.close(file)
        raise


if __name__ == "__main__":
    main()
