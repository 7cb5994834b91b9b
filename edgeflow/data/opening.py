"""The table of layouts, and recognising which of them a path has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgeflow.data.base import Dataset, DatasetError
from edgeflow.data.coco import Coco
from edgeflow.data.davis import Davis
from edgeflow.data.folder import Folder, ImgGt
from edgeflow.data.grabcut import Berkeley, GrabCut
from edgeflow.data.label_studio import LabelStudio
from edgeflow.data.layouts.coco_panoptic import CocoPanoptic
from edgeflow.data.layouts.cutouts import Cutouts
from edgeflow.data.layouts.cvat import Cvat
from edgeflow.data.layouts.davis585 import Davis585
from edgeflow.data.layouts.eiseg import Eiseg
from edgeflow.data.layouts.hf import HfImageFolder
from edgeflow.data.layouts.index_masks import Instances, Semantic
from edgeflow.data.layouts.labelme import Labelme
from edgeflow.data.layouts.yolo import YoloSeg, are_yolo_boxes, refuse_boxes
from edgeflow.data.pulled import Pulled
from edgeflow.data.sbd import Sbd
from edgeflow.data.shards import Shards
from edgeflow.data.voc import Voc

AUTO = "auto"


@dataclass(frozen=True)
class Layout:
    """A way in which annotated images are stored.

    Attributes:
        what: The kind of data, in a few words.
        tree: Files that have to be there.
        recognise: Tells whether a path has this layout.
        read: Opens the dataset at a path, given a split and a folder of images; and a file with a
            labelling config, by name, if it takes one.
        takes: Those of split, images and label_config that it can use.
    """

    what: str
    tree: str
    recognise: Callable[[Path], bool]
    read: Callable[..., Dataset]
    takes: frozenset[str] = frozenset()


LAYOUTS: dict[str, Layout] = {
    "folder": Layout(
        "masks that number objects",
        "images/<id>.jpg, masks/<id>.png: 0 background, 1, 2, … objects, 255 ignore",
        Folder.recognise,
        lambda path, _split, _images: Folder(path),
    ),
    "berkeley": Layout(
        "masks of 0 and 255",
        "images/<id>.jpg, masks/<id>.png: 255 the one object",
        Berkeley.recognise,
        lambda path, _split, _images: Berkeley(path),
    ),
    "img-gt": Layout(
        "DAVIS-345 and COCO_MVal as RITM publishes them",
        "img/<id>.jpg, gt/<id>.png: what is not black is the one object",
        ImgGt.recognise,
        lambda path, _split, _images: ImgGt(path),
    ),
    "grabcut": Layout(
        "GrabCut as published",
        "data_GT/<id>.jpg, boundary_GT/<id>.bmp: 128 ignore, 255 the one object",
        GrabCut.recognise,
        lambda path, _split, _images: GrabCut(path),
    ),
    "davis": Layout(
        "DAVIS 2016 and 2017",
        "JPEGImages/480p/<sequence>/*.jpg, Annotations/480p/<sequence>/*.png",
        Davis.recognise,
        lambda path, split, _images: Davis(path, split),
        frozenset({"split"}),
    ),
    "davis585": Layout(
        "DAVIS585 with its start masks",
        "<sequence>/<frame>.jpg, <sequence>/object<k>_<frame>.png, init_sp_… and init_stm_…",
        Davis585.recognise,
        lambda path, _split, _images: Davis585(path),
    ),
    "voc": Layout(
        "PASCAL VOC",
        "JPEGImages/*.jpg, SegmentationObject/*.png, ImageSets/Segmentation/<split>.txt",
        Voc.recognise,
        lambda path, split, _images: Voc(path, split),
        frozenset({"split"}),
    ),
    "sbd": Layout(
        "Semantic Boundaries Dataset",
        "img/*.jpg, inst/*.mat, <split>.txt, or these in dataset/",
        Sbd.recognise,
        lambda path, split, _images: Sbd(path, split),
        frozenset({"split"}),
    ),
    "coco": Layout(
        "COCO instances and LVIS",
        "annotations/instances_<split>.json, <split>/*.jpg; or the JSON file itself",
        Coco.recognise,
        lambda path, split, images: Coco(path, split=split, images=images),
        frozenset({"split", "images"}),
    ),
    "shards": Layout(
        "tar files of images and masks",
        "*.tar with <set>/<id>.jpg, <set>/<id>.png; the split is a list of sets",
        Shards.recognise,
        lambda path, split, _images: Shards.of_sets(path, split),
        frozenset({"split"}),
    ),
    "label-studio": Layout(
        "a Label Studio export",
        "project.json of the export format JSON, images in images/ beside it or anywhere",
        LabelStudio.recognise,
        lambda path, _split, images, label_config=None: LabelStudio(
            path, images=images, label_config=label_config
        ),
        frozenset({"images", "label_config"}),
    ),
    "pulled": Layout(
        "a Label Studio project that `edgeflow pull` fetched",
        "the folder, with pulled.json in it",
        Pulled.recognise,
        lambda path, _split, _images: Pulled(path),
    ),
    "coco-panoptic": Layout(
        "COCO panoptic: things are objects",
        "annotations/panoptic_<split>.json, annotations/panoptic_<split>/*.png, <split>/*.jpg",
        CocoPanoptic.recognise,
        lambda path, split, images: CocoPanoptic(path, split=split, images=images),
        frozenset({"split", "images"}),
    ),
    "yolo-seg": Layout(
        "YOLO with outlines",
        "data.yaml, images/<split>/*.jpg, labels/<split>/*.txt",
        YoloSeg.recognise,
        lambda path, split, _images: YoloSeg(path, split),
        frozenset({"split"}),
    ),
    "yolo-box": Layout(
        "YOLO with boxes, which are no masks: `edgeflow prelabel` makes them",
        "data.yaml, images/<split>/*.jpg, labels/<split>/*.txt",
        are_yolo_boxes,
        lambda path, _split, _images: refuse_boxes(path),
        frozenset({"split"}),
    ),
    "semantic": Layout(
        "masks of class numbers: one object a class",
        "images/<id>.jpg, masks/<id>.png, classes.csv with index,name,r,g,b",
        Semantic.recognise,
        lambda path, split, images: Semantic(path, split=split, images=images),
        frozenset({"split", "images"}),
    ),
    "instances": Layout(
        "masks of object numbers, with labels",
        "images/<id>.jpg, masks/<id>.png, instances.csv with file,number,label",
        Instances.recognise,
        lambda path, split, images: Instances(path, split=split, images=images),
        frozenset({"split", "images"}),
    ),
    "labelme": Layout(
        "labelme",
        "<id>.json and <id>.jpg side by side; or one such JSON file",
        Labelme.recognise,
        lambda path, _split, images: Labelme(path, images=images),
        frozenset({"images"}),
    ),
    "cvat": Layout(
        "CVAT for images 1.1",
        "annotations.xml (or <split>.xml), images/*.jpg; or the XML file itself",
        Cvat.recognise,
        lambda path, split, images: Cvat(path, split=split, images=images),
        frozenset({"split", "images"}),
    ),
    "hf": Layout(
        "an image folder of Hugging Face",
        "metadata.jsonl with file_name and instances_file_names, or <split>/metadata.jsonl",
        HfImageFolder.recognise,
        lambda path, split, _images: HfImageFolder(path, split),
        frozenset({"split"}),
    ),
    "eiseg": Layout(
        "what EISeg saved",
        "<id>.json with polygons, or <id>.png and a label list; images/, or in the folder above",
        Eiseg.recognise,
        lambda path, _split, images: Eiseg(path, images=images),
        frozenset({"images"}),
    ),
    "cutouts": Layout(
        "images whose transparency is the mask",
        "*.png or *.webp, transparent around the one object; metadata.jsonl with labels",
        Cutouts.recognise,
        lambda path, _split, _images: Cutouts(path),
    ),
}
"""By name, as on the command line."""


def open_dataset(
    path: Path,
    *,
    layout: str = AUTO,
    split: str | None = None,
    images: Path | None = None,
    label_config: Path | None = None,
) -> Dataset:
    """Open annotated images.

    Args:
        path: Folder, or for some layouts a file.
        layout: Key of ``LAYOUTS``; "auto" finds out which one the path has.
        split: Part of a dataset that has splits, such as ``val``; for shards the sets, as in
            ``a,b`` or ``-c`` for all others.
        images: Folder of the images, for layouts whose file does not say where it is.
        label_config: File with the labelling config of the Label Studio project.

    Raises:
        DatasetError: No layout fits, or several do; the layout cannot use the split, the images or
            the labelling config; or the layout itself finds a fault.
    """
    if not path.exists():
        raise DatasetError(f"{path} is missing", hint="check the path of the dataset")
    name = recognise(path) if layout == AUTO else layout
    if name not in LAYOUTS:
        raise DatasetError(f"unknown layout {name!r}", hint=_table(LAYOUTS))
    chosen = LAYOUTS[name]
    options = {"split": split, "images": images, "label_config": label_config}
    for option, value in options.items():
        if value is not None and option not in chosen.takes:
            others = [other for other, each in LAYOUTS.items() if option in each.takes]
            raise DatasetError(
                f"{path} has the layout {name}, which has no {option}",
                hint=f"leave it out; layouts with it: {', '.join(others)}",
            )
    extra = {} if label_config is None else {"label_config": label_config}
    return chosen.read(path, split, images, **extra)


def recognise(path: Path) -> str:
    """The one layout that a path has.

    Raises:
        DatasetError: The path has none, or several.
    """
    try:
        fitting = [name for name, layout in LAYOUTS.items() if layout.recognise(path)]
    except OSError as error:
        raise DatasetError(
            f"cannot read {path}: {error.strerror}", hint="check its permissions"
        ) from error
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise DatasetError(
            f"{path} could have the layouts {', '.join(fitting)}",
            hint="choose one with --layout:\n" + _table({name: LAYOUTS[name] for name in fitting}),
        )
    raise DatasetError(
        f"{path} has none of the known layouts", hint="expected is one of:\n" + _table(LAYOUTS)
    )


def _table(layouts: dict[str, Layout]) -> str:
    return "\n".join(
        f"  {name:<13}  {layout.what}\n                 {layout.tree}"
        for name, layout in layouts.items()
    )
