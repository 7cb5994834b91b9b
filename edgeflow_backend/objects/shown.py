"""An object's answer as the regions that Label Studio shows and stores."""

from __future__ import annotations

from edgeflow.label_studio.region_values import PolygonOptions
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.objects.recent_answers import RecentAnswer
from edgeflow_backend.objects.task_regions import answer_mask
from edgeflow_backend.protocol.regions import mask_regions
from edgeflow_backend.protocol.targets import holder
from edgeflow_backend.requests import Answer, ResolvedRequest
from edgeflow_backend.tracing.spans import traced


@traced("encode")
def show(answer: RecentAnswer, resolved: ResolvedRequest, polygons: PolygonOptions) -> Answer:
    """The regions that show an object, each with the record of how it was made.

    Args:
        answer: The object with its mask.
        resolved: The request that it answers.
        polygons: How exact outlines are.
    """
    prompt, config = resolved.request.prompt, resolved.request.config
    place = {"to_name": answer.to_name, "item_index": answer.item_index}  # perhaps another page's
    newest = prompt.newest.model_copy(update=place)
    segmented, version = answer.after, answer.model_version

    def record(region: JSONObject) -> JSONObject:
        return segmented.record(region, answer_mask(region, answer.mask), version)

    regions = mask_regions(
        answer.mask,
        answer.score,
        newest,
        holder(config, segmented.control, segmented.labels, newest.to_name),
        segmented.region_id,
        polygons=polygons,
        record=record,
    )
    return Answer(regions, answer.score, version)
