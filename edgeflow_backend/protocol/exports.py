"""Which of Label Studio's own exports a labelling config spoils.

Measured on Label Studio 1.23; nothing is lost in the annotations themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgeflow.label_studio.config.controls import Control
from edgeflow.label_studio.config.label_config import TaskConfig
from edgeflow.label_studio.controls import LABELS_TAG

_OWN = "`edgeflow export` is right with either config"

_JSON_BACK = (
    '<RectangleLabels name="unused" toName="{}" smart="false"><Label value="unused"/>'
    "</RectangleLabels>"
)

_BESIDE_LABELS = {
    "BrushLabels": ("Label Studio's PNG and NPY exports hold each accepted mask twice", "Brush"),
    "RectangleLabels": (
        "Label Studio's COCO, YOLO and VOC exports hold each accepted box twice",
        "Rectangle",
    ),
    "Polygon": ("Label Studio's COCO and YOLO exports leave its polygons out", "PolygonLabels"),
}
"""By mask control: what is wrong with it beside ``Labels``, and the control to use in its place."""


def export_warnings(config: TaskConfig) -> list[str]:
    """What a parsed config does to Label Studio's exports, each with how to avoid it."""
    return [*_labelled_clicks(config), *_unlabelled_masks(config), *_beside_labels(config)]


def _labelled_clicks(config: TaskConfig) -> Iterator[str]:
    boxes = any(control.tag == "RectangleLabels" for control in config.controls)
    pages = any(image.several for image in config.images)
    for click in _clicks(config):
        masks = _masks(config, click)
        if not click.labelled or not masks:
            continue
        several = len({label.value for mask in masks for label in mask.labels}) > 1
        instead = 'use <KeyPoint smart="true" smartOnly="true"> in its place'
        if several:
            instead += ", and <Labels> with the labels"
        if pages and not boxes:
            yield (
                f"{click} beside several pictures a task makes every export of Label Studio's fail "
                f"with HTTP 500, JSON included; {instead}. Where its points are in annotations "
                f"already, {_JSON_BACK.format(click.to_name)} beside it brings JSON back; {_OWN}."
            )
            continue
        offered = "" if boxes else "are not offered in the dialog, and "
        yield (
            f"{click} spoils Label Studio's COCO and YOLO exports: they {offered}lose the masks' "
            "labels (COCO puts all into one category, default) or the masks (YOLO's files are "
            "empty), and a point that is left in an annotation makes COCO fail with HTTP 500; "
            f"{instead}, and no label has to be picked again before each click; {_OWN}."
        )


def _unlabelled_masks(config: TaskConfig) -> Iterator[str]:
    for click in _clicks(config):
        choosing = [mask for mask in _masks(config, click) if len(mask.labels) > 1]
        if not click.labelled and choosing and not _carriers(config, click):
            yield (
                f"{choosing[0]} has several labels and clicks with {click} none, so masks come "
                "without a label, and Label Studio's exports leave them out; add "
                f'<Labels name="labels" toName="{click.to_name}"> with the labels.'
            )


def _beside_labels(config: TaskConfig) -> Iterator[str]:
    for mask in config.mask_controls:
        if mask.tag in _BESIDE_LABELS and _carriers(config, mask):
            wrong, instead = _BESIDE_LABELS[mask.tag]
            yield f"{mask} beside <Labels>: {wrong}; use <{instead}> in its place."


def _clicks(config: TaskConfig) -> list[Control]:
    return [each for each in config.controls if each.sends == "clicks" and each.smart]


def _masks(config: TaskConfig, click: Control) -> list[Control]:
    return [each for each in config.mask_controls if each.is_on(click.to_name)]


def _carriers(config: TaskConfig, beside: Control) -> list[Control]:
    return [c for c in config.controls if c.tag == LABELS_TAG and c.is_on(beside.to_name)]
