"""Annotated pages of a Label Studio project into predictions for the other pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import NamedTuple

from edgeflow.data.drawn_tasks import DrawnTask, drawn_task
from edgeflow.errors import LabelConfigError, counted
from edgeflow.images import MAX_PIXELS
from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.config.label_config import LabelConfig, TaskConfig
from edgeflow.label_studio.values import JSONObject
from edgeflow.masks.patch import MaskPatch
from edgeflow.preannotation.importing import reason_of
from edgeflow.preannotation.mask_controls import mask_controls
from edgeflow.preannotation.prelabel import mean_score
from edgeflow.preannotation.prelabel_project import Fetcher
from edgeflow.preannotation.project import REFUSED, Head
from edgeflow.preannotation.regions import MaskedObject, Placed
from edgeflow.preannotation.tasks import Report, TaskForm, image_regions
from edgeflow.propagate.options import PropagateOptions
from edgeflow.propagate.pages import PageError
from edgeflow.propagate.propagator import Propagator
from edgeflow.sequences.carry import carry
from edgeflow.sequences.linking import SequenceObject, link
from edgeflow.sequences.read_pages import ReadPages
from edgeflow.sequences.task_pages import Page, page_regions, sequences_of, tracks_in


class Work(NamedTuple):
    """What there is to do in a task.

    Attributes:
        task: Its id.
        config: The labelling config as the task shows it.
        sequences: Its sequences of pages, each with what is annotated on it.
    """

    task: int
    config: TaskConfig
    sequences: list[tuple[list[Page], list[SequenceObject]]]

    @property
    def told(self) -> str:
        """It in words."""
        objects = [each for _, found in self.sequences for each in found]
        annotated = sum(
            len({page for each in found for page in each.pages}) for _, found in self.sequences
        )
        pages = sum(len(pages) for pages, _ in self.sequences)
        return (
            f"task {self.task}: {counted(len(objects), 'object')} on {annotated} of {pages} pages"
        )


class Limits(NamedTuple):
    """What is refused.

    Attributes:
        bytes: Largest file that is fetched.
        pixels: Largest image that is decoded.
    """

    bytes: int
    pixels: int = MAX_PIXELS


class ProjectPropagate:
    """Adds predictions to those tasks of a project whose annotation has masks on some pages.

    Args:
        api: The Label Studio.
        project: Id of the project.
        config: Its labelling config.
        kind: Of mask control; None for that of the annotation.
        form: What predictions are like.
    """

    def __init__(
        self,
        api: LabelStudioAPI,
        project: int,
        config: LabelConfig,
        kind: str | None,
        form: TaskForm,
    ) -> None:
        self._api, self._project, self._config = api, project, config
        self._kind, self._form = kind, form

    def work(self, report: Report) -> Iterator[Work]:
        """What there is to do, task by task; nothing is changed.

        Tasks that have a prediction of this model version are passed over, so a run that was
        interrupted goes on where it was.

        Raises:
            LabelStudioError: Label Studio does not answer.
        """
        for raw in self._api.task_heads(self._project):
            head, data = Head.of(raw), raw.get("data")
            if not head.annotated or not isinstance(data, dict):
                continue
            try:
                config = self._config.for_task(data)
                sequences = sequences_of(config, data)
            except LabelConfigError as error:
                report.lose(reason_of(error), f"task {head.id}")
                continue
            if not sequences:
                continue
            if head.predicted and self._form.model_version in self._api.prediction_versions(
                head.id
            ):
                report.count["there"] += 1
                continue
            try:
                drawn = drawn_task(self._api.task(head.id), self._config, masks_only=True)
            except LabelStudioError as error:
                if error.status != HTTPStatus.NOT_FOUND:
                    raise
                continue  # it was deleted meanwhile
            found = _annotated(sequences, drawn, report)
            if found:
                yield Work(head.id, config, found)

    def run(
        self,
        propagator: Propagator,
        pictures: Fetcher,
        options: PropagateOptions,
        limits: Limits,
        report: Report,
    ) -> Iterator[Work]:
        """Predict task by task.

        Args:
            propagator: Carries objects.
            pictures: Fetches pages.
            options: How far each object is carried.
            limits: What is refused.
            report: Told what becomes of tasks.

        Yields:
            What was to do, after it was done.

        Raises:
            LabelStudioError: Label Studio does not answer; what was stored stays.
        """
        for work in self.work(report):
            regions: list[JSONObject] = []
            scores: list[MaskedObject] = []
            for shown, objects in work.sequences:
                pages = _pages(work.task, shown, pictures, propagator, limits)

                def lose(each: SequenceObject, reason: str, task: int = work.task) -> None:
                    report.lose(reason, f"task {task}, an object of page {each.pages[0] + 1}")

                for each, found in carry(propagator, pages, objects, options, lose):
                    patch = MaskPatch.of(found.mask)
                    if patch.empty:
                        continue
                    masked = MaskedObject(each.key, each.labels, patch, found.score)
                    placed = self._placed(work, shown[found.index], each, report)
                    if placed is None:
                        continue
                    mine = image_regions(
                        f"{work.task}\n{found.index}\n{shown[found.index].location}",
                        patch.image_size,
                        [masked],
                        placed,
                        self._form,
                        report,
                        f"task {work.task}, page {found.index + 1}",
                    )
                    regions += mine
                    scores += [masked] if mine else []
                for number, reason in pages.faults.items():
                    report.lose(reason, f"task {work.task}, page {number + 1}")
            if regions:
                self._store(work.task, regions, mean_score(scores), report)
            yield work

    def _placed(
        self, work: Work, page: Page, each: SequenceObject, report: Report
    ) -> Placed | None:
        try:
            controls = mask_controls(work.config, self._kind or each.kind, page.tag.name)
        except LabelConfigError as error:
            report.lose(reason_of(error), f"task {work.task}")
            return None
        return Placed(controls, page.item)

    def _store(
        self, task: int, regions: list[JSONObject], score: float | None, report: Report
    ) -> None:
        version = self._form.model_version
        try:
            self._api.create_prediction(task, regions, model_version=version, score=score)
        except LabelStudioError as error:
            if error.status not in {*REFUSED, HTTPStatus.NOT_FOUND}:
                raise
            report.lose(reason_of(error), f"task {task}")
        else:
            report.count["added"] += 1


def _pages(
    task: int, shown: Sequence[Page], pictures: Fetcher, propagator: Propagator, limits: Limits
) -> ReadPages:
    def read(number: int) -> bytes:
        location = shown[number].location
        if not location:
            raise PageError("there is no image")
        return pictures.fetch(location, task, limits.bytes)[0]

    return ReadPages(len(shown), read, propagator.predictor, limits.pixels)


def _annotated(
    sequences: list[list[Page]], drawn: DrawnTask, report: Report
) -> list[tuple[list[Page], list[SequenceObject]]]:
    """The sequences with something annotated on some of their pages, and not on all."""
    regions = [region for mine in drawn.images.values() for region in mine]
    tracks = tracks_in(drawn.annotation.results) if drawn.annotation is not None else {}
    report.left_out += [each for each in drawn.left_out if each.fault]
    found = [
        (pages, link(page_regions(pages, regions, tracks, report, drawn.source)))
        for pages in sequences
    ]
    return [
        (pages, objects)
        for pages, objects in found
        if any(len(each.known) < len(pages) for each in objects)
    ]
