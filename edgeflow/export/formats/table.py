"""The table of formats that annotations are exported to."""

from __future__ import annotations

from edgeflow.export.format import Format
from edgeflow.export.formats import coco

FORMATS: dict[str, Format] = {
    "coco": Format(
        "COCO instances: exact run-length codes, polygons, boxes",
        coco.image_record,
        coco.instances,
        pictures="images",
        always=(coco.PATH,),
    ),
}
"""By name, as on the command line."""
