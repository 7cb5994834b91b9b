"""From an image file's bytes to its pixels: looked at, admitted to the budget, then decoded."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import replace

from edgeflow.images import read_image
from edgeflow_backend.images.decoding.budget import Budget
from edgeflow_backend.images.decoding.headers import Header, check_size, read_header
from edgeflow_backend.images.decoding.pool import Pool
from edgeflow_backend.images.decoding.worker import Decoded, Job, NotPlainError
from edgeflow_backend.settings import Settings

STRIPS_FROM = 4_000_000
"""Pixels from which on plain images are decoded in strips."""

STRIPS_COST = 3.7
"""Bytes a pixel that decoding in strips takes, turning included."""

COST = {"JPEG": 15, "GIF": 17, "PNG": 22, "JPEG2000": 20, "WEBP": 23, "BMP": 17}
"""Bytes a pixel that Pillow and our conversions take at most, by format; measured."""

OTHER_COST = 26
"""Bytes a pixel of all other formats."""

FIXED_COST = 8_000_000
"""Bytes that any decode takes."""

MAX_PLACES = 4
PATIENCE = 0.5
"""Share of a request's time that an image waits for its turn; the rest is for its answer."""


class Decoder:
    """Decodes images of strangers. Thread-safe.

    Args:
        settings: Settings of the backend.
    """

    def __init__(self, settings: Settings) -> None:
        self._max_pixels = settings.max_pixels
        self._timeout_s = settings.decode_timeout_s
        places = min(max(os.cpu_count() or 1, 2), MAX_PLACES)
        self._budget = Budget(
            settings.decode_memory_bytes,
            places=places,
            patience_s=settings.request_timeout_s * PATIENCE,
        )
        self._pool = Pool(places) if can_have_children() else None

    @contextlib.contextmanager
    def decoded(self, data: bytes, *, as_stored: bool = False) -> Iterator[Decoded]:
        """Decode an image; its share of the budget is held until the ``with`` ends.

        Args:
            data: Bytes of the file.
            as_stored: Whether to leave it as it is stored, whatever its orientation says.

        Raises:
            ImageError: It cannot be decoded within the limits.
            OverloadedError: Too many others are being decoded.
        """
        header = read_header(data)
        if header is not None:
            check_size(header, self._max_pixels)
        job = self._job(header, len(data), as_stored=as_stored)
        if job.strips:
            with (
                contextlib.suppress(NotPlainError),
                self._budget.share(job.nbytes, len(data)),
            ):
                result = self._decode(data, job)
                yield result
                return
            job = self._job(header and replace(header, plain=False), len(data), as_stored=as_stored)
        with self._budget.share(job.nbytes, len(data)):
            yield self._decode(data, job)

    def warm_up(self) -> None:
        """Start a first child, so that no click waits for it."""
        if self._pool is not None:
            self._pool.warm_up()

    def close(self) -> None:
        """End the children, also those that decode."""
        if self._pool is not None:
            self._pool.close()

    def _job(self, header: Header | None, file_bytes: int, *, as_stored: bool) -> Job:
        strips = (
            header is not None
            and header.plain
            and header.pixels >= STRIPS_FROM
            and self._pool is not None
        )
        nbytes = cost(header, file_bytes, strips=strips)
        return Job(self._max_pixels, nbytes, self._timeout_s, strips, as_stored)

    def _decode(self, data: bytes, job: Job) -> Decoded:
        if self._pool is None:
            read = read_image(
                data, max_pixels=self._max_pixels, as_stored=job.as_stored, partial=True
            )
            return Decoded(read.pixels, read.notes)
        with _in_memory(data) as file:
            return self._pool.decode(file, job)


def can_have_children() -> bool:
    """Whether images are decoded in child processes: on Linux; elsewhere in this one."""
    return sys.platform == "linux" and bool(sys.executable)


def cost(header: Header | None, file_bytes: int, *, strips: bool) -> int:
    """Bytes that a decode takes at its peak, the pixels and copies of the file included."""
    if header is None:
        return FIXED_COST + 2 * file_bytes
    each = STRIPS_COST if strips else COST.get(header.format, OTHER_COST)
    return FIXED_COST + 2 * file_bytes + int(header.pixels * (each + header.bytes_each))


@contextlib.contextmanager
def _in_memory(data: bytes) -> Iterator[int]:
    """A file without a name that holds ``data``."""
    file = os.memfd_create("image")
    try:
        with open(file, "wb", closefd=False) as stream:
            stream.write(data)
        yield file
    finally:
        os.close(file)
