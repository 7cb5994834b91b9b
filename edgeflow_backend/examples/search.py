"""Suggestions from accepted examples: what a batch call and an event need of them."""

from __future__ import annotations

import time
from collections.abc import Callable

from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.config.label_config import LabelConfig
from edgeflow_backend.examples.feed import Feed
from edgeflow_backend.examples.reader import Reader
from edgeflow_backend.examples.suggest import Suggester
from edgeflow_backend.examples.turns import Turns
from edgeflow_backend.images.locator import Locator
from edgeflow_backend.label_studio.access import authorised_api
from edgeflow_backend.objects.task_regions import MaskCache
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.segmenter.segmenter import Segmenter
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
        segmenter: Opens images and searches them.
        locator: Finds images.
        masks: Remembers decoded masks.
        journal: Told what is known, and what is wrong.
        clock: Seconds; ``time.monotonic`` unless a test says otherwise.
    """

    def __init__(
        self,
        settings: Settings,
        segmenter: Segmenter,
        locator: Locator,
        masks: MaskCache,
        journal: Journal,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._segmenter = segmenter
        self._masks = masks
        self._clock = clock
        self._reader = Reader(segmenter, locator, masks)
        self._turns = Turns()
        self._feed = Feed(settings, self._reader, journal, clock)
        if settings.preannotate_similar:
            _note_hosts(settings, journal)

    def begin(self, project: ProjectRef, config: LabelConfig, deadline: float) -> Suggester | None:
        """What suggests objects in the tasks of one batch call; None where that is off.

        Args:
            project: The tasks' project.
            config: Its labelling config.
            deadline: When the call's time for this is over, on the clock.

        Raises:
            EdgeFlowError: Label Studio cannot be asked, or the model not be used.
        """
        if not self._settings.preannotate_similar:
            return None
        now = self._clock()
        model = self._reader.model(project)
        until = now + READING * (deadline - now)
        library = self._feed.current(project, config, model, until=until)
        return Suggester(
            settings=self._settings,
            segmenter=self._segmenter,
            reader=self._reader,
            masks=self._masks,
            api=self._feed.api(project.host),
            project=project,
            model=model,
            library=library,
            turns=self._turns,
        )

    def note(self, event: str, project: ProjectRef) -> None:
        """Take an event as a hint that a project's examples may be others; never raises."""
        if self._settings.preannotate_similar and event in EVENTS:
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
