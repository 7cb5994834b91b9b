"""Boxes and points on the images of a Label Studio project into predictions with masks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple, Protocol

from edgeflow.annotated import AnnotatedImage
from edgeflow.data.base import DatasetError
from edgeflow.data.boxes import ImageBoxes
from edgeflow.data.task_images import image_names
from edgeflow.errors import EdgeFlowError, LabelConfigError
from edgeflow.export.pictures import FilePicture
from edgeflow.geometry import Size
from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.config.label_config import LabelConfig
from edgeflow.label_studio.values import JSONObject
from edgeflow.preannotation.image_urls import ImageURLs
from edgeflow.preannotation.importing import placed_on, reason_of
from edgeflow.preannotation.mask_controls import mask_controls
from edgeflow.preannotation.name_index import NameIndex
from edgeflow.preannotation.prelabel import MISSING, mean_score, one_each
from edgeflow.preannotation.project import REFUSED, Head, mark_in
from edgeflow.preannotation.regions import MaskedObject, Placed
from edgeflow.preannotation.segmenter import Segmenter
from edgeflow.preannotation.tasks import Report, TaskForm, image_regions, mark_of, task_data


class Fetcher(Protocol):
    """Fetches images; :class:`edgeflow.pull.fetch.Pictures` over HTTP."""

    def fetch(self, location: str, task: int, limit: int) -> tuple[bytes, str]:
        """The bytes of an image and the name of its format; raises PictureError."""


class Spot(NamedTuple):
    """An image that a task shows.

    Attributes:
        head: The task.
        location: Path or URL of the image, as it stands in the task.
        placed: Where its masks go.
    """

    head: Head
    location: str
    placed: Placed


class Folder(NamedTuple):
    """A folder of images.

    Attributes:
        path: The folder.
        names: Its images by name.
        urls: How their URLs are made in new tasks.
    """

    path: Path
    names: NameIndex[str]
    urls: ImageURLs


class ProjectPrelabel:
    """Adds predictions to a project's tasks; images that it does not show become new tasks.

    Args:
        api: The Label Studio.
        project: Id of the project.
        config: Its labelling config.
        kind: Of mask control; None for any.
        segmenter: Makes the masks.
        form: What predictions are like.
        pictures: Fetches images that are in no folder.
        max_bytes: Largest file that is fetched.
        folder: Images at hand; None for none.
    """

    def __init__(
        self,
        api: LabelStudioAPI,
        project: int,
        config: LabelConfig,
        kind: str | None,
        segmenter: Segmenter,
        form: TaskForm,
        pictures: Fetcher,
        max_bytes: int,
        folder: Folder | None = None,
    ) -> None:
        self._api, self._project = api, project
        self._config, self._kind = config, kind
        self._segmenter, self._form = segmenter, form
        self._pictures, self._max_bytes, self._folder = pictures, max_bytes, folder
        self._index: NameIndex[int] = NameIndex()
        self._spots: list[Spot] = []
        self._marks: set[str] = set()
        self._new = placed_on(mask_controls(config.for_task(None), kind)) if folder else None
        if self._new is not None:  # a config that composes URLs is refused before any work
            task_data(self._new.controls.image, "")

    def run(self, prompts: Sequence[ImageBoxes], report: Report) -> Iterator[ImageBoxes]:
        """Predict task by task; tasks that have a prediction of this model version are passed over.

        Yields:
            What was said of each image, after it; once where it has several names.

        Raises:
            LabelStudioError: Label Studio does not answer; what was stored stays, and a second run
                goes on behind it.
        """
        self._look(report)
        prompts = one_each(prompts, self._find, report)
        by_task: defaultdict[int, list[tuple[ImageBoxes, Spot]]] = defaultdict(list)
        for found in prompts:
            try:
                wanted = self._segmenter.wanted(found, report)
                spot = self._spot(found) if wanted is not None else None
            except EdgeFlowError as error:
                report.lose(reason_of(error), found.file_name)
                wanted = spot = None
            if wanted is not None and spot is not None:
                by_task[spot.head.id].append((wanted, spot))
            else:
                if wanted is not None and self._folder is not None:
                    self._try_task(wanted, self._folder, report)
                yield found
        for group in by_task.values():
            self._predict(group, report)
            yield from (found for found, _ in group)

    def _look(self, report: Report) -> None:
        """Note which images the project shows."""
        for raw in self._api.task_heads(self._project):
            head, data = Head.of(raw), raw.get("data")
            if (mark := mark_in(raw)) is not None:
                self._marks.add(mark)
            if not isinstance(data, dict):
                continue
            try:
                self._look_at(head, data)
            except LabelConfigError as error:
                report.lose(error.message, f"task {head.id}")

    def _look_at(self, head: Head, data: JSONObject) -> None:
        shown = self._config.for_task(data)
        for tag in shown.images:
            value = tag.shown(data)
            for item, location in enumerate(value if isinstance(value, list) else [value]):
                names = image_names(location) if isinstance(location, str) else []
                if names:
                    controls = mask_controls(shown, self._kind, tag.name)
                    placed = Placed(controls, item if tag.several else None)
                    self._index.add(names, len(self._spots))
                    self._spots.append(Spot(head, str(location), placed))

    def _find(self, file_name: str) -> int | str | None:
        """The number of the spot that shows an image, else its name in the folder."""
        number = self._index.find(file_name)
        if number is not None or self._folder is None:
            return number
        return self._folder.names.find(file_name)

    def _spot(self, found: ImageBoxes) -> Spot | None:
        """The image of the project that boxes are for; None if it is in the folder alone."""
        image = self._find(found.file_name)
        if image is None:
            raise DatasetError(f"{MISSING} in project {self._project}")
        return self._spots[image] if isinstance(image, int) else None

    def _predict(self, group: list[tuple[ImageBoxes, Spot]], report: Report) -> None:
        """Store one prediction for all images of a task."""
        head = group[0][1].head
        version = self._form.model_version
        if head.predicted and version in self._api.prediction_versions(head.id):
            report.count["there"] += 1
            return
        regions: list[JSONObject] = []
        every: list[MaskedObject] = []
        for found, spot in group:
            try:
                data = self._bytes(found, spot)
                size, objects = self._segmenter.masks(data, found, report, found.file_name)
            except LabelStudioError:
                raise
            except (EdgeFlowError, OSError) as error:
                report.lose(reason_of(error), found.file_name)
                continue
            key = f"{head.id}\n{spot.location}"
            regions += image_regions(
                key, size, objects, spot.placed, self._form, report, found.file_name
            )
            every += objects
        if not regions:
            return
        score = mean_score(every)
        try:
            self._api.create_prediction(head.id, regions, model_version=version, score=score)
        except LabelStudioError as error:
            if error.status not in {*REFUSED, HTTPStatus.NOT_FOUND}:
                raise
            report.lose(reason_of(error), f"task {head.id}")
        else:
            report.count["added"] += 1

    def _try_task(self, found: ImageBoxes, folder: Folder, report: Report) -> None:
        """Make a task of an image that the project does not show, or note why there is none."""
        try:
            self._make_task(found, folder, report)
        except LabelStudioError as error:
            if error.status not in REFUSED:
                raise
            report.lose(reason_of(error), found.file_name)
        except (EdgeFlowError, OSError) as error:
            report.lose(reason_of(error), found.file_name)

    def _make_task(self, found: ImageBoxes, folder: Folder, report: Report) -> None:
        name = folder.names.find(found.file_name)
        if name is None or self._new is None:
            raise DatasetError(f"{MISSING} in project {self._project}")
        path = folder.path / name
        size = Size(0, 0)  # not known before it is decoded; the mark does not ask for it
        image = AnnotatedImage(name, name, size, (), FilePicture(path, size))
        mark = mark_of("", image)
        if mark in self._marks:
            report.count["there"] += 1
            return
        size, objects = self._segmenter.masks(path.read_bytes(), found, report, name)
        regions = image_regions(name, size, objects, self._new, self._form, report, name)
        if regions:
            image = AnnotatedImage(name, name, size, (), FilePicture(path, size))
            data = task_data(self._new.controls.image, folder.urls.url(image))
            task = self._form.task(data, mark, regions, mean_score(objects))
            self._api.import_tasks(self._project, [task])
            report.count["tasks"] += 1

    def _bytes(self, found: ImageBoxes, spot: Spot) -> bytes:
        """An image's file: from the folder if it is there, else from Label Studio."""
        if self._folder is not None:
            name = self._folder.names.find(found.file_name)
            if name is not None:
                return (self._folder.path / name).read_bytes()
        return self._pictures.fetch(spot.location, spot.head.id, self._max_bytes)[0]
