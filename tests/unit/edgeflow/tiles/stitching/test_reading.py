"""Tasks, found by what they say of themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeflow.data.left_out import LeftOut
from edgeflow.geometry import Size
from edgeflow.tiles.stitching.reading import DrawnTiles, drawn_tiles
from tests.geo_world import region
from tests.unit.edgeflow.tiles.stitching.stitching_world import rectangle, tasks_of, tile_set

TILES = tile_set()
FULL = rectangle(Size(200, 200), 10, 20, 60, 90)


def drawn_on(tasks: list[dict[str, Any]], annotator: str = "first") -> DrawnTiles:
    return drawn_tiles([TILES], tasks, None, annotator)


def annotate(task: dict[str, Any], *results: dict[str, Any], by: int = 7) -> None:
    number = len(task["annotations"]) + 1
    task["annotations"].append({"id": number, "completed_by": by, "result": list(results)})


def faults(drawn: DrawnTiles) -> list[LeftOut]:
    return [each for each in drawn.left_out if each.fault]


def tasks() -> list[dict[str, Any]]:
    made = tasks_of(TILES)
    annotate(made[1], region(FULL, "house", "a"))
    return made


def test_a_region_is_moved_to_where_its_tile_lies() -> None:
    drawn = drawn_on(tasks())
    ((piece,),) = drawn.pieces.values()
    assert piece.mask.box == (10, 160 + 20, 60, 160 + 90)
    assert piece.mask.image_size == TILES.size
    np.testing.assert_array_equal(piece.mask.unpacked().pixels, True)
    assert (piece.label, piece.tile, piece.by) == ("house", 1, ("by7",))
    assert drawn.classes.names == ("house",)
    assert faults(drawn) == []


def test_polygons_count_and_boxes_are_told() -> None:
    made = tasks()
    size = {"original_width": 200, "original_height": 200, "from_name": "p", "to_name": "image"}
    points = [[10, 10], [50, 10], [50, 50], [10, 50]]
    polygon = {"points": points, "closed": True, "polygonlabels": ["pond"]}
    box = {"x": 1, "y": 1, "width": 9, "height": 9, "rotation": 0, "rectanglelabels": ["pond"]}
    annotate(
        made[0],
        {**size, "id": "p", "type": "polygonlabels", "value": polygon},
        {**size, "id": "r", "type": "rectanglelabels", "value": box},
    )
    drawn = drawn_on(made)
    (first, _) = drawn.pieces[TILES.id]
    assert (first.label, first.mask.box) == ("pond", (20, 20, 100, 100))
    assert any("boxes" in each.reason for each in drawn.left_out)


def test_tasks_that_are_not_of_tiles_are_named() -> None:
    made = tasks()
    for number, data in enumerate(
        ({"image": "/a.png"}, {"image": "/a.png", "tiles": 5, "tile": "x"},
         {"image": "/a.png", "tiles": "f" * 32, "tile": "x.png"},
         {"image": "/a.png", "tiles": TILES.id, "tile": "gone.png"}),
        start=100,
    ):  # fmt: skip
        made.append({"id": number, "data": data, "annotations": []})
        annotate(made[-1], region(FULL, "house", "a"))
    drawn = drawn_on(made)
    told = {each.fault: each.reason for each in faults(drawn)}
    assert list(told) == ["task 100", "task 101", "task 102", "task 103"]
    assert "names no tile" in told["task 100"]
    assert "of a set that is not named" in told["task 102"]
    assert "'gone.png'" in told["task 103"]
    assert len(drawn.pieces[TILES.id]) == 1


def test_regions_for_another_size_are_named() -> None:
    made = tasks()
    small = rectangle(Size(100, 100), 1, 1, 50, 50)
    annotate(made[0], region(small, "house", "a"), region(FULL, "house", "b"))
    drawn = drawn_on(made)
    (fault,) = faults(drawn)
    assert fault.fault == "task 1"
    assert "100×100" in fault.reason
    assert len(drawn.pieces[TILES.id]) == 2


def test_a_damaged_region_costs_nothing_but_itself() -> None:
    made = tasks()
    damaged = region(FULL, "house", "a")
    damaged["value"]["rle"] = damaged["value"]["rle"][:9]
    annotate(made[0], damaged, region(FULL, "house", "b"))
    drawn = drawn_on(made)
    assert len(faults(drawn)) == 1
    assert len(drawn.pieces[TILES.id]) == 2


def test_of_two_tasks_of_a_tile_the_first_counts() -> None:
    made = tasks()
    again = {**made[1], "id": 50, "annotations": []}
    annotate(again, region(FULL, "pond", "b"))
    drawn = drawn_on([*made, again])
    (fault,) = faults(drawn)
    assert fault.fault == "task 50"
    assert "town-1.png is drawn on in an earlier task" in fault.reason
    assert [each.label for each in drawn.pieces[TILES.id]] == ["house"]


def test_tiles_without_a_task_are_counted() -> None:
    drawn = drawn_on(tasks()[:4])
    gone = [
        each for each in drawn.left_out if each.reason == "tiles of town.tif that no task shows"
    ]
    assert len(gone) == len(TILES.tiles) - 4


def test_annotators_are_chosen_as_in_exports() -> None:
    made = tasks()
    annotate(made[1], region(FULL, "pond", "b"), by=9)
    for annotator, label, by in (
        ("first", "house", "by7"),
        ("last", "pond", "by9"),
        ("9", "pond", "by9"),
    ):
        (piece,) = drawn_on(made, annotator).pieces[TILES.id]
        assert (piece.label, piece.by) == (label, (by,))
    annotate(made[1], region(FULL, "house", "c"), by=11)
    (piece,) = drawn_on(made, "vote").pieces[TILES.id]
    assert (piece.label, piece.by) == ("house", ("by7", "by9", "by11"))


def test_objects_without_a_label_get_a_class() -> None:
    made = tasks()
    bare = region(FULL, "x", "b")
    del bare["value"]["brushlabels"]
    annotate(made[0], bare)
    drawn = drawn_on(made)
    assert drawn.classes.names == ("house", "unlabelled")


def test_hostile_tasks_are_read_like_others() -> None:
    made: list[dict[str, Any]] = [
        {"id": 1, "data": None, "annotations": [{"result": [1, None, {"type": "brushlabels"}]}]},
        {"id": {"a": 1}, "data": {"tiles": TILES.id, "tile": ["x"]}, "annotations": "none"},
        {"annotations": [{"result": [region(FULL, "house", "a")]}]},
        *tasks(),
    ]
    drawn = drawn_on(made)
    assert len(drawn.pieces[TILES.id]) == 1
    assert faults(drawn)
