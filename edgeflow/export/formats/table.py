"""The table of formats that annotations are exported to."""

from __future__ import annotations

from edgeflow.export.format import Format
from edgeflow.export.formats import (
    coco,
    coco_panoptic,
    cutouts,
    cvat,
    eiseg,
    hf,
    instances,
    labelme,
    lvis,
    overlay,
    semantic,
    voc,
    yolo,
)

FORMATS: dict[str, Format] = {
    "coco": Format(
        "COCO instances: exact run-length codes, polygons, boxes",
        coco.image_record,
        coco.instances,
        pictures="images",
        always=(coco.PATH,),
    ),
    "coco-panoptic": Format(
        "COCO panoptic: a PNG of segments an image; without overlaps",
        coco_panoptic.image_files,
        coco_panoptic.documents,
        pictures="images",
        always=(coco_panoptic.PATH,),
    ),
    "lvis": Format(
        "LVIS: COCO with how often classes occur",
        lvis.image_record,
        lvis.documents,
        pictures="images",
        always=(lvis.PATH,),
    ),
    "yolo-seg": Format(
        "YOLO outlines: a text file an image, a line an object",
        yolo.outlines,
        yolo.table,
        pictures=yolo.PICTURES,
        copies=True,
        always=(yolo.TABLE,),
        one_part=yolo.TRAIN,
    ),
    "yolo-box": Format(
        "YOLO boxes: a text file an image, a line an object",
        yolo.boxes,
        yolo.table,
        pictures=yolo.PICTURES,
        copies=True,
        always=(yolo.TABLE,),
        one_part=yolo.TRAIN,
    ),
    "semantic": Format(
        "Semantic masks: a grey PNG of class numbers an image, and a table of classes",
        semantic.mask_file,
        semantic.table,
        pictures=semantic.PICTURES,
        always=(semantic.TABLE,),
    ),
    "instances": Format(
        "Instance masks: a 16-bit PNG of object numbers an image, and a table of objects",
        instances.mask_file,
        instances.table,
        pictures=semantic.PICTURES,
        always=(instances.TABLE,),
    ),
    "hf": Format(
        "Image folder for Hugging Face datasets: pictures, masks, and metadata.jsonl",
        hf.image_files,
        hf.tables,
        pictures=hf.PICTURES,
        copies=True,
        one_part=hf.ONE_PART,
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
