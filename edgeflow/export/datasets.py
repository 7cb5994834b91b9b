"""Any dataset as annotated images: its masks, with the classes that it names."""

from __future__ import annotations

from collections.abc import Iterator

from edgeflow.data.base import Dataset, DatasetError, Sample
from edgeflow.data.left_out import LeftOut
from edgeflow.data.listed import class_names_of, left_out_of
from edgeflow.export.annotated import AnnotatedImage, AnnotatedObject, Annotations
from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch


def annotations_of(dataset: Dataset) -> Annotations:
    """A dataset's annotations; images are read when their turn comes."""
    names = tuple(dict.fromkeys(class_names_of(dataset)))
    return Annotations(dataset.name, names, _images(dataset))


def _images(dataset: Dataset) -> Iterator[AnnotatedImage | LeftOut]:
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
        yield _image(sample)


def _image(sample: Sample) -> AnnotatedImage:
    objects = tuple(
        AnnotatedObject(str(number), () if label is None else (label,), MaskPatch.of(mask))
        for number, (mask, label) in enumerate(zip(sample.objects, sample.labels, strict=True))
    )
    size = Size(*sample.rgb.shape[:2])
    name = sample.file_name or sample.name
    return AnnotatedImage(sample.name, name, size, objects, path=sample.path, rgb=sample.rgb)
