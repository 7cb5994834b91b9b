"""Brings a project's store to what Label Studio says now.

Label Studio is asked for all annotated tasks without what stands in them; only those that have
changed are read. What has changed or is gone leaves the store before anything is read, so at any
moment the store holds nothing that was not true when Label Studio was asked last.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.api.heads import TaskHead, annotated, heads_of
from edgeflow.label_studio.api.records import Project
from edgeflow.label_studio.config.label_config import LabelConfig, parse_label_config
from edgeflow_backend.images.locator import Locator
from edgeflow_backend.learning.pictures import Files, Pictures
from edgeflow_backend.learning.read import Reader
from edgeflow_backend.learning.store import StoreError
from edgeflow_backend.log import get_logger
from edgeflow_backend.settings import Settings

FULL_S = 86_400.0
"""After so long every task is read again, whether or not it seems to have changed."""

RETRY_S = 3600.0
"""How long after a failure a task is read again, if it has not changed."""

CHUNK = 100
"""Tasks that are asked for by their ids at once."""

_OF_ONE_TASK = (HTTPStatus.NOT_FOUND, HTTPStatus.INTERNAL_SERVER_ERROR)
"""Answers that tell of the task rather than of Label Studio, its proxy or the token."""


@dataclass
class Report:
    """What a reconciliation did.

    Attributes:
        read: Tasks that were read.
        dropped: Tasks that left the store, or were read anew.
        waiting: Tasks that are left for the next one.
        left_out: Objects of the tasks read that are not kept, by reason.
        failures: Tasks that could not be read, and why.
        full: Whether the store had no room for more.
    """

    read: int = 0
    dropped: int = 0
    waiting: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    failures: dict[int, EdgeFlowError] = field(default_factory=dict)
    full: bool = False


class Reconciler:
    """Reconciles one project. Not thread-safe.

    Args:
        settings: The backend's.
        host: Name of the project's Label Studio.
        number: The project's id.
        pictures: Fetches images.
        locator: Finds them.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        settings: Settings,
        host: str,
        number: int,
        pictures: Pictures,
        locator: Locator,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._host, self._number = host, number
        self._pictures, self._locator = pictures, locator
        self._clock = clock
        self._failed: dict[tuple[int, str], tuple[float, EdgeFlowError]] = {}
        self._log = get_logger()

    def reconcile(
        self,
        api: LabelStudioAPI,
        files: Files,
        *,
        stop: Callable[[], bool] = lambda: False,
        wanted: Collection[int] = (),
    ) -> Report:
        """Bring the store to what Label Studio says.

        Args:
            api: The project's Label Studio.
            files: The project's store, and its copies of images.
            stop: Asked before each task whether to end here; what is left waits.
            wanted: Tasks that are read whether or not they have changed, and whose images are
                fetched where their copies are gone.

        Raises:
            LabelStudioError: Label Studio gives no answer. What was known to have changed has left
                the store by then.
            StoreError: The store cannot be written.
        """
        with files.store.held():
            return self._reconcile(api, files, stop, wanted)

    def _reconcile(
        self,
        api: LabelStudioAPI,
        files: Files,
        stop: Callable[[], bool],
        wanted: Collection[int],
    ) -> Report:
        store, report = files.store, Report()
        files.cache.expire()
        project = self._project(api)
        if project is None:
            known = store.stamps()
            store.drop(known)
            report.dropped = len(known)
            return report
        heads = self._heads(api, store.stamps())
        notes, now, known = store.notes(), self._clock(), store.stamps()
        gone = {task for task, stamp in known.items() if _stamp(heads.get(task)) != stamp}
        store.drop(gone)
        config = parse_label_config(project.label_config)
        shown = _shown(project.label_config, config)
        if notes.get("shown", shown) != shown:
            gone = set(known)
            store.drop(gone)
        report.dropped = len(gone)
        full_at = notes.get("full_at", now)
        full = not 0 <= now - full_at < FULL_S
        store.note({"shown": shown, "full_at": now if full else full_at})
        due = [
            head
            for head in heads.values()
            if full or head.id in wanted or head.id in gone or head.id not in known
        ]
        due.sort(key=lambda head: (head.stamp, head.id), reverse=True)
        max_pixels = self._settings.max_pixels
        reader = Reader(config, self._host, self._locator, self._pictures, files, max_pixels)
        self._read(api, reader, due, report, stop=stop, wanted=wanted, known=known.keys() - gone)
        if not report.waiting or report.full:
            store.note({"read_at": now})
        return report

    def _project(self, api: LabelStudioAPI) -> Project | None:
        """The project; None if Label Studio says that there is none."""
        try:
            return api.project(self._number)
        except LabelStudioError as error:
            # With words of Label Studio's own: a proxy's page says nothing of the project.
            if error.status == HTTPStatus.NOT_FOUND and error.detail:
                return None
            raise

    def _heads(self, api: LabelStudioAPI, known: Collection[int]) -> dict[int, TaskHead]:
        """The annotated tasks as they are now.

        Pages shift when a task is deleted meanwhile, so one that is missing is asked for by its id
        before it counts as gone.
        """
        heads = {head.id: head for head in annotated(api, self._number)}
        missing = sorted(set(known) - heads.keys())
        for start in range(0, len(missing), CHUNK):
            for head in heads_of(api, self._number, missing[start : start + CHUNK]):
                if not head.stamp.endswith(" 0"):
                    heads[head.id] = head
        return heads

    def _read(
        self,
        api: LabelStudioAPI,
        reader: Reader,
        due: list[TaskHead],
        report: Report,
        *,
        stop: Callable[[], bool],
        wanted: Collection[int],
        known: Collection[int],
    ) -> None:
        store, now = reader.files.store, self._clock()
        self._failed = {k: v for k, v in self._failed.items() if now - v[0] < RETRY_S}
        for place, head in enumerate(due):
            failed = self._failed.get((head.id, head.stamp))
            if failed is not None and head.id not in wanted:
                report.failures[head.id] = failed[1]
                continue
            if stop():
                report.waiting = len(due) - place
                return
            fetch = head.id not in known or head.id in wanted
            try:
                read = reader.read(head, api.task_annotations(head.id), fetch=fetch)
            except StoreError:
                raise
            except EdgeFlowError as error:
                if isinstance(error, LabelStudioError) and error.status not in _OF_ONE_TASK:
                    raise
                self._log.info("task not read", task=head.id, reason=error.message)
                self._failed[head.id, head.stamp] = (self._clock(), error)
                report.failures[head.id] = error
                store.drop([head.id])
                continue
            report.left_out += read.left_out
            if store.nbytes() > self._settings.learn_objects_bytes:
                report.full = True
                if head.id not in known:
                    report.waiting = len(due) - place
                    return
            store.put(head.id, head.stamp, read.objects)
            report.read += 1


def _shown(text: str, config: LabelConfig) -> str:
    """Digest of which images a labelling config shows: it tells what a region was drawn on."""
    tags = [(tag.name, tag.value) for tag in config.for_task(None).images]
    source = text if "<Repeater" in text else repr(tags)
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()


def _stamp(head: TaskHead | None) -> str | None:
    return None if head is None else head.stamp


def told(report: Report) -> Iterator[str]:
    """What of a report a person should know, in words."""
    if report.full:
        yield "the store is full, see EDGEFLOW_LEARN_OBJECTS_MB"
    if report.failures:
        task, error = next(iter(report.failures.items()))
        tasks = "1 task" if len(report.failures) == 1 else f"{len(report.failures)} tasks"
        yield f"{tasks} could not be read, first {task}: {error.message}"
    for reason, count in report.left_out.most_common(3):
        yield f"left out {count}: {reason}"
