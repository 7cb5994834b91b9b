"""``edgeflow-backend repair``: finds a project's prompts without masks, and stores the masks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow_backend.errors import FetchError
from edgeflow_backend.label_studio.access import open_api
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.wire import objects
from edgeflow_backend.redact.texts import clean
from edgeflow_backend.repair.found import Found, describe, find
from edgeflow_backend.repair.replay import replay
from edgeflow_backend.repair.store import (
    Form,
    check_untouched,
    store_annotation,
    store_prediction,
)
from edgeflow_backend.service import SegmentationService, build_service
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics

CALL_S = 300.0
"""Seconds that a page of tasks with all their masks may take."""


@dataclass(frozen=True)
class Line:
    """A line of the report.

    Attributes:
        text: What is, would be or was done.
        masks: Masks that were, or would be, stored.
        failed: Whether something could not be done that could be asked for.
    """

    text: str
    masks: int = 0
    failed: bool = False


def repair_project(
    settings: Settings, project: ProjectRef, form: Form, *, apply: bool
) -> Iterator[Line]:
    """Repair a project of a Label Studio in the settings.

    Args:
        settings: The backend's; with other ones than the server's, masks may differ from those
            that the annotators saw.
        project: The project.
        form: What masks are, or would be, stored as.
        apply: Whether to store anything.

    Raises:
        EdgeFlowError: The project cannot be read, or the model not be loaded.
    """
    studio = settings.label_studios.get(project.host)
    if studio is None or not studio.url:
        raise FetchError(
            "the URL of that Label Studio is not set",
            hint="set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY, or name one of "
            "EDGEFLOW_LABEL_STUDIO_HOSTS with --host",
        )
    load = partial(build_service, settings, Metrics(), Journal()) if apply else None
    api = open_api(settings, project.host, total_s=CALL_S)
    yield from repair(api, project, form, max_clicks=settings.max_clicks, load=load)


def repair(
    api: LabelStudioAPI,
    project: ProjectRef,
    form: Form,
    *,
    max_clicks: int,
    load: Callable[[], SegmentationService] | None,
) -> Iterator[Line]:
    """Report each annotation that lacks masks; store the masks if that is asked for.

    Args:
        api: The project's Label Studio.
        project: The project.
        form: What masks are, or would be, stored as.
        max_clicks: Clicks on one object.
        load: Makes the service, when the first mask is needed; None to store nothing.

    Raises:
        EdgeFlowError: The project cannot be read, or the model not be loaded.
    """
    annotations = masks = 0
    service: SegmentationService | None = None
    try:
        for found in find(api, int(project.id), max_clicks=max_clicks):
            annotations += 1
            predicted = found.predicted if form == "predictions" else ()
            prompts = [prompt for prompt in found.lost.prompts if prompt not in predicted]
            yield from _left_out(found, len(predicted))
            if not prompts:
                continue
            if load is None:
                lines = _planned(found, prompts, form)
            else:
                service = service or load()
                lines = _stored(found, prompts, form, api, service, project)
            for line in lines:
                masks += line.masks
                yield line
    finally:
        if service is not None:
            service.close()
    yield Line(_summary(annotations, masks, form, stored=load is not None))


def _left_out(found: Found, predicted: int) -> Iterator[Line]:
    if predicted:
        yield Line(f"{found.name}: {predicted} left out: a prediction holds the mask already")
    for left_out in found.lost.left_out:
        yield Line(f"{found.name}: {left_out.count} left out: {clean(left_out.reason)}")


def _planned(found: Found, prompts: Sequence[Prompt], form: Form) -> Iterator[Line]:
    """What would be stored."""
    try:
        if form == "annotations":
            check_untouched(found)
    except EdgeFlowError as error:
        yield _failure(found, error)
        return
    for prompt in prompts:
        yield Line(f"{found.name}: {clean(describe(prompt, found.config))}", masks=1)


def _stored(
    found: Found,
    prompts: Sequence[Prompt],
    form: Form,
    api: LabelStudioAPI,
    service: SegmentationService,
    project: ProjectRef,
) -> Iterator[Line]:
    """Answer the prompts of an annotation and store the masks."""
    result = objects(found.annotation.get("result"))
    replayed = replay(service, found.task, result, prompts, found.config, project)
    for error in replayed.failures:
        yield _failure(found, error)
    if not replayed.answers:
        return
    try:
        if form == "predictions":
            store_prediction(api, found, replayed)
        else:
            store_annotation(api, found, replayed)
    except EdgeFlowError as error:
        yield _failure(found, error)
        return
    for answer in replayed.answers:
        yield Line(f"{found.name}: stored a mask, score {answer.score:.2f}", masks=1)


def _failure(found: Found, error: EdgeFlowError) -> Line:
    return Line(clean(f"{found.name}: not stored: {error.message}; {error.hint}"), failed=True)


def _summary(annotations: int, masks: int, form: Form, *, stored: bool) -> str:
    if not annotations:
        return "No annotation holds points without a mask."
    hold = "annotation holds" if annotations == 1 else "annotations hold"
    counted = f"{annotations} {hold} points without a mask"
    what = f"{masks} mask{'' if masks == 1 else 's'}"
    if stored:
        return f"{counted}: {what} stored as {form}."
    hint = " Nothing is stored without --apply." if masks else ""
    return f"{counted}: {what} would be stored as {form}.{hint}"
