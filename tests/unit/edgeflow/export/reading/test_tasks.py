from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeflow.annotated import AnnotatedImage, DrawnBox, Outlines
from edgeflow.data.annotators import VOTES
from edgeflow.data.left_out import LeftOut
from edgeflow.export.reading.finder import Finder
from edgeflow.export.reading.tasks import NOTHING_DRAWN, OUTVOTED, annotations_of_tasks
from edgeflow.export.tally import Tally
from edgeflow.geometry import Size
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.masks.patch import MaskPatch
from tests.unit.edgeflow.data.making import FIRST, SECOND, image_file, pixels, put
from tests.unit.edgeflow.data.test_label_studio import bitmask, brush, polygon, region, task
from tests.unit.edgeflow.data.test_left_out import POINT, RICH
from tests.unit.edgeflow.export.exported import export
from tests.unit.edgeflow_backend.mutations import mutated

CONFIG = parse_label_config(
    """<View>
    <KeyPointLabels name="k" toName="image"><Label value="Point"/></KeyPointLabels>
    <Image name="image" value="$image"/>
    <BrushLabels name="b" toName="image"><Label value="Dog"/><Label value="Cat" alias="cat"/>
    </BrushLabels>
    <PolygonLabels name="p" toName="image"><Label value="Ape"/><Label value="Dog"/></PolygonLabels>
    </View>"""
)


def read(*tasks: Any, folders: tuple[Path, ...] = (), **more: Any) -> list[Any]:
    """Images and what is left out."""
    return list(annotations_of_tasks("p", tasks, CONFIG, Finder(folders), **more).images)


def image_of(*regions: Any) -> AnnotatedImage:
    """The image of a task, of which nothing was left out."""
    (image,) = read(task(1, *regions))
    assert isinstance(image, AnnotatedImage)
    return image


def mask_pixels(shape: Any) -> list[tuple[int, int]]:
    mask = shape.mask if isinstance(shape, Outlines) else shape
    assert isinstance(mask, MaskPatch)
    return pixels(mask.whole())


def piece(label: int, key: str, whole: str, name: str = "Cat") -> dict[str, Any]:
    made = brush(label, id=key, meta={"edgeflow": {"object": whole}})
    made["value"]["brushlabels"] = [name]
    return made


def test_labels_are_those_of_the_config_in_its_order_without_those_of_points_alone() -> None:
    annotations = annotations_of_tasks("p", [], CONFIG, Finder())
    assert annotations.labels == ("Dog", "cat", "Ape")
    assert annotations_of_tasks("p", [], None, Finder()).labels == ()


def test_brushes_and_bitmasks_are_masks_and_polygons_outlines() -> None:
    drawn = image_of(brush(2), polygon(), bitmask(np.eye(4, 6, dtype=np.bool_)))
    kinds = [type(each.shape) for each in drawn.objects]
    assert kinds == [MaskPatch, Outlines, MaskPatch]
    assert [mask_pixels(each.shape) for each in drawn.objects[:2]] == [SECOND, FIRST]
    outlines = drawn.objects[1].shape
    assert isinstance(outlines, Outlines)
    assert outlines.polygons[0].round(6).tolist() == [[1, 1], [3, 1], [3, 3], [1, 3]]


def test_rectangles_are_boxes_in_pixels() -> None:
    box = region("rectanglelabels", {"x": 50, "y": 25, "width": 25, "height": 50, "rotation": 0})
    (drawn,) = image_of(box).objects
    assert drawn.shape == DrawnBox(3, 1, 1.5, 2)


def test_pieces_of_an_object_are_one_object() -> None:
    drawn = image_of(piece(1, "ef1", "ef1"), brush(1, id="x"), piece(2, "ef1-2", "ef1"))
    assert [each.key for each in drawn.objects] == ["ef1", "x"]
    assert mask_pixels(drawn.objects[0].shape) == sorted(FIRST + SECOND)
    outline = {**polygon(id="p"), "meta": {"edgeflow": {"object": "p"}}}
    further = {**polygon([[60, 50], [90, 50], [90, 99]]), "id": "p-2", "meta": outline["meta"]}
    (whole,) = image_of(outline, further).objects
    assert isinstance(whole.shape, Outlines)
    assert len(whole.shape.polygons) == 2


