"""Regions that Label Studio has stored, and their masks, decoded only when one is needed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import orjson
from PIL import Image

from edgeflow.arrays import BoolMask
from edgeflow.errors import EdgeFlowError, PromptError
from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow.label_studio.shapes import corners
from edgeflow.label_studio.touches import draw
from edgeflow.label_studio.values import JSONObject
from edgeflow.masks.patch import MaskPatch
from edgeflow.masks.rasterize import rasterize
from edgeflow_backend.memory.byte_lru import ByteLRU
from edgeflow_backend.protocol.record import RegionRecord, read_record
from edgeflow_backend.protocol.wire import Brush, objects, parse_shape

Where = Literal["off", "drafts", "annotations"]

OPAQUE = 127
"""Alpha above which a brush's soft border counts as mask."""


@dataclass(frozen=True)
class StoredRegion:
    """A region in a draft or annotation; its value is not looked at before it must be.

    Attributes:
        labels: as stored.
        value: Label Studio's, untrusted.
        provenance: how we made it, if we did.
    """

    id: str
    type: str
    from_name: str
    to_name: str
    item_index: int | None
    labels: tuple[str, ...]
    size: Size | None
    value: JSONObject
    provenance: RegionRecord | None

    @property
    def object_id(self) -> str:
        """Its own id, or that of the first piece of its object."""
        return self.provenance.object if self.provenance is not None else self.id


MaskCache = ByteLRU[bytes, MaskPatch]


def open_regions(task: JSONObject, where: Where) -> Iterator[StoredRegion]:
    """The regions that the annotator has before them, the topmost first.

    Label Studio does not say who clicks nor which annotation is open. A draft is the clicking
    annotator's own, so the newest draft decides; without one the task's only annotation is taken
    for the open one. Of several annotations none is: they may be other people's.

    Args:
        task: of a request.
        where: whether to look at all, and whether in annotations too.
    """
    if where == "off":
        return
    drafts = objects(task.get("drafts"))
    annotations = objects(task.get("annotations")) if where == "annotations" else []
    if drafts:
        holder = max(drafts, key=lambda draft: str(draft.get("updated_at", "")))
    elif len(annotations) == 1:
        (holder,) = annotations
    else:
        return
    results = objects(holder.get("result"))
    # Labels of unlabelled controls are a second result with the region's id.
    labels = {str(r.get("id")): r.get("value") for r in results if r.get("type") == "labels"}
    for raw in reversed(results):
        region = _read(raw, labels.get(str(raw.get("id"))))
        if region is not None:
            yield region


def stored_mask(region: StoredRegion, fallback: Size, cache: MaskCache) -> MaskPatch | None:
    """The mask of a stored region, at its own size; None if it cannot be read.

    Args:
        region: from :func:`open_regions`.
        fallback: the image's size, where the region does not say.
        cache: remembers masks by their code.
    """
    size = region.size or fallback
    if size.height * size.width > fallback.height * fallback.width * 4:
        return None  # nothing that the editor shows is larger than its image
    try:
        code = region.value.get("rle")
        if isinstance(code, list) and "touches" not in region.value:
            packed = bytes(code)  # much quicker than as JSON
        else:
            packed = orjson.dumps(region.value)
        key = hashlib.sha256(f"{region.type}{size}".encode() + packed).digest()
        found = cache.get(key)
        if found is None:
            found = MaskPatch.of(_decode(region, size))
            cache.put(key, found)
    except (EdgeFlowError, ValueError, TypeError, OSError, Image.DecompressionBombError):
        return None
    return found


def shown_mask(region: JSONObject, mask: MaskPatch) -> MaskPatch:
    """What a region that was just made from ``mask`` shows: less exact for outlines and boxes."""
    if region["type"].startswith(("brush", "bitmask")):
        return mask
    read = _read(region, None)
    shown = stored_mask(read, mask.image_size, MaskCache(0)) if read is not None else None
    return shown if shown is not None else mask


def code_length(value: JSONObject) -> int:
    """Length of a region's brush code or inline image; 0 for others and for edited drafts."""
    if value.get("touches"):
        return 0
    code = value.get("rle", value.get("imageDataURL"))
    return len(code) if isinstance(code, list | str) else 0


def _decode(region: StoredRegion, size: Size) -> BoolMask:
    kind = region.type.removesuffix("labels")
    if kind == "brush":
        code = region.value.get("rle")
        rendered = (
            decode_brush(code, size) > OPAQUE
            if isinstance(code, list) and code
            else np.zeros(size, dtype=np.bool_)
        )
        touches = region.value.get("touches")
        return draw(rendered, touches) if touches else rendered
    if kind == "bitmask":
        return _decode_data_url(region.value.get("imageDataURL"), size)
    shape = parse_shape(
        {
            "type": region.type,
            "from_name": region.from_name,
            "to_name": region.to_name,
            "value": region.value,
        }
    )
    if isinstance(shape, Brush):
        raise PromptError(f"regions of type {region.type} hold no mask")
    return rasterize(corners(shape.value, size), size)


def _decode_data_url(url: object, size: Size) -> BoolMask:
    """The alpha channel of an inline image, which must have the right size."""
    payload = str(url).partition(",")[2]
    try:
        data = base64.b64decode(payload, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error
    with Image.open(io.BytesIO(data)) as image:
        if (image.height, image.width) != size:
            raise ValueError("another size")
        alpha = np.asarray(image.convert("RGBA"))[:, :, 3]
    mask: BoolMask = alpha > OPAQUE
    return mask


def _read(raw: JSONObject, label_value: object) -> StoredRegion | None:
    kind, value = raw.get("type"), raw.get("value")
    names = (raw.get("id"), raw.get("from_name"), raw.get("to_name"))
    if not isinstance(kind, str) or not isinstance(value, dict):
        return None
    if not all(isinstance(name, str) for name in names):
        return None
    labels = value.get(kind)
    if labels is None and isinstance(label_value, dict):
        labels = label_value.get("labels")
    width, height = raw.get("original_width"), raw.get("original_height")
    sized = all(isinstance(side, int) and side > 0 for side in (width, height))
    index = raw.get("item_index")
    return StoredRegion(
        id=str(raw["id"]),
        type=kind,
        from_name=str(raw["from_name"]),
        to_name=str(raw["to_name"]),
        item_index=index if isinstance(index, int) else None,
        labels=tuple(map(str, labels)) if isinstance(labels, list) else (),
        size=Size(height, width) if sized else None,  # type: ignore[arg-type]
        value=value,
        provenance=read_record(raw),
    )
