"""``edgeflow-backend learn order``: which tasks come next, told or stored in Label Studio."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from edgeflow.errors import EdgeFlowError, counted
from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.api.ordering import UNCERTAINTY, Head, Place, put_place, switch_on
from edgeflow.label_studio.api.records import Project
from edgeflow.label_studio.config.label_config import LabelConfig, parse_label_config
from edgeflow.learning.order.certainty import LEAST
from edgeflow.learning.order.clusters import clusters
from edgeflow_backend.label_studio.access import authorised_api
from edgeflow_backend.learning.order.looking import Looked, looking
from edgeflow_backend.learning.order.tasks import Chosen, choose_tasks, version_of
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.redact.texts import clean
from edgeflow_backend.settings import Settings

PATIENCE_S = 60.0
"""How long Label Studio may take to answer."""

DONE = 1.0
"""Score of a task that is annotated: it comes no more."""

Seen = list[tuple[Head, Looked]]


def order_tasks(
    settings: Settings,
    project: ProjectRef,
    *,
    most: int,
    apply: bool,
    sampling: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[str]:
    """Put a project's tasks in order, and say which come first.

    Args:
        settings: The backend's.
        project: The project.
        most: Tasks without annotations to look at, at most.
        apply: Whether to store anything in Label Studio.
        sampling: Whether to have the project serve its tasks in that order, too.
        stop: Asked before each image whether to end here, with nothing stored.

    Raises:
        EdgeFlowError: Label Studio cannot be asked, its labelling config not be read, or the
            network not be loaded. What was stored until then stays.
    """
    api = authorised_api(settings, project.host, patience_s=PATIENCE_S)
    number = int(project.id)
    record = api.project(number)
    version = version_of(record, api.ml_backends(number))
    if sampling:
        _check_nothing_hidden(record, version)
    chosen = choose_tasks(api, number, version, most)
    seen: Seen = []
    if chosen.tasks:
        config = parse_label_config(record.label_config)
        yield from _look(settings, project, config, chosen, seen, stop)
        if stop():
            return
    places = _places(seen)
    shown = sorted(seen, key=lambda each: places[each[0].id].score)
    for task, _ in shown:
        if not task.annotated:
            place = places[task.id]
            yield f"task {task.id}: sure {place.score:.3f}, kind {place.cluster}"
    kinds = len({place.cluster for place in places.values()})
    waiting = sum(not task.annotated for task, _ in seen)
    yield f"project {project}: {counted(waiting, 'task')} in order, of {counted(kinds, 'kind')}"
    if chosen.left:
        yield f"  {counted(chosen.left, 'more task')} not looked at: --tasks says how many are"
    if not apply:
        yield "  nothing is stored without --apply"
        return
    stored = sum(put_place(api, task, version, places[task.id]) for task, _ in seen)
    yield f"  {counted(stored, 'prediction')} stored, version {clean(version)}"
    yield from _switch(api, record, version, sampling=sampling and bool(seen))


def _look(
    settings: Settings,
    project: ProjectRef,
    config: LabelConfig,
    chosen: Chosen,
    seen: Seen,
    stop: Callable[[], bool],
) -> Iterator[str]:
    """Look at tasks, into ``seen``; yields what a person should know of that."""
    with looking(settings, project, config) as looker:
        if looker.sizes is None:
            yield (
                f"  fewer than {LEAST} accepted objects of the project are kept here: until they "
                "tell how large its objects are, the order within a kind means little"
            )
        for task in chosen.tasks:
            if stop():
                return
            try:
                looked = looker.look(task.id, task.data, clicks=not task.annotated)
            except EdgeFlowError as error:
                yield clean(f"task {task.id}: left out: {error.message}")
                continue
            seen.append((task, looked))


def _places(seen: Seen) -> dict[int, Place]:
    """Each task's place, by its id."""
    summaries = [looked.summary for _, looked in seen if looked.summary is not None]
    kinds = iter(clusters(summaries))
    return {
        task.id: Place(
            DONE if looked.sure is None else looked.sure,
            0 if looked.summary is None else next(kinds),
        )
        for task, looked in seen
    }


def _check_nothing_hidden(record: Project, version: str) -> None:
    """Refuse to hide the predictions that annotators are shown.

    Raises:
        LabelStudioError: Annotators are shown the predictions of another version.
    """
    if record.model_version not in ("", version) and record.shows_predictions is not False:
        raise LabelStudioError(
            f"project {record.id} shows annotators the predictions of "
            f"'{record.model_version}', which the order would hide",
            hint="keep it, and sort the Data Manager by score instead; or choose the ML backend "
            "under Settings › Annotation, and run this again",
        )


def _switch(api: LabelStudioAPI, record: Project, version: str, *, sampling: bool) -> Iterator[str]:
    """Have the project follow the order, or say what does."""
    if sampling:
        switch_on(api, record.id, version)
        record = replace(record, sampling=UNCERTAINTY, model_version=version)
        yield "  the project serves its tasks in this order now"
    if record.sampling != UNCERTAINTY or record.model_version != version:
        yield (
            f"  the project does not follow it yet: choose {UNCERTAINTY}, and '{clean(version)}' "
            "under Settings › Annotation; or run this with --sampling"
        )