@pytest.mark.parametrize(
    "other",
    [
        piece(2, "copy", "ef1"),
        piece(2, "ef1-2", "ef1", name="Dog"),
        piece(2, "ef12", "ef1"),
        piece(2, "ef1-x", "ef1"),
        {**brush(2, id="ef1-2"), "meta": {"edgeflow": {"object": 5}}},
        {**brush(2, id="ef1-2"), "meta": {"edgeflow": [7]}},
        {**brush(2, id="ef1-2"), "meta": 7},
        piece(2, "ef1", "ef1"),
        brush(2, id="ef1"),
        brush(2, id=7),
    ],
    ids=["a copy", "another label", "another id", "no number", "an odd record", "a list",
         "odd meta", "the same piece", "the same id", "no id"],
)  # fmt: skip
def test_what_is_no_piece_is_an_object_of_its_own(other: Any) -> None:
    drawn = image_of(piece(1, "ef1", "ef1"), other)
    assert [mask_pixels(each.shape) for each in drawn.objects] == [FIRST, SECOND]


def test_an_object_is_what_of_its_pieces_can_be_read() -> None:
    torn = piece(1, "ef1", "ef1")
    torn["value"]["rle"] = [1, 2]
    entries = read(task(1, torn, piece(2, "ef1-2", "ef1")))
    assert len(faults(entries)) == 1
    (drawn,) = entries[-1].objects
    assert (drawn.key, mask_pixels(drawn.shape)) == ("ef1", SECOND)


def test_masks_that_memory_does_not_hold_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeflow.export.reading.tasks.MAX_MASK_BYTES", len(FIRST))
    entries = read(task(1, brush(1), brush(2), brush(2)))
    assert len(faults(entries)) == 2
    assert [mask_pixels(each.shape) for each in entries[-1].objects] == [FIRST]


def test_ids_do_not_depend_on_a_signature_or_on_the_file(tmp_path: Path) -> None:
    put(tmp_path, {"a.jpg": image_file()})
    keys = {
        read(task(1, brush(1), image=f"http://h/a.jpg{query}"), folders=folders)[-1].key
        for query in ("", "?sig=1", "?sig=2")
        for folders in ((), (tmp_path,))
    }
    assert len(keys) == 1


def test_an_image_that_is_not_at_hand_has_the_size_and_name_of_its_annotation() -> None:
    drawn = image_of(brush(1), brush(2, original_width=None))
    assert (drawn.size, drawn.file_name, drawn.picture) == (Size(4, 6), "0a1b2c3d-a.jpg", None)
    assert len(drawn.objects) == 2


def test_an_image_that_is_at_hand_has_its_own(tmp_path: Path) -> None:
    put(tmp_path, {"a.jpg": image_file()})
    unsized = brush(1, original_width=None, original_height=None)
    (drawn,) = read(task(1, unsized), folders=(tmp_path,))
    assert (drawn.size, drawn.file_name) == (Size(4, 6), "a.jpg")
    assert drawn.picture.rgb().shape == (4, 6, 3)


def faults(read: list[Any]) -> list[str]:
    return [each.reason for each in read if isinstance(each, LeftOut) and each.fault == "task 1"]


def test_an_image_of_another_size_is_left_out_and_named(tmp_path: Path) -> None:
    put(tmp_path, {"a.jpg": image_file(5, 5)})
    entries = read(task(1, brush(1)), task(2, brush(1), image="b.jpg"), folders=(tmp_path,))
    assert ["a.jpg has 5×5 pixels" in each for each in faults(entries)] == [True]
    assert isinstance(entries[-1], AnnotatedImage)


@pytest.mark.parametrize(
    "regions",
    [
        [brush(1), brush(1, original_width=7)],
        [brush(1, original_width=None)],
        [brush(1, original_width="x")],
    ],
    ids=["two sizes", "none", "text"],
)
def test_without_the_image_its_size_is_not_guessed(regions: Any) -> None:
    assert len(faults(read(task(1, *regions)))) == 1


def test_of_two_sizes_that_of_the_image_counts(tmp_path: Path) -> None:
    put(tmp_path, {"a.jpg": image_file()})
    entries = read(task(1, brush(1), brush(1, original_width=7)), folders=(tmp_path,))
    assert len(faults(entries)) == 1
    assert len(entries[-1].objects) == 1


