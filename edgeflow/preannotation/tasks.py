"""Annotated images as Label Studio's tasks, and what becomes of them counted."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from edgeflow.annotated import AnnotatedImage, DrawnBox
from edgeflow.data.left_out import LeftOut, left_out_lines
from edgeflow.errors import EdgeFlowError, LabelConfigError, brief
from edgeflow.geometry import Size
from edgeflow.label_studio.config.controls import ImageTag
from edgeflow.label_studio.region_values import PolygonOptions
from edgeflow.label_studio.values import JSONObject
from edgeflow.preannotation.regions import MaskedObject, Placed, encode_object, region_id

As = Literal["predictions", "annotations"]
"""What masks become: suggestions of a model, or annotations of the token's owner."""

META = "edgeflow"
MARK = "import"
"""Where a task's ``meta`` says which image it was made of: ``meta.edgeflow.import``."""

LOSSY = 0.95
"""Polygons that keep less of a mask, as IoU, are counted."""

_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_KEY = re.compile(r"\$([A-Za-z_]\w*)")


@dataclass(frozen=True)
class TaskForm:
    """What tasks are to be like.

    Attributes:
        kind: What the masks become.
        model_version: Of predictions.
        polygons: How masks become polygons.
        label: Label of objects without one; None leaves them without, unless there is only one.
    """

    kind: As = "predictions"
    model_version: str = "import"
    polygons: PolygonOptions = field(default_factory=PolygonOptions)
    label: str | None = None

    def task(
        self, data: JSONObject, mark: str, regions: list[JSONObject], score: float | None = None
    ) -> JSONObject:
        """A task with its masks."""
        task: JSONObject = {"data": data, "meta": {META: {MARK: mark}}}
        if regions:
            task[self.kind] = [self.holder(regions, score)]
        return task

    def holder(self, regions: list[JSONObject], score: float | None = None) -> JSONObject:
        """The prediction or annotation that holds the regions."""
        if self.kind == "annotations":
            return {"result": regions, "ground_truth": False}
        scored = {} if score is None else {"score": score}
        return {"model_version": self.model_version, **scored, "result": regions}


@dataclass
class Report:
    """What became of images and objects.

    Attributes:
        count: Numbers by what was counted.
        labels: Labels of objects, each once, in the order of their first use.
        left_out: What is in no task.
        least_iou: The least that an object's polygons keep of its mask.
    """

    count: Counter[str] = field(default_factory=Counter)
    labels: dict[str, None] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    least_iou: float = 1.0

    def lose(self, reason: str, where: str) -> None:
        """Note something that is lost, and why."""
        self.left_out.append(LeftOut(reason, where))

    def add(self, other: Report) -> None:
        """Take over what another report says."""
        self.count.update(other.count)
        self.labels.update(other.labels)
        self.left_out += other.left_out
        self.least_iou = min(self.least_iou, other.least_iou)

    @property
    def complete(self) -> bool:
        """Whether nothing was lost."""
        return not any(each.fault for each in self.left_out)

    def lines(self) -> Iterator[str]:
        """The report in words."""
        if self.least_iou < 1:
            yield (
                f"polygons keep at least {self.least_iou:.3f} of their masks, as IoU; "
                f"{self.count['lossy']} of {self.count['objects']} less than {LOSSY}"
            )
        yield from left_out_lines(self.left_out)


def fits_config(label: str) -> bool:
    """Whether a labelling config can have a label."""
    return label != "" and _NO_XML.search(label) is None


def mark_of(source: str, image: AnnotatedImage) -> str:
    """By what an image's task is known again: the image's name and content, not its folder.

    Args:
        source: What the data is called; it counts where the image is not at hand.
        image: The image.
    """
    if image.path is not None:
        content = hashlib.sha256(image.path.read_bytes()).hexdigest()
    elif image.picture is not None:
        content = hashlib.sha256(image.picture.rgb().tobytes()).hexdigest()
    else:
        content = f"{source}\n{image.size.width}x{image.size.height}"
    text = f"{image.key}\n{content}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:32]


def task_data(tag: ImageTag, url: str) -> JSONObject:
    """The data of a task with one image.

    Args:
        tag: Shows the image.
        url: The image's.

    Raises:
        LabelConfigError: The tag composes its URL of several parts.
    """
    match = _KEY.fullmatch(tag.value)
    if match is None:
        raise LabelConfigError(
            f"the labelling config takes its image from {brief(tag.value)!a}",
            hint='use an Image tag with value="$image", or with another single name',
        )
    return {match[1]: [url] if tag.several else url}


def image_regions(
    image: str,
    size: Size,
    objects: Iterable[MaskedObject],
    placed: Placed,
    form: TaskForm,
    report: Report,
    where: str,
) -> list[JSONObject]:
    """The regions of an image; objects that cannot be shown are noted.

    Args:
        image: Its key, of which the regions' ids are made.
        size: Its size.
        objects: What is on it.
        placed: Where its masks go.
        form: What tasks are like.
        report: Told what became of the objects.
        where: What messages call the image.
    """
    regions: list[JSONObject] = []
    for each in objects:
        if not all(map(fits_config, each.labels)):
            report.lose("its label has characters that no labelling config can have", where)
            continue
        try:
            encoded = encode_object(each, size, placed, region_id(image, each.key), form.polygons)
        except EdgeFlowError as error:
            hint = f"; {error.hint}" if error.hint else ""
            report.lose(f"{error.message}{hint}", where)
            continue
        regions += encoded.regions
        report.count["objects"] += 1
        report.count["unlabelled"] += not each.labels
        report.count["lossy"] += encoded.iou < LOSSY
        report.least_iou = min(report.least_iou, encoded.iou)
        report.labels.update(dict.fromkeys(each.labels))
    return regions


def masked_objects(image: AnnotatedImage, form: TaskForm, report: Report) -> list[MaskedObject]:
    """The objects of an annotated image that cover something; boxes are counted."""
    default = () if form.label is None else (form.label,)
    objects = []
    for each in image.objects:
        if isinstance(each.shape, DrawnBox):
            report.left_out.append(LeftOut("boxes, of which `edgeflow prelabel` makes masks"))
        else:
            labels = tuple(filter(None, each.labels))  # an empty one says nothing
            objects.append(MaskedObject(each.key, labels or default, each.shape))
    return objects
