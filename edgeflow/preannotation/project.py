"""Annotated images into the tasks of a Label Studio project, once each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import NamedTuple

from edgeflow.annotated import AnnotatedImage, Annotations
from edgeflow.errors import EdgeFlowError
from edgeflow.export.pictures import encoded
from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.values import JSONObject, whole_number
from edgeflow.preannotation.image_urls import (
    ImageURLs,
    check_upright,
    file_of,
    is_upright,
)
from edgeflow.preannotation.importing import images_of, placed_on, reason_of, regions_of
from edgeflow.preannotation.mask_controls import MaskControls
from edgeflow.preannotation.tasks import MARK, META, Report, TaskForm, mark_of, task_data

BATCH_TASKS = 16
BATCH_BYTES = 4_000_000
"""Most tasks, and about the most bytes, of one request."""

PNG = ".png"

REFUSED = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
)
"""What Label Studio answers to one task or image that it does not take."""


class Head(NamedTuple):
    """A task that is there.

    Attributes:
        id: Its id.
        annotated: Whether it has an annotation.
        predicted: Whether it has a prediction.
    """

    id: int
    annotated: bool
    predicted: bool

    @classmethod
    def of(cls, raw: JSONObject) -> Head:
        """Read Label Studio's answer."""
        annotations, predictions = (
            whole_number(raw.get(key)) for key in ("total_annotations", "total_predictions")
        )
        return cls(whole_number(raw.get("id")) or 0, bool(annotations), bool(predictions))


def mark_in(raw: JSONObject) -> str | None:
    """The mark in a task's ``meta``; None for a task that was made in another way."""
    meta = raw.get("meta")
    ours = meta.get(META) if isinstance(meta, dict) else None
    mark = ours.get(MARK) if isinstance(ours, dict) else None
    return mark if isinstance(mark, str) else None


class Waiting(NamedTuple):
    """A task that is made with the next request.

    Attributes:
        file_name: Of its image.
        task: The task.
        report: Of its objects.
    """

    file_name: str
    task: JSONObject
    report: Report


class Upload:
    """Uploads images into a project.

    Args:
        api: The Label Studio.
        project: Id of the project.
        below: Path below which Label Studio is served; empty for none.
    """

    def __init__(self, api: LabelStudioAPI, project: int, below: str = "") -> None:
        self._api, self._project, self._below = api, project, below

    def url(self, image: AnnotatedImage) -> str:
        """Upload an image; its path on Label Studio.

        The file itself is sent. Where it is in a tar, the editor would show it turned, or Label
        Studio does not take its format, the pixels that were annotated are, as PNG.
        """
        name, picture = PurePosixPath(image.file_name), image.picture
        if picture is None:
            return self._send(name, file_of(image).read_bytes())
        if image.path is not None and is_upright(image):
            try:
                return self._send(name, image.path.read_bytes())
            except LabelStudioError as error:
                if error.status not in REFUSED or name.suffix.lower() == PNG:
                    raise
        return self._send(name.with_suffix(PNG), encoded(picture.rgb(), "PNG"))

    def _send(self, name: PurePosixPath, data: bytes) -> str:
        return self._below + self._api.keep_upload(self._project, name.name, data)


class ProjectImport:
    """Makes tasks in a project, or adds masks to those that show an image already.

    A task is known again by the mark in its ``meta``, or by its image's URL.

    Args:
        api: The Label Studio.
        project: Id of the project.
        annotations: The data.
        controls: Where masks go.
        urls: How images' URLs are made; None uploads each image.
        form: What tasks are like.
        below: Path below which Label Studio is served; empty for none.
    """

    def __init__(
        self,
        api: LabelStudioAPI,
        project: int,
        annotations: Annotations,
        controls: MaskControls,
        urls: ImageURLs | None,
        form: TaskForm,
        below: str = "",
    ) -> None:
        self._api, self._project, self._form = api, project, form
        self._annotations, self._placed = annotations, placed_on(controls)
        self._urls = urls
        self._upload = Upload(api, project, below)
        self._batch: list[Waiting] = []
        self._batch_bytes = 0
        task_data(controls.image, "")  # a config that composes URLs is refused before any work

    def run(self, report: Report) -> Iterator[int]:
        """Import image by image.

        Yields:
            The number of images so far, after each.

        Raises:
            LabelStudioError: Label Studio does not answer, or not as it should; what was made so
                far stays, and a second run goes on behind it.
        """
        marks, shown = self._there()
        for number, image in enumerate(images_of(self._annotations, report), start=1):
            try:
                self._import(image, marks, shown, report)
            except LabelStudioError as error:
                if error.status not in REFUSED:
                    raise
                report.lose(reason_of(error), image.file_name)
            except (EdgeFlowError, OSError) as error:
                report.lose(reason_of(error), image.file_name)
            yield number
        self._send(report)

    def _there(self) -> tuple[set[str], dict[str, Head]]:
        """The marks of the project's tasks, and its tasks by the URL of their image."""
        marks: set[str] = set()
        shown: dict[str, Head] = {}
        tag = self._placed.controls.image
        for raw in self._api.task_heads(self._project):
            data = raw.get("data")
            if (mark := mark_in(raw)) is not None:
                marks.add(mark)
            value = tag.shown(data) if isinstance(data, dict) else None
            for url in value if isinstance(value, list) else [value]:
                if isinstance(url, str):
                    shown.setdefault(url, Head.of(raw))
        return marks, shown

    def _import(
        self, image: AnnotatedImage, marks: set[str], shown: dict[str, Head], report: Report
    ) -> None:
        mark = mark_of(self._annotations.name, image)
        if mark in marks:
            report.count["there"] += 1
            return
        url = None
        if self._urls is not None:
            check_upright(image)
            url = self._urls.url(image)
        head = shown.get(url) if url is not None else None
        if head is not None and self._holds(head):
            report.count["there"] += 1
            return
        own = Report()
        regions = regions_of(image, self._placed, self._form, own)
        if head is not None:
            if regions:
                self._add(head, regions)
                own.count["added"] += 1
            report.add(own)
            return
        data = task_data(self._placed.controls.image, url or self._upload.url(image))
        task = self._form.task(data, mark, regions)
        size = len(json.dumps(task))
        if self._batch and self._batch_bytes + size > BATCH_BYTES:
            self._send(report)
        self._batch.append(Waiting(image.file_name, task, own))
        self._batch_bytes += size
        if len(self._batch) >= BATCH_TASKS:
            self._send(report)

    def _holds(self, head: Head) -> bool:
        """Whether a task that shows the image has what would be added."""
        if self._form.kind == "annotations":
            return head.annotated
        return head.predicted and self._form.model_version in self._api.prediction_versions(head.id)

    def _add(self, head: Head, regions: list[JSONObject]) -> None:
        if self._form.kind == "annotations":
            self._api.create_annotation(head.id, regions)
        else:
            version = self._form.model_version
            self._api.create_prediction(head.id, regions, model_version=version)

    def _send(self, report: Report) -> None:
        """Make the tasks of the batch: all at once, or if one is refused, one by one."""
        batch, self._batch, self._batch_bytes = self._batch, [], 0
        if not batch:
            return
        try:
            self._api.import_tasks(self._project, [each.task for each in batch])
        except LabelStudioError as error:
            if error.status not in REFUSED:
                raise
            if len(batch) > 1:
                for each in batch:
                    self._batch = [each]
                    self._send(report)
            else:
                report.lose(reason_of(error), batch[0].file_name)
        else:
            report.count["tasks"] += len(batch)
            for each in batch:
                report.add(each.report)
