"""Boxes and points on the images of a folder into a file of tasks with masks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TypeVar

from edgeflow.annotated import AnnotatedImage
from edgeflow.data.base import DatasetError
from edgeflow.data.boxes import ImageBoxes, read_boxes
from edgeflow.data.left_out import LeftOut
from edgeflow.errors import EdgeFlowError
from edgeflow.export.pictures import FilePicture
from edgeflow.files import replacing
from edgeflow.geometry import Size
from edgeflow.label_studio.values import JSONObject
from edgeflow.preannotation.csv_boxes import read_csv
from edgeflow.preannotation.image_urls import ImageURLs
from edgeflow.preannotation.importing import placed_on, reason_of
from edgeflow.preannotation.journal import Journal
from edgeflow.preannotation.mask_controls import MaskControls
from edgeflow.preannotation.name_index import NameIndex
from edgeflow.preannotation.regions import MaskedObject
from edgeflow.preannotation.segmenter import Segmenter
from edgeflow.preannotation.tasks import Report, TaskForm, image_regions, mark_of, task_data

MISSING = "there is no such image"

STAMP = "stamp"
"""Where a journal's note keeps which file the image was."""

Key = TypeVar("Key", bound=Hashable)


def read_prompts(path: Path, names: Path | None, report: Report) -> list[ImageBoxes]:
    """Boxes and points by image; what cannot be read is noted.

    Args:
        path: A table, or whatever :func:`edgeflow.data.boxes.read_boxes` reads.
        names: As there.
        report: Told what cannot be read.

    Raises:
        DatasetError: The path is missing or holds no boxes.
    """
    table = path.suffix.lower() == ".csv" and path.is_file()
    found: dict[str, ImageBoxes] = {}
    for each in read_csv(path) if table else read_boxes(path, names=names):
        if isinstance(each, LeftOut):
            report.left_out.append(each)
        else:
            _join(found, each.file_name, each, report)
    if not found:
        raise DatasetError(f"{path} holds no box or point", hint="check that it is the right file")
    return list(found.values())


def one_each(
    prompts: Iterable[ImageBoxes], find: Callable[[str], Hashable | None], report: Report
) -> list[ImageBoxes]:
    """Boxes and points by the image that they mean, which may be called ``a.jpg`` and ``x/a.jpg``.

    Args:
        prompts: Boxes and points by name.
        find: The image of a name; None, or DatasetError, if there is none.
        report: Told what does not fit together.
    """
    found: dict[tuple[Hashable | None, str], ImageBoxes] = {}
    for each in prompts:
        try:
            image = find(each.file_name)
        except DatasetError:  # told when its turn comes
            image = None
        _join(found, (image, each.file_name if image is None else ""), each, report)
    return list(found.values())


def labels_in(prompts: Iterable[ImageBoxes]) -> list[str]:
    """The labels of boxes and points, each once, in the order of their first use."""
    labels = [
        [*(box.label for box in each.boxes), *(point.label for point in each.points)]
        for each in prompts
    ]
    return [label for label in dict.fromkeys(chain.from_iterable(labels)) if label is not None]


def mean_score(objects: Sequence[MaskedObject]) -> float | None:
    """A prediction's score: the mean of its masks'; None without any."""
    scores = [each.score for each in objects if each.score is not None]
    return sum(scores) / len(scores) if scores else None


class FolderPrelabel:
    """Writes tasks for the images of a folder.

    Args:
        folder: The images.
        index: The folder's images by name.
        segmenter: Makes the masks.
        controls: Where they go.
        urls: How images' URLs are made.
        form: What tasks are like.
    """

    def __init__(
        self,
        folder: Path,
        index: NameIndex[str],
        segmenter: Segmenter,
        controls: MaskControls,
        urls: ImageURLs,
        form: TaskForm,
    ) -> None:
        self._folder, self._index, self._segmenter = folder, index, segmenter
        self._placed, self._urls, self._form = placed_on(controls), urls, form
        task_data(controls.image, "")  # a config that composes URLs is refused before any work

    def run(
        self, prompts: Sequence[ImageBoxes], journal: Journal, report: Report
    ) -> Iterator[ImageBoxes]:
        """Make the tasks that the journal has not.

        Yields:
            What was said of each image, after it.
        """
        for found in prompts:
            stamp = self._stamp(found)
            if found.file_name in journal and journal.note(found.file_name).get(STAMP) == stamp:
                _recall(journal.note(found.file_name), report)
                report.count["there"] += 1
            else:
                journal.forget(found.file_name)
                own = Report()
                try:
                    task = self._task(found, own)
                except (EdgeFlowError, OSError) as error:
                    own.lose(reason_of(error), found.file_name)
                    task = None
                note = {**_note(own), STAMP: stamp}
                if task is not None:
                    journal.add(found.file_name, note, task)
                    report.count["tasks"] += 1
                _recall(note, report)
            yield found

    def write(self, prompts: Sequence[ImageBoxes], journal: Journal, output: Path) -> None:
        """Write the file of all finished tasks, in the order of the prompts."""
        with replacing(output) as file:
            file.write(b"[")
            for number, task in enumerate(journal.tasks(each.file_name for each in prompts)):
                file.write((b",\n" if number else b"\n") + task)
            file.write(b"\n]\n")

    def _stamp(self, found: ImageBoxes) -> str:
        """Something that changes with an image; empty if there is none."""
        try:
            name = self._index.find(found.file_name)
        except DatasetError:  # told when its task is made
            name = None
        return "" if name is None else FilePicture(self._folder / name, Size(0, 0)).stamp()

    def _task(self, found: ImageBoxes, report: Report) -> JSONObject | None:
        wanted = self._segmenter.wanted(found, report)
        if wanted is None:
            return None
        name = self._index.find(found.file_name)
        if name is None:
            raise DatasetError(MISSING, hint=f"look in {self._folder}")
        path = self._folder / name
        size, objects = self._segmenter.masks(path.read_bytes(), wanted, report, name)
        image = AnnotatedImage(name, name, size, (), FilePicture(path, size))
        url, mark = self._urls.url(image), mark_of("", image)
        regions = image_regions(name, size, objects, self._placed, self._form, report, name)
        data = task_data(self._placed.controls.image, url)
        return self._form.task(data, mark, regions, mean_score(objects))


def _join(found: dict[Key, ImageBoxes], key: Key, each: ImageBoxes, report: Report) -> None:
    """Add boxes and points to what is said of an image already."""
    before = found.setdefault(key, each)
    if before is each:
        return
    if (before.relative, before.size) != (each.relative, each.size):
        report.lose("two files give it different sizes; the first counts", each.file_name)
        return
    found[key] = before._replace(
        boxes=(*before.boxes, *each.boxes),
        points=(*before.points, *each.points),
        left_out=(*before.left_out, *each.left_out),
    )


def _note(report: Report) -> JSONObject:
    """What a journal keeps of an image's report."""
    counted = ("objects", "unlabelled", "lossy")
    return {
        "left_out": list(map(list, report.left_out)),
        "count": {key: report.count[key] for key in counted},
        "least_iou": report.least_iou,
    }


def _recall(note: JSONObject, report: Report) -> None:
    """Add to a report what a journal kept."""
    report.left_out += [LeftOut(*map(str, each)) for each in note.get("left_out", ())]
    report.count.update(note.get("count", {}))
    report.least_iou = min(report.least_iou, float(note.get("least_iou", 1)))
