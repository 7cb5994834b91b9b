"""The table of formats that annotations are exported to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from edgeflow.annotated import AnnotatedImage
from edgeflow.export.coco import PATH, write_coco
from edgeflow.export.output import File


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        what: What it is, in a few words.
        write: Makes its files of the declared labels and the images, which are read once.
        always: Paths of the files that it makes whatever the images are.
    """

    what: str
    write: Callable[[tuple[str, ...], Iterable[AnnotatedImage]], Iterator[File]]
    always: tuple[str, ...] = ()


FORMATS: dict[str, Format] = {
    "coco": Format("COCO instances: exact run-length codes, polygons, boxes", write_coco, (PATH,)),
}
"""By name, as on the command line."""
