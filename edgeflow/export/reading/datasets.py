"""Any dataset as annotated images: its masks, with the classes that it names."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from edgeflow.annotated import AnnotatedImage, AnnotatedObject, Annotations, Picture
from edgeflow.data.base import Dataset, DatasetError, Sample
from edgeflow.data.left_out import LeftOut
from edgeflow.data.listed import class_names_of, left_out_of
from edgeflow.export.pictures import FilePicture, SamplePicture
from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch


def annotations_of(dataset: Dataset) -> Annotations:
    """A dataset's annotations; images are read when their turn comes.

    A dataset that does not declare its classes is read once for their names alone.
    """
    names = dict.fromkeys(class_names_of(dataset)) or _used(dataset)
    return Annotations(dataset.name, tuple(names), _images(dataset, set(names)), len(dataset))


def _used(dataset: Dataset) -> list[str]:
    """The classes of all objects, by name."""
    labels: set[str] = set()
    for index in range(len(dataset)):
        with contextlib.suppress(DatasetError):  # told when the image's turn comes
            labels.update(label for label in dataset[index].labels if label is not None)
    return sorted(labels)


def _images(dataset: Dataset, names: set[str]) -> Iterator[AnnotatedImage | LeftOut]:
    yield from left_out_of(dataset)
    for index in range(len(dataset)):
        try:
            sample = dataset[index]
        except DatasetError as error:
            yield LeftOut(error.message, dataset.sample_names[index])
            continue
        yield from sample.left_out
        if sample.ignore is not None:
            yield LeftOut("ignored parts of images")
        if unknown := set(sample.labels) - names - {None}:
            raise DatasetError(
                f"{sample.name} has an object of the class {min(map(str, unknown))!r}, which "
                f"{dataset.name} does not declare",
                hint="declare it, or correct the object",
            )
        yield _image(sample, SamplePicture(dataset, index))


def _image(sample: Sample, picture: Picture) -> AnnotatedImage:
    """A sample as an annotated image.

    Args:
        sample: The sample.
        picture: Its picture, if it has no file of its own.
    """
    objects = tuple(
        AnnotatedObject(str(number), () if label is None else (label,), MaskPatch.of(mask))
        for number, (mask, label) in enumerate(zip(sample.objects, sample.labels, strict=True))
    )
    size = Size(*sample.rgb.shape[:2])
    if sample.path is not None:
        picture = FilePicture(sample.path, size)
    return AnnotatedImage(sample.name, sample.file_name or sample.name, size, objects, picture)