def test_what_is_left_out_of_a_task_is_told() -> None:
    bare = {"id": 3, "data": {"image": "c.jpg"}, "annotations": []}
    damaged = region("brushlabels", {"rle": [1, 2]})
    point = region("keypoint", POINT)
    entries = read(task(1, brush(1), brush(9), damaged, point), task(2, image="b.jpg"), bare)
    told = [(each.reason, each.fault) for each in entries if isinstance(each, LeftOut)]
    assert told == [
        ("results of type 'keypoint'", ""),
        ("regions without a pixel", ""),
        ("the brush RLE is truncated", "task 1"),
        ("annotated images on which no object is drawn", ""),
        ("tasks without an annotation that counts", ""),
    ]


def test_an_image_of_which_no_object_can_be_read_is_not_taken_for_background() -> None:
    torn = region("brushlabels", {"rle": [1, 2]})
    entries = read(task(1, torn), task(2, brush(9), image="b.jpg"))
    assert [each.fault for each in entries] == ["task 1", "", "", ""]


def test_a_task_whose_image_cannot_be_told_is_named_with_the_way_out() -> None:
    unclear = {**task(1, brush(1)), "data": {"a": "http://h/a.jpg", "b": "http://h/b.jpg"}}
    tasks = [unclear, task(2, brush(1))]
    entries = list(annotations_of_tasks("p", tasks, None, Finder()).images)
    (fault,) = faults(entries)
    assert fault.startswith("which image its regions are on cannot be told")
    assert "--label-config" in fault
    assert isinstance(entries[-1], AnnotatedImage)


def test_the_annotators_choice() -> None:
    several = task(1, brush(1))
    several["annotations"].append({"id": 2, "completed_by": 5, "result": [brush(2)]})
    chosen = {
        who: mask_pixels(read(several, annotator=who)[-1].objects[0].shape)
        for who in ("first", "last", "5")
    }
    assert chosen == {"first": FIRST, "last": SECOND, "5": SECOND}


def test_several_images_of_a_task_are_several_images() -> None:
    pages = parse_label_config('<View><Image name="image" valueList="$pages"/></View>')
    paged = {
        **task(1, brush(1, item_index=1), brush(2, item_index=0)),
        "data": {"pages": ["http://h/x/a.jpg?sig=1", "http://h/x/b.webp?sig=1"]},
    }
    images = Tally(annotations_of_tasks("p", [paged], pages, Finder())).images()
    assert [each.file_name for each in images] == ["x/b.webp", "x/a.jpg"]


def annotated(*annotations: tuple[int, list[Any]], **more: Any) -> dict[str, Any]:
    """A task with an annotation of each annotator, whose numbers are 10 times theirs."""
    made = [{"id": 10 * by, "completed_by": by, "result": results} for by, results in annotations]
    return {**task(1, **more), "annotations": made}


def test_of_all_annotations_each_is_an_image_of_its_own() -> None:
    several = annotated((3, [brush(1)]), (7, [brush(2)]), (8, []))
    *told, one, other = read(several, annotator="all")
    assert [each.reason for each in told] == [NOTHING_DRAWN]
    assert [mask_pixels(each.objects[0].shape) for each in (one, other)] == [FIRST, SECOND]
    assert (one.annotation, other.annotation) == ("by3", "by7")
    assert one.file_name == other.file_name
    assert one.key.removesuffix("30") == other.key.removesuffix("70")
    (alone,) = read(annotated((3, [brush(1)])), annotator="all")
    assert (alone.key, alone.annotation) == (one.key, "by3")
    (first, *_) = [each for each in read(several) if isinstance(each, AnnotatedImage)]
    assert first.annotation == ""


@pytest.mark.parametrize("method", ["vote", "staple"])
def test_what_most_annotators_drew_is_exported(method: str) -> None:
    mine = [brush(1, id="a"), brush(2, id="b")]
    several = annotated((3, mine), (5, [polygon(id="c")]), (7, [brush(1, id="d")]))
    *told, agreed = read(several, annotator=method)
    assert [each.reason for each in told] == [OUTVOTED]
    (drawn,) = agreed.objects
    assert (drawn.key, mask_pixels(drawn.shape)) == ("a", FIRST)
    assert (agreed.key, agreed.annotation) == (read(several)[-1].key, "")


