"""What an export held and what it left out, in lines for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from edgeflow.annotated import AnnotatedImage, Annotations, DrawnBox
from edgeflow.data.left_out import LeftOut, left_out_lines


class Tally:
    """Counts annotated images on their way to a writer.

    Args:
        annotations: Where they come from.
    """

    def __init__(self, annotations: Annotations) -> None:
        self._annotations = annotations
        self._count: Counter[str] = Counter()
        self._labels: set[str] = set(annotations.labels)
        self._left_out: list[LeftOut] = []

    def images(self) -> Iterator[AnnotatedImage]:
        """The images alone, each counted when it is asked for."""
        for each in self._annotations.images:
            if isinstance(each, LeftOut):
                self._left_out.append(each)
            else:
                self._add(each)
                yield each

    def _add(self, image: AnnotatedImage) -> None:
        self._count["images"] += 1
        self._count["not found"] += image.picture is None
        for each in image.objects:
            self._count["objects"] += 1
            self._count["unlabelled"] += each.label is None
            self._count["several labels"] += len(each.labels) > 1
            self._count["turned"] += isinstance(each.shape, DrawnBox) and each.shape.turned
            self._labels.update(each.labels[:1])

    def leave_out(self, left_out: Iterable[LeftOut]) -> None:
        """Count what a format has no place for."""
        self._left_out += left_out

    @property
    def empty(self) -> bool:
        """Whether there was no image."""
        return not self._count["images"]

    @property
    def complete(self) -> bool:
        """Whether no object was lost because it could not be read."""
        return not any(each.fault for each in self._left_out)

    def lines(self) -> Iterable[str]:
        """The counts, then what was left out and why."""
        count = self._count
        categories = len(self._labels) + bool(count["unlabelled"])
        yield f"{count['images']} images, {count['objects']} objects, {categories} categories"
        for key, said in (
            ("not found", "images are not at hand: name and size are those of the annotations"),
            ("unlabelled", "objects have no label"),
            ("several labels", "objects have several labels, of which the first counts"),
            ("turned", "turned boxes became upright ones around them"),
        ):
            if count[key]:
                yield f"{count[key]} {said}"
        yield from left_out_lines(self._left_out)
