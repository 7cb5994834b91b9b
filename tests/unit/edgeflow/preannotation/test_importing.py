"""Tasks in a file: what is read back from it is what went in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeflow.annotated import AnnotatedImage, AnnotatedObject, Annotations
from edgeflow.data.drawn_regions import read_regions, render
from edgeflow.data.left_out import LeftOut
from edgeflow.data.opening import open_dataset
from edgeflow.errors import LabelConfigError
from edgeflow.export.reading.sources import open_annotations
from edgeflow.geometry import Size
from edgeflow.images import decode_image
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.label_studio.object_ids import object_of
from edgeflow.masks.patch import MaskPatch
from edgeflow.preannotation.image_urls import BelowPrefix, BelowRoot
from edgeflow.preannotation.importing import FileImport, WrittenConfig
from edgeflow.preannotation.mask_controls import KINDS, mask_controls
from edgeflow.preannotation.tasks import Report, TaskForm
from tests.unit.edgeflow.data.making import FIRST, image_file, pixels, put, put_json, turned_image
from tests.unit.edgeflow.data.test_label_studio import SQUARE, brush, polygon, region, task
from tests.unit.edgeflow.data.test_opening import LABELS, TREES, make

MASK = MaskPatch.of(np.eye(4, 6, dtype=np.bool_))


def data(*images: AnnotatedImage | LeftOut, labels: tuple[str, ...] = ()) -> Annotations:
    return Annotations("pets", labels, images)


def image(name: str, *labels: tuple[str, ...]) -> AnnotatedImage:
    objects = [AnnotatedObject(str(k), each, MASK) for k, each in enumerate(labels)]
    return AnnotatedImage(name, name, Size(4, 6), tuple(objects))


def write(
    annotations: Annotations,
    folder: Path,
    kind: str = "Brush",
    form: TaskForm | None = None,
    **more: Any,
) -> tuple[list[dict[str, Any]], str, Report]:
    """The tasks, the config that is written beside them, and the report."""
    form = form or TaskForm(**more)
    made, report = WrittenConfig(kind, annotations, form.label), Report()
    form = replace(form, label=made.label)
    run = FileImport(annotations, made.controls, BelowPrefix(), form)
    list(run.write(folder / "out" / "tasks.json", report))
    tasks = json.loads((folder / "out" / "tasks.json").read_bytes())
    return tasks, made.xml(list(report.labels)), report


def labels_of(tasks: list[dict[str, Any]]) -> list[list[tuple[str, ...]]]:
    found = (read_regions(each["predictions"][0]["result"], "") for each in tasks)
    return [[one.labels for one in drawn.regions] for drawn in found]


@pytest.mark.parametrize("kind", KINDS.values())
@pytest.mark.parametrize("layout", [each for each in TREES if each != "yolo-box"])  # no masks
def test_every_layout_becomes_tasks_that_hold_its_masks(
    tmp_path: Path, layout: str, kind: str
) -> None:
    tasks, xml, report = write(open_annotations(make(tmp_path, layout)), tmp_path, kind)
    assert report.complete
    (only,) = tasks
    assert Path(only["data"]["image"]).stem.endswith("a")
    drawn = read_regions(only["predictions"][0]["result"], "")
    assert drawn.left_out == ()
    (found,) = drawn.regions
    mask = render(found, Size(4, 6), "")
    assert isinstance(mask, np.ndarray)
    assert pixels(mask) == FIRST
    assert found.labels == (LABELS.get(layout, "Object"),)
    controls = mask_controls(parse_label_config(xml).for_task(None), kind)
    held = controls.hold(found.labels)
    assert (held.control.name, controls.image.name) == ("mask", found.place.to_name)


@pytest.mark.parametrize("layout", [each for each in TREES if each not in ("yolo-box", "shards")])
def test_images_of_every_layout_with_files_have_theirs(tmp_path: Path, layout: str) -> None:
    sample = open_dataset(make(tmp_path, layout))[0]
    assert sample.path is not None
    assert (decode_image(sample.path.read_bytes()) == sample.rgb).all()


def test_the_same_data_gives_the_same_bytes_wherever_it_lies(tmp_path: Path) -> None:
    runs = []
    for folder in ("one", "two"):
        source = make(tmp_path / folder / "pets", "coco")
        write(open_annotations(source), tmp_path / folder)
        runs.append((tmp_path / folder / "out" / "tasks.json").read_bytes())
    assert runs[0] == runs[1]


WRITTEN = {
    "no classes at all": (data(image("a", (), ())), None, [[("Object",), ("Object",)]], {"Object"}),
    "one declared": (data(image("a", ()), labels=("cat",)), None, [[("cat",)]], {"cat"}),
    "several declared": (
        data(image("a", (), ("b",)), labels=("a", "b")), None, [[(), ("b",)]], {"a", "b"},
    ),
    "used and not declared": (
        data(image("a", ("x",)), image("b", ("y", "z"), ()), labels=("x", "y", "z")), None,
        [[("x",)], [("y", "z"), ()]], {"x", "y", "z"},
    ),
    "empty ones": (
        data(image("a", ("",), ("x",), ("", "y")), labels=("", "x", "y")), None,
        [[(), ("x",), ("y",)]], {"x", "y"},
    ),
    "a label for those without": (
        data(image("a", ("x",), ()), labels=("x",)), "rest", [[("x",), ("rest",)]], {"x", "rest"},
    ),
    "labels that come late": (
        data(image("a", ()), image("b", ("x",)), labels=("x",)), None,
        [[("x",)], [("x",)]], {"x"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS.values())
@pytest.mark.parametrize("case", WRITTEN)
def test_the_config_beside_the_tasks_has_their_labels(tmp_path: Path, case: str, kind: str) -> None:
    annotations, label, expected, names = WRITTEN[case]
    tasks, xml, _ = write(annotations, tmp_path, kind, label=label)
    assert labels_of(tasks) == expected
    config = parse_label_config(xml).for_task(None)
    assert {each.value for control in config.controls for each in control.labels} == names
    controls = mask_controls(config, kind)
    used = {(one["from_name"], one["type"]) for each in tasks
            for one in each["predictions"][0]["result"]}  # fmt: skip
    known = {(each.name, each.region_type) for each in (*controls.masks, *controls.carriers)}
    assert used <= known


def test_a_label_that_no_config_can_have_costs_its_object_alone(tmp_path: Path) -> None:
    tasks, xml, report = write(data(image("a", ("\0",), ("ok & <fine>",))), tmp_path)
    assert labels_of(tasks) == [[("ok & <fine>",)]]
    parse_label_config(xml)
    assert [each.fault for each in report.left_out] == ["a"]


def test_the_pieces_of_a_polygon_stay_one_object_and_boxes_are_told(tmp_path: Path) -> None:
    whole = {"meta": {"edgeflow": {"object": "r1"}}}
    square: Any = SQUARE
    moved = [[x + 40, y] for x, y in square]
    pieces = [polygon(**whole), polygon(moved, id="r1-2", **whole)]
    box = region("rectanglelabels", {"x": 0, "y": 0, "width": 50, "height": 50, "rotation": 0})
    put(tmp_path, {"images/a.jpg": image_file()})
    path = put_json(tmp_path / "p.json", [task(1, *pieces, box, brush(1, id="b"))])
    tasks, _, report = write(open_annotations(path), tmp_path, "Polygon")
    regions = tasks[0]["predictions"][0]["result"]
    mine = [each for each in regions if each["type"] == "polygonlabels"]
    objects = [object_of(each) for each in mine]
    assert (len(objects), objects[0], objects[2]) == (3, objects[1], None)
    assert np.allclose(mine[0]["value"]["points"], square)
    assert np.allclose(mine[1]["value"]["points"], moved)
    assert report.complete
    assert [each.reason for each in report.left_out] == [
        "boxes, of which `edgeflow prelabel` makes masks"
    ]


def test_predictions_and_annotations(tmp_path: Path) -> None:
    annotations = data(image("a", ("x",)), image("empty"))
    tasks, _, _ = write(annotations, tmp_path, model_version="old")
    assert tasks[0]["predictions"][0]["model_version"] == "old"
    assert "predictions" not in tasks[1]
    tasks, _, _ = write(annotations, tmp_path, form=TaskForm(kind="annotations"))
    (annotation,) = tasks[0]["annotations"]
    assert annotation["ground_truth"] is False  # which Label Studio would take for true
    assert len(annotation["result"]) == 1


def test_one_bad_image_costs_only_itself(tmp_path: Path) -> None:
    masks = {f"masks/{name}.png": TREES["folder"]["masks/a.png"] for name in "abc"}
    images = {
        "images/a.jpg": image_file(),
        "images/b.jpg": b"torn",
        "images/c.png": turned_image(4, 6, 6),
    }
    annotations = open_annotations(put(tmp_path / "data", masks | images))
    tasks, _, report = write(annotations, tmp_path)
    assert [each["data"]["image"][-5:] for each in tasks] == ["a.jpg"]
    assert {each.fault for each in report.left_out} == {"b", "c.png"}
    assert "EXIF" in next(each.reason for each in report.left_out if each.fault == "c.png")


def test_an_interrupted_run_leaves_the_earlier_file(tmp_path: Path) -> None:
    write(data(image("a", ("x",))), tmp_path)
    before = (tmp_path / "out" / "tasks.json").read_bytes()

    def broken() -> Any:
        yield image("a", ("x",))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(Annotations("pets", (), broken()), tmp_path)
    assert (tmp_path / "out" / "tasks.json").read_bytes() == before
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["tasks.json"]


def test_images_in_a_tar_have_no_path_of_their_own(tmp_path: Path) -> None:
    annotations = open_annotations(make(tmp_path, "shards"))
    made, report = WrittenConfig("Brush", annotations, None), Report()
    run = FileImport(annotations, made.controls, BelowRoot(tmp_path), TaskForm())
    list(run.write(tmp_path / "tasks.json", report))
    assert json.loads((tmp_path / "tasks.json").read_bytes()) == []
    assert [(each.fault, "--image-url-prefix" in each.reason) for each in report.left_out] == [
        ("s/a.jpg", True)
    ]


def test_a_config_that_composes_the_url_is_refused_before_any_work() -> None:
    xml = (
        '<View><Image name="i" value="https://host/$image"/>'
        '<BrushLabels name="m" toName="i"><Label value="x"/></BrushLabels></View>'
    )
    controls = mask_controls(parse_label_config(xml).for_task(None))
    with pytest.raises(LabelConfigError, match="takes its image from"):
        FileImport(data(), controls, BelowPrefix(), TaskForm())


def test_a_config_of_several_images_gets_a_list_of_one(tmp_path: Path) -> None:
    xml = (
        '<View><Image name="i" valueList="$pages"/>'
        '<BrushLabels name="m" toName="i"><Label value="x"/></BrushLabels></View>'
    )
    controls = mask_controls(parse_label_config(xml).for_task(None))
    run = FileImport(data(image("a", ("x",), ("y",))), controls, BelowPrefix("/"), TaskForm())
    report = Report()
    list(run.write(tmp_path / "t.json", report))
    (only,) = json.loads((tmp_path / "t.json").read_bytes())
    assert only["data"] == {"pages": ["/a"]}
    (found,) = only["predictions"][0]["result"]
    assert found["item_index"] == 0
    assert "label 'y'" in report.left_out[0].reason
