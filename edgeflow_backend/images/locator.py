"""From the image URL in a task to its source, for each configured Label Studio."""

from __future__ import annotations

from edgeflow_backend.errors import FetchError
from edgeflow_backend.images.sources import Source, locate
from edgeflow_backend.net.public_url import PublicURL
from edgeflow_backend.settings import Settings


class Locator:
    """Knows the Label Studios, and where annotators open them.

    Args:
        settings: The backend's.
    """

    def __init__(self, settings: Settings) -> None:
        self._max_bytes = settings.max_image_bytes
        self._studios = settings.label_studios
        self._public_urls = {
            name: PublicURL.parse(studio.public_url) for name, studio in self._studios.items()
        }

    def locate(self, url: str, *, host: str = "", task_id: object = None) -> Source:
        """Find out where an image is; nothing is fetched.

        Args:
            url: Image URL as in the task's data, also a path on Label Studio, a ``data:`` or a
                cloud URI.
            host: Name of the task's Label Studio; empty for the default one.
            task_id: Task id as in the task; images in cloud storage need it.

        Raises:
            FetchError: The image cannot be fetched, and why.
        """
        if not self.knows_host(host):
            raise FetchError(
                "the backend knows no Label Studio of the name in its URL's /hosts/",
                hint="add it to EDGEFLOW_LABEL_STUDIO_HOSTS, or connect the backend by its URL "
                "without /hosts/",
            )
        return locate(
            url,
            self._studios[host].url,
            max_bytes=self._max_bytes,
            public_url=self._public_urls[host],
            host=host,
            task_id=task_id,
        )

    def knows_host(self, name: str) -> bool:
        """Whether a Label Studio of this name is configured; the default one's name is empty."""
        return name in self._studios

    def note_public_url(self, url: object, host: str = "") -> None:
        """Take note of where annotators open a Label Studio, unless the settings say it.

        Anybody may tell it, so it changes nothing but which images are fetched from that Label
        Studio's configured URL.

        Args:
            url: URL as ``/setup`` tells it; anything else counts as not knowing it.
            host: Name of the Label Studio; empty for the default one.
        """
        if self.knows_host(host) and not self._studios[host].public_url:
            self._public_urls[host] = PublicURL.parse(url)
