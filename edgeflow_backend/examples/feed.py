"""Keeps the libraries as Label Studio's annotations are: what is used was confirmed just before."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from cachetools import LRUCache

from edgeflow.errors import EdgeFlowError, counted
from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.api.heads import TaskHead, heads_of, newest_annotated
from edgeflow.label_studio.config.label_config import LabelConfig, parse_label_config
from edgeflow_backend.errors import DeadlineError, OverloadedError
from edgeflow_backend.examples.held import Held
from edgeflow_backend.examples.library import Library, Limits
from edgeflow_backend.examples.reader import Reader, describer
from edgeflow_backend.examples.shelf import Shelf
from edgeflow_backend.label_studio.access import authorised_api
from edgeflow_backend.log import get_logger
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.segmenter.segmenter import Model
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal

NEWEST = 20
"""Annotated tasks that a library learns from; of older ones it keeps what it knows."""

TASKS = 100
"""Tasks that a library knows at most."""

PROJECTS = 64
"""Libraries in memory; the others stay on disk."""

ASK_S = 2.0
"""How long one call waits for another that asks Label Studio for the same project's tasks."""

PATIENCE_S = 10.0
"""How long Label Studio may take to answer."""

SETTLE_S = 1.0
"""After so long, what an event was about is stored: it is sent before Label Studio is done."""

READING_S = 60.0
"""How long the background reads a project's tasks."""


