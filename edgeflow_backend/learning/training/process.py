"""The process of a training: one on a machine, the last to get the processor, always on record."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable

import torch

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.learning.accepted import AcceptedObject
from edgeflow.learning.adaptation.adapt import Stopped
from edgeflow_backend.images.locator import Locator
from edgeflow_backend.label_studio.access import authorised_api
from edgeflow_backend.learning.pictures import Pictures
from edgeflow_backend.learning.reconcile import Reconciler
from edgeflow_backend.learning.shelf import OBJECTS, Shelf
from edgeflow_backend.learning.store import StoreError
from edgeflow_backend.learning.training.record import TrainingRecord, read_record, write_record
from edgeflow_backend.learning.training.run import Say, Training
from edgeflow_backend.learning.training.turn import only_training
from edgeflow_backend.memory.malloc import give_back_memory
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.settings import Settings
from edgeflow_backend.versions.folders import versions_of

NICENESS = 19
PATIENCE_S = 60.0
"""How long Label Studio, or another process that reads the project, may take."""


def train(
    settings: Settings,
    project: ProjectRef,
    *,
    say: Say,
    stop: Callable[[], bool] = lambda: False,
    make: Callable[..., Training] = Training,
) -> TrainingRecord:
    """Train a project's version now, and have it served if the gate lets it pass.

    What came of it is on record, see :mod:`.record`, also where it ends with an error.

    Args:
        settings: The backend's.
        project: One of those in the settings.
        say: Told how far it is.
        stop: Whether to end here, to go on some other time.
        make: Makes the training.

    Raises:
        EdgeFlowError: The project is not switched on, another training runs, or something cannot
            be read, learnt or stored.
        Stopped: ``stop`` said so.
    """
    if tuple(project) not in settings.learning:
        raise LabelStudioError(
            f"project {project} is not switched on", hint="add it to EDGEFLOW_LEARN_PROJECTS"
        )
    shelf = Shelf(settings, Pictures(settings))
    with only_training(settings.learn_folder):
        folder = shelf.folder(project)
        if not (folder / OBJECTS).is_file():
            raise StoreError(
                f"nothing is kept of project {project}", hint="label, and read it: `learn read`"
            )
        objects = [each for each in shelf.files(project).store.objects() if each.origin.counts]
        previous = read_record(folder)
        before = 0 if previous is None or previous.last.finished else previous.attempts
        record = TrainingRecord(state="running", objects=len(objects), attempts=before + 1)
        write_record(folder, record)
        began = time.monotonic()

        def kept() -> bool:
            return (folder / OBJECTS).is_file()

        def told(text: str) -> None:
            give_back_memory()  # each piece of work leaves hundreds of MB of the heap in holes
            say(text)

        def ended(**changes: object) -> TrainingRecord:
            fields = {"seconds": time.monotonic() - began, **changes}
            after = TrainingRecord(objects=record.objects, attempts=record.attempts, **fields)
            write_record(folder, after)
            return after

        try:
            objects = _with_pictures(settings, project, shelf, objects, say)
            files = shelf.files(project)
            versions = versions_of(settings, project)
            training = make(
                settings, project, files, folder, versions, told, lambda: stop() or not kept()
            )
            outcome = training.run(objects)
        except (Stopped, EdgeFlowError) as error:
            if not kept():  # nor is the progress that was written meanwhile
                shutil.rmtree(folder, ignore_errors=True)
                raise StoreError(
                    f"project {project} was erased while it trained", hint="nothing is left of it"
                ) from error
            if isinstance(error, EdgeFlowError):
                with contextlib.suppress(StoreError):  # the disk may be what is wrong
                    ended(state="failed", message=error.message)
            elif before:
                write_record(folder, record.model_copy(update={"attempts": before}))
            raise
        verdict = outcome.verdict
        return ended(
            state="accepted" if verdict.accepted else "refused",
            message="; ".join(verdict.reasons),
            version=outcome.version,
            verdict=verdict.to_json(),
        )


def give_way(threads: int) -> None:
    """Have this process take what others leave of the processor."""
    with contextlib.suppress(OSError, AttributeError):
        os.nice(NICENESS)
    torch.set_num_threads(threads)


def _with_pictures(
    settings: Settings,
    project: ProjectRef,
    shelf: Shelf,
    objects: list[AcceptedObject],
    say: Say,
) -> list[AcceptedObject]:
    """The objects, after images whose copies have expired were fetched again.

    Where Label Studio gives no answer, what is there is learnt from.
    """
    files = shelf.files(project)
    lacking = {each.picture for each in objects if files.cache.get(each.picture) is None}
    wanted = {each.origin.task for each in objects if each.picture in lacking}
    if not wanted:
        return objects
    say(f"images of {len(wanted)} tasks are fetched again")
    pictures = Pictures(settings)
    reconciler = Reconciler(settings, project.host, int(project.id), pictures, Locator(settings))
    try:
        with shelf.alone(project, patience_s=PATIENCE_S) as mine:
            if mine:
                api = authorised_api(settings, project.host, patience_s=PATIENCE_S)
                reconciler.reconcile(api, files, wanted=wanted)
    except LabelStudioError as error:
        say(f"not fetched: {error.message}")
    return [each for each in files.store.objects() if each.origin.counts]
