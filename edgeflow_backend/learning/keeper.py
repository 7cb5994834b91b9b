"""Keeps projects' stores up to date: now and then, and soon after an event says so.

An event is no more than a hint: Label Studio sends each once, and anybody may send one. What is
true is asked for, and never more often than a pause allows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.learning.accepted import AcceptedObject
from edgeflow_backend.images.locator import Locator
from edgeflow_backend.label_studio.access import authorised_api
from edgeflow_backend.learning.pictures import Pictures
from edgeflow_backend.learning.reconcile import Reconciler, told
from edgeflow_backend.learning.shelf import Shelf
from edgeflow_backend.learning.store import StoreError
from edgeflow_backend.learning.summary import Entries, summary
from edgeflow_backend.learning.told import told_versions
from edgeflow_backend.learning.training.record import told_training
from edgeflow_backend.learning.training.trainer import Trainer
from edgeflow_backend.learning.training.watch import serve_unserved, watch
from edgeflow_backend.log import get_logger
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.learning.entry import Learned
from edgeflow_backend.versions.folders import versions_of

START_TRAINING = "START_TRAINING"

EVENTS = frozenset(
    {
        "ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED",
        "TASKS_CREATED", "TASKS_DELETED", "PROJECT_UPDATED", START_TRAINING,
    }
)  # fmt: skip
"""Events after which a project's accepted objects may be others."""

PATIENCE_S = 60.0
"""How long Label Studio may take to answer; annotations may take megabytes."""

SETTLE_S = 1.0
"""After so long, what an event was about is stored: it is sent before Label Studio is done."""

PAUSE_S = 10.0
"""At least so long after a reconciliation, whatever events say, the next one begins."""

RESTS = 4
"""And at least so many times as long as it took: a large project is not asked for all the time."""


class Keeper:
    """Keeps the stores of the projects in the settings. Thread-safe.

    Does nothing, and writes nothing, where the settings name no project.

    Args:
        settings: The backend's.
        locator: Finds images.
        clock: Seconds.
    """

    def __init__(
        self, settings: Settings, locator: Locator, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._log = get_logger()
        pictures = Pictures(settings)
        self._shelf = Shelf(settings, pictures)
        self._projects = [ProjectRef(host, number) for host, number in settings.learning]
        self._reconcilers = {
            ref: Reconciler(settings, ref.host, int(ref.id), pictures, locator)
            for ref in self._projects
        }
        self._trainer = Trainer(settings, ended=self._soon)
        self._asked: set[ProjectRef] = set()
        self._apis: dict[str, LabelStudioAPI] = {}
        self._entries = Entries(self._projects)
        self._changed = threading.Condition()
        self._due = dict.fromkeys(self._projects, clock())
        self._rested = dict(self._due)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="learning", daemon=True)
        if self._projects:
            self._thread.start()

    @property
    def projects(self) -> tuple[ProjectRef, ...]:
        """The projects, in the order of the settings."""
        return tuple(self._projects)

    def note(self, event: str, project: ProjectRef) -> None:
        """Take an event as a hint to look soon; never raises, and returns at once."""
        if event not in EVENTS or project not in self._due:
            return
        if event == START_TRAINING:
            with self._changed:
                self._asked.add(project)
        self._soon(project)

    def _soon(self, project: ProjectRef) -> None:
        with self._changed:
            soon = max(self._clock() + SETTLE_S, self._rested[project])
            if soon < self._due[project]:
                self._due[project] = soon
                self._changed.notify_all()

    def entries(self) -> tuple[Learned, ...]:
        """What is kept of each project, as of its last reconciliation, and its versions now."""
        return tuple(
            replace(entry, versions=told_versions(versions_of(self._settings, project)))
            for project, entry in zip(self._projects, self._entries.all(), strict=True)
        )

    def close(self) -> None:
        """End; what is being written is written whole, or not at all."""
        with self._changed:
            self._closed.set()
            self._changed.notify_all()
        self._trainer.close()

    def _keep(self) -> None:
        while not self._closed.is_set():
            with self._changed:
                project = min(self._due, key=self._due.__getitem__)
                wait_s = self._due[project] - self._clock()
                if wait_s > 0:
                    self._changed.wait(wait_s)
                    continue
                # Before it begins: what an event tells meanwhile is for the next one.
                begun = self._clock()
                self._due[project] = begun + self._settings.learn_every_s
            done = self._look(project)
            with self._changed:
                ended = self._clock()
                pause_s = min(PAUSE_S, self._settings.learn_every_s)
                self._rested[project] = ended + max(pause_s, RESTS * (ended - begun))
                if not done:
                    self._due[project] = min(self._due[project], self._rested[project])

    def _look(self, project: ProjectRef) -> bool:
        """Reconcile a project; returns False if another process is at it."""
        alone = True
        entry = self._entries.of(project)
        try:
            files = self._shelf.files(project)
            with self._shelf.alone(project) as alone:
                texts = self._reconcile(project) if alone else []
            objects = files.store.objects()
            texts += self._train(project, objects) if alone else []
            entry = summary(str(project), files, objects, message="; ".join(texts))
        except EdgeFlowError as error:
            self._log.warning("not reconciled", project=str(project), reason=error.message)
            entry = entry.failing(error.message, error.hint)
        except Exception:  # noqa: BLE001 - nobody waits for it; the next one may go well
            self._log.exception("not reconciled", project=str(project))
            entry = entry.failing("an unexpected error", "see the backend's log")
        self._entries.put(project, entry)
        return alone

    def _reconcile(self, project: ProjectRef) -> list[str]:
        files = self._shelf.files(project)
        try:
            self._shelf.note_source(project)
        except StoreError:
            self._shelf.note_source(project)  # a damaged one was removed by the first
        api = self._api(project.host)
        report = self._reconcilers[project].reconcile(api, files, stop=self._closed.is_set)
        if report.read or report.dropped:
            self._log.info(
                "reconciled",
                project=str(project),
                read=report.read,
                dropped=report.dropped,
                failed=len(report.failures),
                left_out=report.left_out.total(),
            )
        return list(told(report))

    def _train(self, project: ProjectRef, accepted: Sequence[AcceptedObject]) -> list[str]:
        """Withdraw a version that makes work, serve one that waits, start a training if due."""
        objects = [each for each in accepted if each.origin.counts]
        serve_unserved(self._settings, project)
        withdrawn = watch(self._settings, project, objects)
        with self._changed:
            asked = project in self._asked
            if not self._trainer.running:  # else it is asked for again when that has ended
                self._asked.discard(project)
        folder = self._shelf.folder(project)
        self._trainer.consider(project, len(objects), folder, asked=asked)
        texts = [f"the version was withdrawn: {withdrawn}"] if withdrawn else []
        if self._trainer.running:
            return [*texts, "a training runs"]
        return [*texts, *filter(None, [told_training(folder)])]

    def _api(self, host: str) -> LabelStudioAPI:
        if host not in self._apis:
            self._apis[host] = authorised_api(self._settings, host, patience_s=PATIENCE_S)
        return self._apis[host]
