"""Requests that are bombs."""

from __future__ import annotations

from tools.guards.guard import Guard, Threat
from tools.guards.threats.places import BACKEND, LIBRARY, SERVER, STUDIO

THREATS = (
    Threat(
        "A request that is a bomb",
        (
            Guard(
                "a body is measured before it is read",
                "edgeflow_backend/server/parser.py",
                "if head.length > self._limit:",
                "if False:",
                (
                    f"{SERVER}/test_parser.py::test_a_malformed_request_is_refused_as_soon_as_that_shows",
                ),
            ),
            Guard(
                "and while it comes in chunks",
                "edgeflow_backend/server/chunks.py",
                "if size > self._room:",
                "if False:",
                (
                    f"{SERVER}/test_parser.py::test_a_malformed_request_is_refused_as_soon_as_that_shows",
                ),
            ),
            Guard(
                "all bodies together are bounded",
                "edgeflow_backend/server/server.py",
                "if excess <= 0:\n            return\n        coming",
                "if excess > 0:\n            return\n        coming",
                (f"{SERVER}/test_server.py::test_the_bytes_of_all_bodies_are_bounded",),
            ),
            Guard(
                "JSON is nested 254 levels deep at most",
                "edgeflow_backend/protocol/body.py",
                "orjson.dumps(body)",
                "pass",
                (f"{BACKEND}/protocol/test_body.py::test_what_is_nested_deeper_is_refused",),
            ),
            Guard(
                "XML has no entities",
                "edgeflow/label_studio/config/tags.py",
                "from defusedxml.ElementTree import DefusedXMLParser",
                "from xml.etree.ElementTree import XMLParser as DefusedXMLParser",
                (f"{STUDIO}/config/test_tags.py::test_entities_of_any_kind_are_refused",),
            ),
            Guard(
                "a labelling config is measured",
                "edgeflow/label_studio/config/tags.py",
                "if len(xml) > MAX_LENGTH:",
                "if False:",
                (
                    f"{STUDIO}/config/test_tags.py::test_a_config_far_larger_than_any_real_one_is_refused_at_once",
                ),
            ),
            Guard(
                "and its depth",
                "edgeflow/label_studio/config/tags.py",
                "if self._depth > MAX_DEPTH:",
                "if False:",
                (f"{STUDIO}/config/test_tags.py::test_tags_inside_each_other_are_limited",),
            ),
            Guard(
                "and what its repeaters make of it",
                "edgeflow/label_studio/config/repeater.py",
                "self._left = MAX_TAGS",
                "self._left = 10**12",
                (f"{STUDIO}/config/test_repeater.py::test_too_many_copies_are_refused",),
            ),
            Guard(
                "brush RLE fills its image and no more",
                "edgeflow/label_studio/brush_rle.py",
                "if done > total:",
                "if False:",
                (f"{STUDIO}/test_brush_rle.py::test_a_run_over_the_end_is_refused",),
            ),
            Guard(
                "and is a list: a number would stand for as many bytes",
                "edgeflow/label_studio/region_masks.py",
                "if rle is not None and not isinstance(rle, list):",
                "if False:",
                (
                    f"{STUDIO}/test_region_masks.py::test_a_brush_code_is_a_list_whatever_bytes_would_make_of_it",
                ),
            ),
            Guard(
                "a mask much larger than its image is not decoded",
                "edgeflow_backend/objects/task_regions.py",
                "if size.height * size.width > image_size.height * image_size.width * _TOO_LARGE:",
                "if False:",
                (
                    f"{BACKEND}/objects/test_task_regions.py::test_a_mask_much_larger_than_its_image_is_not_decoded",
                ),
            ),
            Guard(
                "a bitmask has its image's size before it is decoded",
                "edgeflow/label_studio/bitmask_png.py",
                "if (image.height, image.width) == size else None",
                "",
                (
                    f"{STUDIO}/test_region_masks.py::test_a_bitmask_of_another_size_or_format_is_refused",
                ),
            ),
            Guard(
                "strokes of a draft take seconds to draw at most",
                "edgeflow/label_studio/touches.py",
                "if work > MAX_WORK:",
                "if False:",
                (
                    f"{STUDIO}/test_region_masks.py::test_strokes_that_would_take_minutes_to_draw_are_refused_at_once",
                ),
            ),
            Guard(
                "a polygon's points are counted",
                "edgeflow/masks/rasterize.py",
                "if len(corners) > MAX_POINTS:",
                "if False:",
                (
                    f"{LIBRARY}/masks/test_polygons.py::test_polygons_that_cannot_be_filled_are_refused",
                ),
            ),
            Guard(
                "and the pixel rows that they cross",
                "edgeflow/masks/rasterize.py",
                "if total > MAX_CROSSINGS:",
                "if False:",
                (
                    f"{LIBRARY}/masks/test_polygons.py::test_polygons_that_cannot_be_filled_are_refused",
                ),
            ),
            Guard(
                "so are a prompt's clicks",
                "edgeflow_backend/protocol/prompts.py",
                "if len(regions) > max_clicks:",
                "if False:",
                (
                    f"{BACKEND}/protocol/test_prompts.py::test_too_many_clicks_are_refused_with_the_setting_that_allows_more",
                ),
            ),
            Guard(
                "COCO's codes fill their image and no more",
                "edgeflow/data/coco_masks.py",
                "if (counts < 0).any() or (counts > total).any() or counts.sum() != total:",
                "if False:",
                (f"{LIBRARY}/data/test_coco_masks.py::test_other_segmentations_are_refused",),
            ),
        ),
    ),
)
