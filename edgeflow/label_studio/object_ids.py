"""Which regions are pieces of one object.

A backend that answers with outlines may need several regions for one object. It says so in each
region's ``meta``, which Label Studio keeps through accepting, drafts, annotations and exports.
"""

from __future__ import annotations

import re

from edgeflow.label_studio.values import JSONObject

META_KEY = "edgeflow"
"""Where this project's record stands in a region's ``meta``."""


def piece_id(object_id: str, number: int) -> str:
    """The region id of an object's piece; the first one's is the object's own.

    Args:
        object_id: The object's.
        number: From 1.
    """
    return object_id if number == 1 else f"{object_id}-{number}"


def object_of(region: JSONObject) -> str | None:
    """The id of the object that a region is a piece of; None for a region that stands alone.

    A copy of a region may hold the same ``meta`` under a new id, and is another object. So the
    region's id must be that of a piece, too.

    Args:
        region: As Label Studio stores it, untrusted.
    """
    meta, own = region.get("meta"), region.get("id")
    record = meta.get(META_KEY) if isinstance(meta, dict) else None
    whole = record.get("object") if isinstance(record, dict) else None
    if not isinstance(whole, str) or not isinstance(own, str):
        return None
    return whole if re.fullmatch(re.escape(whole) + r"(-\d+)?", own) else None
