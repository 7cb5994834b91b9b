"""The table of formats that annotations are exported to."""

from __future__ import annotations

from edgeflow.export.format import Format
from edgeflow.export.formats import coco, cutouts, cvat, eiseg, labelme, overlay, voc

FORMATS: dict[str, Format] = {
    "coco": Format(
        "COCO instances: exact run-length codes, polygons, boxes",
        coco.image_record,
        coco.instances,
        pictures="images",
        always=(coco.PATH,),
    ),
    "eiseg": Format(
        "EISeg 1.1.1's files: grey, pseudo-colour and cut-out PNGs, JSON, labelme, COCO",
        eiseg.image_files,
        eiseg.whole_files,
        pictures=eiseg.PICTURES,
        always=(eiseg.COCO, eiseg.LABEL_LIST),
    ),
    "voc": Format(
        "PASCAL VOC: palette PNGs of classes and objects, XML boxes, image sets",
        voc.image_files,
        voc.whole_files,
        pictures=voc.PICTURES,
        copies=True,
        always=(voc.LABEL_MAP,),
    ),
    "labelme": Format(
        "labelme: JSON beside each picture, exact masks, polygons, boxes",
        labelme.image_file,
        labelme.whole_files,
        pictures="{split}",
        copies=True,
        always=(labelme.LABELS,),
    ),
    "cvat": Format(
        "CVAT for images 1.1: XML with exact masks, polygons, boxes",
        cvat.image_record,
        cvat.whole_files,
        pictures="images",
        always=(cvat.PATH,),
    ),
    "cutouts": Format(
        "Cut-outs: transparent PNGs with soft edges, one an object or a picture",
        cutouts.image_files,
        cutouts.whole_files,
        always=(cutouts.TABLE,),
    ),
    "overlay": Format(
        "Pictures with outlines, tints and names of their objects, as JPEG",
        overlay.image_file,
        overlay.whole_files,
    ),
}
"""By name, as on the command line."""
