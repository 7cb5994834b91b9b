"""Suggestions as the regions that Label Studio shows and stores."""

from __future__ import annotations

from edgeflow.errors import LabelConfigError
from edgeflow.label_studio.config.controls import Control
from edgeflow.label_studio.config.label_config import TaskConfig
from edgeflow.label_studio.region_values import PolygonOptions
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.examples.accepted import Place
from edgeflow_backend.examples.library import Category
from edgeflow_backend.examples.settle import Claim
from edgeflow_backend.objects.segmented_object import SegmentedObject
from edgeflow_backend.objects.task_regions import answer_mask
from edgeflow_backend.protocol.regions import mask_regions, region_id
from edgeflow_backend.protocol.targets import holder
from edgeflow_backend.protocol.wire import BaseRegion
from edgeflow_backend.requests import Answer


def holding_control(config: TaskConfig, category: Category, image: str) -> Control | None:
    """The control that holds a category's objects in an image; None if there is none any more.

    Args:
        config: As the task shows it.
        category: What they are labelled as.
        image: Name of the image's tag.
    """
    control = config.control(category.control)
    if control is None or not control.holds_masks or not control.is_on(image):
        return None
    if control.labelled:
        known = {text for text in category.labels if control.open or control.label(text)}
    else:
        try:
            carried = holder(config, control.name, category.labels, image).carried
        except LabelConfigError:
            return None
        known = {text for _, texts in carried for text in texts}
    whole = known == set(category.labels) and bool(known) >= control.labelled
    return control if whole else None


def suggestion(
    claim: Claim,
    task: object,
    place: Place,
    config: TaskConfig,
    model: str,
    polygons: PolygonOptions,
) -> Answer:
    """The regions that suggest an object.

    A click refines it from its mask: the click that found it was looked at in a view of the
    example's size, which a replay would not choose.

    Args:
        claim: The object.
        task: Id of its task.
        place: Which of the task's images it lies in.
        config: The labelling config, as the task shows it.
        model: Version of the model that made it.
        polygons: How exact outlines are.

    Raises:
        LabelConfigError: The config has no place for it.
    """
    (control, labels), found = claim
    size, point = found.mask.image_size, found.click.point
    keys = (f"like {place.item} {point.x:.1f} {point.y:.1f}",)
    new = SegmentedObject(region_id(task, control, keys), control, labels, from_mask=True)
    segmented = new.with_clicks(keys, [found.click], size)
    frame = BaseRegion(
        type="", to_name=place.image, item_index=place.item or None, image_rotation=0.0
    )

    def record(region: JSONObject) -> JSONObject:
        return segmented.record(region, answer_mask(region, found.mask), model)

    where = holder(config, control, labels, place.image)
    regions = mask_regions(
        found.mask,
        found.score,
        frame,
        where,
        segmented.region_id,
        polygons=polygons,
        record=record,
    )
    return Answer(regions, found.score, model)
