"""Images on the model's device: fetched, decoded and cached."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError

from edgeflow.errors import EdgeFlowError
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage
from edgeflow_backend.errors import DeadlineError
from edgeflow_backend.images.decoding.decoder import Decoder
from edgeflow_backend.images.disk_cache import DiskCache
from edgeflow_backend.images.download import Downloader, Limits
from edgeflow_backend.images.single_flight import SingleFlight
from edgeflow_backend.images.sources import (
    AsStored,
    CloudSource,
    InlineSource,
    Source,
    WebSource,
)
from edgeflow_backend.label_studio.access import credentials_of
from edgeflow_backend.log import get_logger
from edgeflow_backend.memory.byte_lru import ByteLRU
from edgeflow_backend.memory.pages import overview_to_pages
from edgeflow_backend.net.allow_list import AllowList
from edgeflow_backend.net.guard import Guard
from edgeflow_backend.redact.urls import describe_url
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.tracing.spans import set_attributes, traced

DOWNLOADS = 10
"""Downloads at once, which limits the memory of their files."""


class ImageProvider:
    """Fetches, decodes, uploads and caches images. Thread-safe.

    Args:
        settings: The backend's.
        predictor: Encodes the decoded images.
        on_note: Told once an image which one it is and what a user should know of it, such as that
            it is truncated.
        metrics: Told how long downloads and decodes take.
    """

    def __init__(
        self,
        settings: Settings,
        predictor: Predictor,
        *,
        on_note: Callable[[str], None] | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._on_note = on_note
        self._seconds = (metrics or Metrics()).image_seconds
        self._settings = settings
        self._predictor = predictor
        self._downloaders = downloaders(settings)
        folder = settings.image_disk_cache_folder
        max_bytes, ttl_s = settings.image_disk_cache_bytes, settings.image_disk_cache_ttl_s
        self._decoder = Decoder(settings)
        self._downloads = threading.BoundedSemaphore(DOWNLOADS)
        self._disk = DiskCache(folder, max_bytes=max_bytes, ttl_s=ttl_s) if folder else None
        self.cache: ByteLRU[str, EncodedImage] = ByteLRU(
            settings.image_cache_bytes, ttl_s=settings.image_ttl_s
        )
        self._flights = SingleFlight(self.cache, self._load)
        self._log = get_logger()

    @traced("image")
    def get(self, wanted: Source | AsStored, *, deadline: float) -> EncodedImage:
        """Get an image.

        Args:
            wanted: Where it is, and whether to leave it as it is stored.
            deadline: Latest time on ``time.monotonic``'s clock.

        Raises:
            FetchError: The image cannot be fetched.
            ImageError: The image cannot be decoded, or is too large.
            OverloadedError: Too many large images are being decoded.
            DeadlineError: The image is not there in time.
        """
        future = self._flights.ask(wanted)
        try:
            return future.result(timeout=max(deadline - time.monotonic(), 0.0))
        except FutureTimeoutError as error:
            raise DeadlineError(
                "the image was not there in time",
                hint="check that the backend's machine reaches the image's host quickly, and that "
                "not too many large images are opened at once",
            ) from error

    def prefetch(
        self,
        wanted: Source | AsStored,
        then: Callable[[EncodedImage], None] | None = None,
    ) -> None:
        """Start to load an image that may be needed soon, without waiting and without errors.

        :meth:`get` will raise what is wrong with it.

        Args:
            wanted: Where it is, and whether to leave it as it is stored.
            then: Called with the image once it is there, unless it was before, by the workers that
                load ahead; raises nothing.
        """

        def loaded(future: Future[EncodedImage]) -> None:
            if future.cancelled():
                return
            error = future.exception()
            if error is None and then is not None:
                self._flights.follow(then, future.result())
            elif error is not None:
                reason = str(error) if isinstance(error, EdgeFlowError) else type(error).__name__
                self._log.debug("not loaded ahead", reason=reason)

        try:
            future = self._flights.ask_ahead(wanted)
        except RuntimeError as error:  # closed
            self._log.debug("not loaded ahead", reason=str(error))
            return
        if future is not None:
            future.add_done_callback(loaded)

    def warm_up(self) -> None:
        """Have a decoder ready for the first image."""
        self._decoder.warm_up()

    def close(self) -> None:
        """Stop fetching and decoding; running downloads may finish."""
        self._flights.close()
        self._decoder.close()

    def _load(self, wanted: Source | AsStored) -> EncodedImage:
        as_stored = isinstance(wanted, AsStored)
        source = wanted.source if isinstance(wanted, AsStored) else wanted
        if isinstance(source, InlineSource):
            image = self._decode(source.data, "the image in the task", as_stored=as_stored)
        else:
            stored = self._disk.get(source.key) if self._disk else None
            data = self._fetch(source) if stored is None else stored
            image = self._decode(data, describe_url(source.named), as_stored=as_stored)
            if self._disk and stored is None:  # decoded by now: only images are stored
                self._disk.put(source.key, data)
        self.cache.put(wanted.key, image)
        return image

    @traced("download")
    def _fetch(self, source: WebSource | CloudSource) -> bytes:
        with self._seconds.labels("download").time(), self._downloads:
            data = self._downloaders[source.host].fetch(source.url)
        set_attributes(bytes=len(data))
        return data

    @traced("decode")
    def _decode(self, data: bytes, name: str, *, as_stored: bool) -> EncodedImage:
        timed = self._seconds.labels("decode").time()
        with timed, self._decoder.decoded(data, as_stored=as_stored) as decoded:
            set_attributes(pixels=decoded.pixels.shape[0] * decoded.pixels.shape[1])
            for note in decoded.notes:
                self._log.warning("image", image=name, note=note)
                if self._on_note is not None:
                    self._on_note(f"{name}: {note}")
            return overview_to_pages(self._predictor.encode(decoded.pixels, copy=False))


def downloaders(settings: Settings) -> dict[str, Downloader]:
    """A downloader with its own credentials for each Label Studio, by name."""
    limits = Limits(
        connect_s=settings.connect_timeout_s,
        read_s=settings.read_timeout_s,
        total_s=settings.download_timeout_s,
        max_bytes=settings.max_image_bytes,
    )
    studios, uplink = settings.label_studios, settings.uplink
    guard = Guard(
        [studio.url for studio in studios.values()], AllowList.parse(settings.allowed_hosts)
    )
    return {
        name: Downloader(studio.url, credentials_of(settings, name), limits, guard, uplink)
        for name, studio in studios.items()
    }
