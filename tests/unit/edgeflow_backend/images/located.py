"""Images by the URLs in tasks: a locator and a provider together, as a click uses them."""

from __future__ import annotations

from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage
from edgeflow_backend.images.locator import Locator
from edgeflow_backend.images.provider import ImageProvider
from edgeflow_backend.images.sources import AsStored
from edgeflow_backend.settings import Settings


class LocatedImages:
    """What :class:`ImageProvider` gives for URLs."""

    def __init__(self, settings: Settings, predictor: Predictor) -> None:
        self.locator = Locator(settings)
        self.provider = ImageProvider(settings, predictor)
        self.cache = self.provider.cache
        self.close = self.provider.close
        self.note_public_url = self.locator.note_public_url

    def get(
        self,
        url: str,
        *,
        deadline: float,
        host: str = "",
        task_id: object = None,
        as_stored: bool = False,
    ) -> EncodedImage:
        source = self.locator.locate(url, host=host, task_id=task_id)
        return self.provider.get(AsStored(source) if as_stored else source, deadline=deadline)

    def prefetch(self, url: str, *, host: str = "", task_id: object = None) -> None:
        self.provider.prefetch(self.locator.locate(url, host=host, task_id=task_id))