class Feed:
    """The libraries of all projects, fed from Label Studio's API. Thread-safe.

    Args:
        settings: The backend's.
        reader: Describes examples.
        journal: Told what each library holds, and why not more.
        clock: Seconds; ``time.monotonic`` unless a test says otherwise.
    """

    def __init__(
        self,
        settings: Settings,
        reader: Reader,
        journal: Journal,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._reader = reader
        self._journal = journal
        self._clock = clock
        nbytes = settings.examples_bytes
        self._limits = Limits(settings.examples_per_label, TASKS, nbytes)
        self._shelf = Shelf(settings.examples_folder, nbytes)
        self._lock = threading.Lock()
        self._held: LRUCache[ProjectRef, Held] = LRUCache(PROJECTS)
        self._apis: dict[str, LabelStudioAPI] = {}
        self._closed = threading.Event()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="examples")
        self._waiting: set[ProjectRef] = set()
        self._log = get_logger()

    def api(self, host: str) -> LabelStudioAPI:
        """The API of a Label Studio.

        Raises:
            LabelStudioError: The settings have no URL or token for it.
        """
        with self._lock:
            if host not in self._apis:
                self._apis[host] = authorised_api(self._settings, host, patience_s=PATIENCE_S)
            return self._apis[host]

    def current(
        self,
        project: ProjectRef,
        config: LabelConfig,
        model: Model,
        *,
        until: float,
        hurried: bool = True,
    ) -> Library:
        """A project's library, as far as Label Studio confirms it now.

        Args:
            project: The project.
            config: Its labelling config.
            model: The model that describes examples.
            until: Until when to read tasks that are new or have changed, on the clock.
            hurried: Whether the background reads those that are left.

        Raises:
            LabelStudioError: Label Studio cannot be asked; then nothing is known.
        """
        try:
            api, number = self.api(project.host), _number(project)
            held = self._of(project)
            newest, others = self._ask(api, number, held)
        except EdgeFlowError as error:
            self._note(project, f"no examples are used: {error.message}", error.hint)
            raise
        stamps = {head.id: head.stamp for head in (*newest, *others)}
        described_by = describer(model.version)
        changed = held.confirm(stamps, described_by)
        for head in held.due(newest, self._clock()):
            if self._clock() >= until or self._closed.is_set():
                break
            changed |= self._read(api, head, config, project, model, held, until)
        held.wait(newest, until - self._clock())
        if changed:
            held.wrong = self._shelf.save(self._url(project), project.id, held.library)
        library = held.library.confirmed(stamps, described_by)
        left = held.due(newest, self._clock())
        self._note(project, *_told(library, len(left), held.failures(newest), held.wrong))
        if left and hurried:
            self.hint(project)
        return library

    def hint(self, project: ProjectRef) -> None:
        """Look in the background whether a project's annotations have changed; never raises.

        Anybody may send an event, so it says no more than that: what is true is asked for.
        """
        with self._lock:
            if project in self._waiting or len(self._waiting) >= PROJECTS:
                return
            self._waiting.add(project)
        with contextlib.suppress(RuntimeError):  # closed
            self._worker.submit(self._look, project)

    def close(self) -> None:
        """Read no more."""
        self._closed.set()
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _look(self, project: ProjectRef) -> None:
        self._closed.wait(SETTLE_S)
        with self._lock:
            self._waiting.discard(project)
        if self._closed.is_set():
            return
        try:
            text = self.api(project.host).project(_number(project)).label_config
            model = self._reader.model(project)
            until = self._clock() + READING_S
            self.current(project, parse_label_config(text), model, until=until, hurried=False)
        except EdgeFlowError as error:
            self._log.info("examples not read", project=str(project), reason=error.message)
        except Exception:  # noqa: BLE001 - nobody waits for it; the next call will be told
            self._log.exception("examples not read", project=str(project))

    def _of(self, project: ProjectRef) -> Held:
        with self._lock:
            held = self._held.get(project)
            if held is None:
                library, wrong = self._shelf.load(self._url(project), project.id)
                if wrong:
                    self._journal.notes.note("examples_file", wrong, project=str(project))
                held = self._held[project] = Held(self._limits, library.within(self._limits))
            return held

    def _url(self, project: ProjectRef) -> str:
        return self._settings.label_studios[project.host].url

    def _ask(
        self, api: LabelStudioAPI, project: int, held: Held
    ) -> tuple[list[TaskHead], list[TaskHead]]:
        """The tasks to learn from, and the others that the library knows, as they are now."""
        with _acquired(held.asking):
            newest = newest_annotated(api, project, NEWEST)
            known = {task.id for task in held.library.tasks}
            return newest, heads_of(api, project, known - {head.id for head in newest})

    def _read(
        self,
        api: LabelStudioAPI,
        head: TaskHead,
        config: LabelConfig,
        project: ProjectRef,
        model: Model,
        held: Held,
        until: float,
    ) -> bool:
        """Read a task into the library; returns whether that was done."""
        if not held.begin(head.id):
            return False
        read = None
        try:
            read = self._reader.read(api, head, config, project.host, model, deadline=until)
        except (DeadlineError, OverloadedError) as error:  # another time
            self._log.info("task not read", task=head.id, reason=error.message)
        except EdgeFlowError as error:
            self._log.info("task not read", task=head.id, reason=error.message)
            held.fail(head, error, self._clock())
        finally:
            held.end(head.id, read)
        return read is not None

    def _note(self, project: ProjectRef, text: str, hint: str = "") -> None:
        self._journal.calls.note(str(project), "examples", text, hint)


@contextlib.contextmanager
def _acquired(asking: threading.Lock) -> Iterator[None]:
    """Hold a lock; with its old setting to retrieve predictions, Label Studio asks while asked."""
    if not asking.acquire(timeout=ASK_S):
        raise LabelStudioError(
            "Label Studio is still being asked for the project's tasks", hint="try again"
        )
    try:
        yield
    finally:
        asking.release()


def _number(project: ProjectRef) -> int:
    if not project.id.isascii() or not project.id.isdigit():
        raise LabelStudioError("the request names no project")
    return int(project.id)


def _told(
    library: Library, left: int, failures: Sequence[tuple[int, EdgeFlowError]], wrong: str
) -> tuple[str, str]:
    """What a library holds, in words, and what to do about the first thing that is wrong."""
    counts = library.counts
    text = f"{counted(counts.total(), 'example')} of {counted(len(counts), 'label')}"
    hint = ""
    if left:
        text += f"; {counted(left, 'task')} wait to be read"
    if failures:
        task, error = failures[0]
        text += (
            f"; {counted(len(failures), 'task')} could not be read, first {task}: {error.message}"
        )
        hint = error.hint
    if wrong:
        text += f"; {wrong}"
        hint = hint or "check EDGEFLOW_EXAMPLES_DIR"
    return text, hint