def test_who_drew_nothing_has_a_vote_too() -> None:
    several = annotated((3, [brush(1)]), (5, []))
    told = [each.reason for each in read(several, annotator="vote")]
    assert told == [OUTVOTED, NOTHING_DRAWN]
    assert [each.reason for each in read(annotated((3, []), (5, [])), annotator="vote")] == [
        NOTHING_DRAWN
    ]


def test_a_single_annotation_is_exported_as_it_was_drawn() -> None:
    (agreed,) = read(annotated((3, [polygon()])), annotator="vote")
    assert isinstance(agreed.objects[0].shape, Outlines)


def test_each_image_of_a_task_has_its_vote() -> None:
    pages = parse_label_config('<View><Image name="image" valueList="$pages"/></View>')
    several = annotated(
        (3, [brush(1, item_index=0), brush(2, item_index=1)]),
        (5, [brush(1, item_index=0)]),
        (7, [brush(2, item_index=1, id="x"), brush(1, item_index=1, id="y")]),
    )
    several["data"] = {"pages": ["http://h/a.jpg", "http://h/b.jpg"]}
    images = list(annotations_of_tasks("p", [several], pages, Finder(), "vote").images)
    told = [each.reason for each in images if isinstance(each, LeftOut)]
    drawn = {
        each.file_name: [mask_pixels(one.shape) for one in each.objects]
        for each in images
        if isinstance(each, AnnotatedImage)
    }
    assert drawn == {"a.jpg": [FIRST], "b.jpg": [SECOND]}
    assert told == [OUTVOTED]
    by_all = list(annotations_of_tasks("p", [several], pages, Finder(), "all").images)
    assert [(each.file_name, each.annotation) for each in by_all] == [  # type: ignore[union-attr]
        ("a.jpg", "by3"), ("a.jpg", "by5"), ("b.jpg", "by3"), ("b.jpg", "by7")
    ]  # fmt: skip


def test_annotators_of_another_size_are_not_put_together() -> None:
    several = annotated((3, [brush(1)]), (5, [brush(1, original_width=7)]))
    assert len(faults(read(several, annotator="vote"))) == 1


def test_a_tally_counts_what_it_lets_through() -> None:
    turned = region(
        "rectangle", {"x": 40, "y": 40, "width": 20, "height": 20, "rotation": 30}, id="t"
    )
    twice = brush(1, id="u")
    twice["value"]["brushlabels"] = ["Cat", "Dog"]
    tasks = [task(1, brush(1, id="a"), turned, twice), task(2, brush(1), region("keypoint", POINT))]
    tally = Tally(annotations_of_tasks("p", tasks, CONFIG, Finder()))
    assert len(list(tally.images())) == 2
    assert list(tally.lines()) == [
        "2 images, 4 objects, 5 categories",
        "2 images are not at hand: name and size are those of the annotations",
        "1 objects have no label",
        "1 objects have several labels, of which the first counts",
        "1 turned boxes became upright ones around them",
        "left out: results of type 'keypoint' (1)",
    ]
    assert tally.complete
    assert not tally.empty


def fuzz(folder: Path, seed: int, rounds: int) -> None:
    """Whatever a task holds, and whoever counts: no traceback, and the sound task comes out."""
    chance = random.Random(seed)
    sound = task(32, brush(2), image="b.jpg")
    for number in range(rounds):
        broken = mutated(copy.deepcopy(RICH), chance)
        broken = broken if isinstance(broken, dict) else {}
        who = chance.choice(["first", "all", *VOTES])
        tally = Tally(annotations_of_tasks("p", [broken, sound], CONFIG, Finder(), who))
        images = list(tally.images())
        assert len({image.key for image in images}) == len(images)
        assert mask_pixels(images[-1].objects[0].shape) == SECOND
        assert len(images[-1].objects) == 1
        for image in images:
            assert ".." not in image.file_name.split("/")
            assert not image.file_name.startswith("/")
        assert export(folder / str(number), "coco", *images) == []
        assert list(tally.lines())


@pytest.mark.parametrize("seed", range(3))
def test_whatever_a_task_holds_the_others_are_exported(tmp_path: Path, seed: int) -> None:
    fuzz(tmp_path, seed, 100)
