"""``edgeflow-backend repair``: finds a project's prompts without masks, and stores the masks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow_backend.label_studio.access import open_api
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.wire import objects
from edgeflow_backend.redact.texts import clean
from edgeflow_backend.repair.found import Found, describe, find
from edgeflow_backend.repair.replay import replay
from edgeflow_backend.repair.store import STORE, Form, NotStoredError, check_untouched
from edgeflow_backend.service import SegmentationService, build_service
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics

PATIENCE_S = 300.0
"""Seconds that a page of tasks with all their masks may take."""


@dataclass(frozen=True)
class Line:
    """A line of the report.

    Attributes:
        verdict: Whether all is done, or would be; part is left out; or something failed.
        text: What is, would be or was done.
        advice: What can be done about it; may be empty.
        masks: Masks that were, or would be, stored.
    """

    verdict: Literal["ok", "warn", "fail"]
    text: str
    advice: str = ""
    masks: int = 0


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
    """
    studio = settings.label_studios.get(project.host)
    if studio is None or not studio.url:
        yield Line(
            "fail",
            "the URL of that Label Studio is not set",
            "set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY, or name one of "
            "EDGEFLOW_LABEL_STUDIO_HOSTS with --host",
        )
        return
    load = partial(build_service, settings, Metrics(), Journal()) if apply else None
    api = open_api(settings, project.host, patience_s=PATIENCE_S)
    try:
        yield from repair(api, project, form, max_clicks=settings.max_clicks, load=load)
    except EdgeFlowError as error:
        yield Line("fail", clean(error.message), clean(error.hint))


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
            try:
                for line in lines:
                    masks += line.masks
                    yield line
            except NotStoredError as error:
                yield _failure(found, error)
    finally:
        if service is not None:
            service.close()
    yield _summary(annotations, masks, form, stored=load is not None)


def _left_out(found: Found, predicted: int) -> Iterator[Line]:
    if predicted:
        yield Line("ok", f"{found.name}: {predicted} left out: a prediction has the mask already")
    for left_out in found.lost.left_out:
        text = f"{found.name}: {left_out.count} left out: {left_out.reason}"
        yield Line("warn", clean(text), clean(left_out.advice))


def _planned(found: Found, prompts: Sequence[Prompt], form: Form) -> Iterator[Line]:
    """What would be stored."""
    if form == "annotations":
        check_untouched(found)
    for prompt in prompts:
        yield Line("ok", clean(f"{found.name}: {describe(prompt, found.config)}"), masks=1)


def _stored(
    found: Found,
    prompts: Sequence[Prompt],
    form: Form,
    api: LabelStudioAPI,
    service: SegmentationService,
    project: ProjectRef,
) -> Iterator[Line]:
    """Answer the prompts of an annotation and store the masks."""
    if form == "annotations":
        check_untouched(found)
    result = objects(found.annotation.get("result"))
    replayed = replay(service, found.task, result, prompts, found.config, project)
    for error in replayed.failures:
        yield _failure(found, error)
    if not replayed.answers:
        return
    try:
        STORE[form](api, found, replayed)
    except LabelStudioError as error:
        yield _failure(found, error)
        return
    for answer in replayed.answers:
        yield Line("ok", f"{found.name}: stored a mask, score {answer.score:.2f}", masks=1)


def _failure(found: Found, error: EdgeFlowError) -> Line:
    return Line("fail", clean(f"{found.name}: not stored: {error.message}"), clean(error.hint))


def _summary(annotations: int, masks: int, form: Form, *, stored: bool) -> Line:
    if not annotations:
        return Line("ok", "no annotation holds points without a mask")
    hold = "annotation holds" if annotations == 1 else "annotations hold"
    what = f"{masks} mask{'' if masks == 1 else 's'} {'' if stored else 'would be '}stored"
    return Line(
        "ok",
        f"{annotations} {hold} points without a mask: {what} as {form}",
        "" if stored or not masks else "nothing is stored without --apply",
    )
