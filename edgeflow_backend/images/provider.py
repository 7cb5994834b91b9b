"""Pictures on the model's device, fetched once however many ask."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError

from edgeflow.images import decode_image
from edgeflow.predictor import EncodedImage, Predictor
from edgeflow_backend.cache import ByteLRU
from edgeflow_backend.errors import DeadlineError
from edgeflow_backend.images.credentials import Credentials
from edgeflow_backend.images.download import Downloader, Limits
from edgeflow_backend.images.sources import InlineSource, Source, locate
from edgeflow_backend.settings import Settings

MEGABYTE = 1_000_000
WORKERS = 8


class ImageProvider:
    """Fetches, decodes, uploads and caches pictures. Thread-safe."""

    def __init__(self, settings: Settings, predictor: Predictor) -> None:
        self._settings = settings
        self._predictor = predictor
        limits = Limits(
            connect_s=settings.connect_timeout_s,
            read_s=settings.read_timeout_s,
            total_s=settings.download_timeout_s,
            max_bytes=int(settings.max_image_mb * MEGABYTE),
        )
        url = settings.label_studio_url
        credentials = Credentials(
            url,
            settings.label_studio_api_key.get_secret_value(),
            timeout=(limits.connect_s, limits.read_s),
        )
        self._limits = limits
        self._downloader = Downloader(url, credentials, limits)
        self.cache: ByteLRU[str, EncodedImage] = ByteLRU(
            int(settings.image_cache_mb * MEGABYTE), ttl_s=settings.image_ttl_s
        )
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="image")
        self._lock = threading.Lock()
        self._pending: dict[str, Future[EncodedImage]] = {}

    def get(self, address: str, *, deadline: float) -> EncodedImage:
        """The picture at a task's address.

        Args:
            address: as the task's data has it.
            deadline: on ``time.monotonic``'s clock.

        Raises:
            FetchError: it cannot be fetched.
            ImageError: it cannot be decoded, or is too large.
            DeadlineError: it is not there in time.
        """
        source = locate(address, self._settings.label_studio_url, max_bytes=self._limits.max_bytes)
        future = self._start(source)
        try:
            return future.result(timeout=max(deadline - time.monotonic(), 0.0))
        except FutureTimeoutError as error:
            raise DeadlineError(
                "the picture was not there in time",
                hint="check that the backend's machine reaches the picture's host quickly",
            ) from error

    def close(self) -> None:
        """Stop fetching; what runs may finish."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _start(self, source: Source) -> Future[EncodedImage]:
        with self._lock:
            cached = self.cache.get(source.key)
            if cached is not None:
                done: Future[EncodedImage] = Future()
                done.set_result(cached)
                return done
            future = self._pending.get(source.key)
            if future is None:
                future = self._pool.submit(self._load, source)
                self._pending[source.key] = future
        future.add_done_callback(lambda _: self._forget(source.key, future))
        return future

    def _forget(self, key: str, future: Future[EncodedImage]) -> None:
        with self._lock:
            if self._pending.get(key) is future:
                del self._pending[key]

    def _load(self, source: Source) -> EncodedImage:
        if isinstance(source, InlineSource):
            data = source.data
        else:
            data = self._downloader.fetch(source.url)
        image = self._predictor.encode(decode_image(data, max_pixels=self._settings.max_pixels))
        self.cache.put(source.key, image)
        return image
