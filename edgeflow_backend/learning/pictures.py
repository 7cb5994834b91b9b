"""The files of the images that objects were accepted on: digests, and copies that expire."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import NamedTuple

from edgeflow.images.formats import describe, format_of
from edgeflow_backend.errors import FetchError
from edgeflow_backend.images.disk_cache import DiskCache
from edgeflow_backend.images.provider import downloaders
from edgeflow_backend.images.sources import InlineSource, Source
from edgeflow_backend.learning.store import Seen, Store
from edgeflow_backend.settings import Settings


class Files(NamedTuple):
    """Where a project's files are, and how they are fetched.

    Attributes:
        cache: Copies by digest.
        store: Knows the digest at each location.
    """

    cache: DiskCache
    store: Store


class Pictures:
    """Fetches images as a click's are: guarded, within the same limits. Thread-safe.

    Args:
        settings: The backend's.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._downloaders = downloaders(settings)

    def copies(self, folder: Path) -> DiskCache:
        """The copies in a project's folder, by the digest of the file."""
        return DiskCache(
            folder / "pictures",
            max_bytes=self._settings.learn_pictures_bytes,
            ttl_s=self._settings.learn_pictures_ttl_s,
        )

    def see(self, source: Source, files: Files, *, fetch: bool) -> Seen:
        """The digest of an image's file, which is fetched where there is no copy of it.

        Args:
            source: Where it is.
            files: The project's.
            fetch: Whether a file that was seen before is fetched again, if its copy is gone.

        Raises:
            FetchError: It cannot be fetched, or is no image.
            StoreError: What was seen cannot be stored.
        """
        location = hashlib.sha256(source.key.encode("utf-8", "surrogatepass")).hexdigest()
        seen = files.store.seen(location)
        if seen is not None and (not fetch or files.cache.get(seen.digest) is not None):
            return seen
        data = self._fetch(source)
        if format_of(data) is None:
            what = describe(data)
            raise FetchError(
                f"no image of a known format{f': {what}' if what else ''}",
                hint="check the task's data",
            )
        digest = hashlib.sha256(data).hexdigest()
        files.cache.put(digest, data)
        if seen is None or seen.digest != digest:
            changed_at = 0.0 if seen is None else time.time()
            seen = Seen(location, digest, changed_at)
            files.store.see(seen)
        return seen

    def _fetch(self, source: Source) -> bytes:
        if isinstance(source, InlineSource):
            return source.data
        return self._downloaders[source.host].fetch(source.url)
