"""Annotated images into a file of Label Studio's tasks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from edgeflow.annotated import AnnotatedImage, Annotations
from edgeflow.data.left_out import LeftOut
from edgeflow.errors import EdgeFlowError
from edgeflow.files import replacing
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.label_studio.config.labels import Label
from edgeflow.label_studio.config.recommended import OBJECT, recommended_config
from edgeflow.preannotation.image_urls import ImageURLs, check_upright
from edgeflow.preannotation.mask_controls import MaskControls, mask_controls
from edgeflow.preannotation.regions import Placed
from edgeflow.preannotation.tasks import (
    Report,
    TaskForm,
    fits_config,
    image_regions,
    mark_of,
    masked_objects,
    task_data,
)


class WrittenConfig:
    """A labelling config that is made for the data: the recommended one, with the data's labels.

    Data without classes has one label, ``Object``. Where there is one label, objects without a
    class get it.

    Args:
        kind: Of mask control.
        annotations: The data.
        label: Label of objects without one; None for none.

    Attributes:
        controls: Where masks go; any label can be held.
        label: Label of objects without one.
    """

    def __init__(self, kind: str, annotations: Annotations, label: str | None) -> None:
        classes = annotations.labels or (OBJECT.value,)
        self.label = classes[0] if label is None and len(classes) == 1 else label
        self._kind = kind
        declared = [*annotations.labels, *([self.label] if self.label else [])]
        self._declared = list(filter(fits_config, declared))
        self._several = len(dict.fromkeys([*annotations.labels, *self._declared])) > 1
        made = mask_controls(parse_label_config(self.xml([])).for_task(None), kind)
        self.controls = MaskControls(
            made.image,
            tuple(replace(control, open=True) for control in made.masks),
            tuple(replace(control, open=True) for control in made.carriers),
        )

    def xml(self, used: list[str]) -> str:
        """The config, with the declared labels and those that were used."""
        labels = [Label(text) for text in dict.fromkeys([*self._declared, *used])]
        return recommended_config(self._kind, labels or [OBJECT], several=self._several)


class FileImport:
    """Writes tasks into a file, image by image.

    Args:
        annotations: The data.
        controls: Where masks go.
        urls: How images' URLs are made.
        form: What tasks are like.
    """

    def __init__(
        self, annotations: Annotations, controls: MaskControls, urls: ImageURLs, form: TaskForm
    ) -> None:
        self._annotations = annotations
        self._placed = placed_on(controls)
        self._urls, self._form = urls, form
        task_data(controls.image, "")  # a config that composes URLs is refused before any work

    def write(self, output: Path, report: Report) -> Iterator[int]:
        """Write the file; it takes its place at the end, whole.

        Yields:
            The number of images so far, after each.
        """
        with replacing(output) as file:
            file.write(b"[")
            for image in images_of(self._annotations, report):
                try:
                    check_upright(image)
                    url = self._urls.url(image)
                    mark = mark_of(self._annotations.name, image)
                except (EdgeFlowError, OSError) as error:
                    report.lose(reason_of(error), image.file_name)
                    continue
                regions = regions_of(image, self._placed, self._form, report)
                data = task_data(self._placed.controls.image, url)
                task = self._form.task(data, mark, regions)
                file.write(b",\n" if report.count["tasks"] else b"\n")
                file.write(json.dumps(task).encode())
                report.count["tasks"] += 1
                yield report.count["tasks"]
            file.write(b"\n]\n")


def images_of(annotations: Annotations, report: Report) -> Iterator[AnnotatedImage]:
    """The images alone; what is left out is noted."""
    for each in annotations.images:
        if isinstance(each, LeftOut):
            report.left_out.append(each)
        else:
            yield each


def placed_on(controls: MaskControls) -> Placed:
    """The only image of a task."""
    return Placed(controls, 0 if controls.image.several else None)


def regions_of(
    image: AnnotatedImage, placed: Placed, form: TaskForm, report: Report
) -> list[dict[str, object]]:
    """The regions of an annotated image."""
    objects = masked_objects(image, form, report)
    return image_regions(image.key, image.size, objects, placed, form, report, image.file_name)


def reason_of(error: EdgeFlowError | OSError) -> str:
    """What a list of what is lost says of an error."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return f"{error.message}; {error.hint}" if error.hint else error.message
