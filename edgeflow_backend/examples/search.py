"""Suggestions from accepted examples: what a batch call and an event need of them."""

from __future__ import annotations

import time
from collections.abc import Callable

from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.config.label_config import LabelConfig
from edgeflow.label_studio.region_values import PolygonOptions
from edgeflow.similar.found import SimilarOptions
from edgeflow_backend.examples.feed import Feed
from edgeflow_backend.examples.reader import Reader
from edgeflow_backend.examples.seam import Searcher
from edgeflow_backend.examples.suggest import Suggester
from edgeflow_backend.images.locator import Locator
from edgeflow_backend.label_studio.access import authorised_api
from edgeflow_backend.objects.task_regions import MaskCache
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal

EVENTS = frozenset(
    {
        "ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED",
        "TASKS_CREATED", "TASKS_DELETED",
    }
)  # fmt: skip
"""Events after which a project's examples may be others."""

READING = 0.5
"""The part of a batch call's time that may go into reading examples."""


class ExampleSearch:
    """Looks for what resembles accepted examples, in tasks that are opened.

    Args:
        settings: The backend's.
        searcher: Opens images and searches them.
        locator: Finds images.
        masks: Remembers decoded masks.
        journal: Told what is known, and what is wrong.
        clock: Seconds; ``time.monotonic`` unless a test says otherwise.
    """

    def __init__(
        self,
        settings: Settings,
        searcher: Searcher,
        locator: Locator,
        masks: MaskCache,
        journal: Journal,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds = settings.preannotate_similar_s
        self._searcher = searcher
        self._masks = masks
        self._clock = clock
        self._reader = Reader(searcher, locator, masks)
        self._feed = Feed(settings, self._reader, journal, clock)
        self._options = SimilarOptions()
        self._polygons = PolygonOptions(settings.polygon_tolerance, settings.polygon_holes)
        _note_hosts(settings, journal)

    def begin(self, project: ProjectRef, config: LabelConfig, deadline: float) -> Suggester:
        """What suggests objects in the tasks of one batch call.

        Args:
            project: The tasks' project.
            config: Its labelling config.
            deadline: When the call's time for this is over, on the clock.

        Raises:
            EdgeFlowError: Label Studio cannot be asked, or the model not be used.
        """
        api, model = self._feed.api(project.host), self._reader.model(project)
        now = self._clock()
        until = now + READING * (deadline - now)
        library = self._feed.current(project, config, model, until=until)
        return Suggester(
            self._searcher,
            self._reader,
            api=api,
            library=library,
            project=project,
            model=model,
            masks=self._masks,
            options=self._options,
            polygons=self._polygons,
            clock=self._clock,
        )

    def note(self, event: str, project: ProjectRef) -> None:
        """Take an event as a hint that a project's examples may be others; never raises."""
        if event in EVENTS:
            self._feed.hint(project)

    def close(self) -> None:
        """Read no more."""
        self._feed.close()


def _note_hosts(settings: Settings, journal: Journal) -> None:
    """Say on the status page, before anybody asks, for which Label Studios there is no way."""
    for host in settings.label_studios:
        if host or len(settings.label_studios) == 1:
            try:
                authorised_api(settings, host)
            except LabelStudioError as error:
                text = f"no examples are used: {error.message}"
                journal.calls.note(f"{host}/" if host else "", "examples", text, error.hint)
