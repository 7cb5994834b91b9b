"""``edgeflow-backend learn``: what is kept of accepted objects, and how to be rid of it."""

from __future__ import annotations

from collections.abc import Iterator

from edgeflow.errors import counted
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow_backend.images.locator import Locator
from edgeflow_backend.label_studio.access import authorised_api
from edgeflow_backend.learning.keeper import PATIENCE_S
from edgeflow_backend.learning.pictures import Pictures
from edgeflow_backend.learning.reconcile import Reconciler, told
from edgeflow_backend.learning.shelf import Shelf
from edgeflow_backend.learning.store import StoreError
from edgeflow_backend.learning.summary import summary
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.redact.texts import clean
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.learning.entry import Learned

WAIT_S = 120.0
"""How long a command waits for a backend that is at the same project."""


def show(settings: Settings) -> Iterator[str]:
    """What is kept on this machine, line by line; asks Label Studio for nothing.

    Args:
        settings: The backend's.
    """
    shelf = Shelf(settings, Pictures(settings))
    folders = shelf.folders()
    on = {shelf.folder(ProjectRef(*key)): str(ProjectRef(*key)) for key in settings.learning}
    for folder in folders:
        files = shelf.files_in(folder)
        try:
            notes = files.store.notes()
            name = str(notes.get("project", "?"))
            yield clean(f"project {name} of {notes.get('url', '?')}")
            yield from _lines(summary(name, files, files.store.objects()))
        except StoreError as error:
            yield f"  {clean(error.message)}"
        if folder not in on:
            yield "  not read any more: EDGEFLOW_LEARN_PROJECTS does not name it"
        yield f"  {folder}"
    for folder, name in on.items():
        if folder not in folders:
            yield f"project {name}: nothing is kept yet"
    if not folders and not on:
        yield "nothing is kept; EDGEFLOW_LEARN_PROJECTS names no project"


def read(settings: Settings, project: ProjectRef) -> Iterator[str]:
    """Reconcile a project now, and say what is kept of it.

    Args:
        settings: The backend's.
        project: One of those in the settings.

    Raises:
        EdgeFlowError: The project is not switched on, Label Studio cannot be asked, or the store
            not be written.
    """
    if tuple(project) not in settings.learning:
        raise LabelStudioError(
            f"project {project} is not switched on", hint="add it to EDGEFLOW_LEARN_PROJECTS"
        )
    pictures = Pictures(settings)
    shelf = Shelf(settings, pictures)
    reconciler = Reconciler(settings, project.host, int(project.id), pictures, Locator(settings))
    api = authorised_api(settings, project.host, patience_s=PATIENCE_S)
    with shelf.alone(project, patience_s=WAIT_S) as alone:
        if not alone:
            raise _busy(project)
        shelf.note_source(project)
        report = reconciler.reconcile(api, shelf.files(project))
        yield f"project {project}: {counted(report.read, 'task')} read, {report.dropped} dropped"
        yield from (f"  {clean(text)}" for text in told(report))
        files = shelf.files(project)
        yield from _lines(summary(str(project), files, files.store.objects()))


def forget(settings: Settings, project: ProjectRef) -> Iterator[str]:
    """Erase what is kept of a project.

    Args:
        settings: The backend's.
        project: The project, whether or not it is switched on.

    Raises:
        EdgeFlowError: There is no Label Studio of that name, or it cannot be erased.
    """
    if project.host not in settings.label_studios:
        raise LabelStudioError(
            f"no Label Studio is called '{project.host}'",
            hint="EDGEFLOW_LABEL_STUDIO_HOSTS has the names; `learn status` shows the folders",
        )
    shelf = Shelf(settings, Pictures(settings))
    with shelf.alone(project, patience_s=WAIT_S) as alone:
        if not alone:
            raise _busy(project)
        found = shelf.forget(project)
    yield f"project {project}: " + ("all that was kept is erased" if found else "nothing was kept")
    if tuple(project) in settings.learning:
        yield "  a running backend reads it again: take it out of EDGEFLOW_LEARN_PROJECTS first"


def _lines(learned: Learned) -> Iterator[str]:
    """What is kept of a project, in words."""
    read_at = f"{learned.read_at:%Y-%m-%d %H:%M:%S} UTC" if learned.read_at else "never wholly"
    objects, tasks = counted(learned.objects, "object"), counted(learned.tasks, "task")
    yield f"  {objects} of {tasks}, {learned.held_out} held out; read {read_at}"
    yield (
        f"  {learned.objects_bytes / 1e6:.1f} MB of objects, "
        f"{learned.pictures_bytes / 1e6:.1f} MB of images"
    )
    for effort in learned.effort:
        yield (
            f"  {clean(effort.label)}: {counted(effort.objects, 'object')} with clicks on record, "
            f"{effort.mean:.2f} clicks each, the newest {effort.newest:.2f}"
        )


def _busy(project: ProjectRef) -> StoreError:
    return StoreError(
        f"another process has been at project {project} for {WAIT_S:.0f} s",
        hint="try again, or stop the backend meanwhile",
    )
