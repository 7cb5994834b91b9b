"""From every source to COCO, and back through the reader of datasets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeflow.annotated import AnnotatedImage, Annotations
from edgeflow.data.base import DatasetError
from edgeflow.data.opening import open_dataset
from edgeflow.export.reading.sources import open_annotations, project_annotations
from edgeflow.export.tally import Tally
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.pull.fetch import Pictures
from tests.unit.edgeflow.data.making import FIRST, SECOND, image_file, objects, put, put_json
from tests.unit.edgeflow.data.test_label_studio import brush, polygon, region, task
from tests.unit.edgeflow.data.test_opening import LABELS, TREES, make
from tests.unit.edgeflow.export.exported import categories, drawn, export, load, serve_project
from tests.unit.edgeflow.label_studio.api.test_client import connect
from tests.unit.edgeflow_backend.loopback import Host, Reply

CONFIG = (
    '<View><Image name="image" value="$image"/><Labels name="l" toName="image">'
    '<Label value="Dog"/><Label value="Cat"/></Labels><Brush name="b" toName="image"/></View>'
)


def exported(folder: Path, annotations: Annotations) -> list[str]:
    """Export; the lines that are said."""
    tally = Tally(annotations)
    tally.leave_out(export(folder, "coco", *tally.images(), labels=annotations.labels))
    return list(tally.lines())


@pytest.mark.parametrize("layout", TREES)
def test_every_layout_is_exported_and_read_back(tmp_path: Path, layout: str) -> None:
    lines = exported(tmp_path / "out", open_annotations(make(tmp_path / "in", layout)))
    assert lines[0] == "1 images, 1 objects, 1 categories"
    coco = load(tmp_path / "out")
    assert categories(coco) == [(1, LABELS.get(layout, "unlabelled"))]
    (entry,) = coco.dataset["images"]
    assert (entry["width"], entry["height"]) == (6, 4)
    put(tmp_path / "out", {f"images/{entry['file_name']}": image_file()})
    again = open_dataset(tmp_path / "out")
    if layout in {"label-studio", "pulled"}:  # a polygon: pycocotools has its own rule
        assert len(again[0].objects) == 1
    else:
        assert objects(again) == [FIRST]
    assert Path(again.sample_names[0]).name == "a"


def test_categories_of_coco_keep_their_order_used_or_not(tmp_path: Path) -> None:
    square = [[1, 1, 3, 1, 3, 3, 1, 3]]
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "height": 4, "width": 6}],
        "annotations": [
            {"image_id": 1, "category_id": 2, "segmentation": square},
            {"image_id": 1, "category_id": 9, "iscrowd": 1, "segmentation": [[0, 0, 6, 0, 6, 4]]},
        ],
        "categories": [{"id": 9, "name": "zebra"}, {"id": 2, "name": "ape"}],
    }
    put(tmp_path, {"a.jpg": image_file()})
    lines = exported(tmp_path, open_annotations(put_json(tmp_path / "x.json", document)))
    coco = load(tmp_path)
    assert categories(coco) == [(1, "zebra"), (2, "ape")]
    assert [each["category"] for each in drawn(coco, "a.jpg")] == ["ape"]
    assert lines[1:] == ["left out: ignored parts of images (1)"]


def test_an_export_of_label_studio_takes_its_config_and_its_images(tmp_path: Path) -> None:
    put(tmp_path, {"images/a.jpg": image_file(), "config.xml": CONFIG.encode()})
    tasks = [task(1, brush(1)), task(2, brush(2), image="b.jpg")]
    path = put_json(tmp_path / "e.json", tasks)
    annotations = open_annotations(path, label_config=tmp_path / "config.xml")
    exported(tmp_path, annotations)
    coco = load(tmp_path)
    assert categories(coco) == [(1, "Dog"), (2, "Cat")]
    assert [each["file_name"] for each in coco.dataset["images"]] == ["a.jpg", "b.jpg"]


def test_a_pulled_project_is_exported_as_it_is_in_label_studio(tmp_path: Path) -> None:
    files = {"images/a.jpg": image_file(), "label_config.xml": CONFIG.encode(), "pulled.json": b""}
    put(tmp_path / "pets", files)
    box = region("rectangle", {"x": 0, "y": 0, "width": 50, "height": 50, "rotation": 0})
    put_json(tmp_path / "pets" / "project.json", [task(1, polygon(), box)])
    annotations = open_annotations(tmp_path / "pets", annotator="last")
    assert annotations.name == "pets"
    exported(tmp_path, annotations)
    coco = load(tmp_path)
    assert categories(coco)[:2] == [(1, "Dog"), (2, "Cat")]
    outline, bounds = drawn(coco, "a.jpg")
    assert outline["segmentation"] == [[1, 1, 3, 1, 3, 3, 1, 3]]
    assert bounds["bbox"] == [0, 0, 3, 2]


def test_a_pulled_project_takes_an_annotator_with_another_folder_and_config(tmp_path: Path) -> None:
    put(tmp_path / "pets", {"label_config.xml": CONFIG.encode(), "pulled.json": b""})
    put(tmp_path, {"elsewhere/a.jpg": image_file(), "other.xml": CONFIG.encode()})
    put_json(tmp_path / "pets" / "project.json", [task(1, polygon())])
    annotations = open_annotations(
        tmp_path / "pets",
        images=tmp_path / "elsewhere",
        label_config=tmp_path / "other.xml",
        annotator="last",
    )
    (image,) = annotations.images
    assert isinstance(image, AnnotatedImage)
    assert image.path == tmp_path / "elsewhere" / "a.jpg"


def test_annotators_are_refused_where_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="knows no annotators"):
        open_annotations(make(tmp_path, "davis"), annotator="last")


@pytest.mark.parametrize("options", [{"layout": "vok"}, {"split": "val"}])
def test_what_no_dataset_can_be_opened_with_is_refused(tmp_path: Path, options: Any) -> None:
    path = make(tmp_path, "label-studio")
    with pytest.raises(DatasetError):
        open_annotations(path, **options)
    with pytest.raises(DatasetError, match="missing"):
        open_annotations(tmp_path / "nowhere")


def test_a_project_is_read_over_the_api(tmp_path: Path, host: Host) -> None:
    tasks = [task(1, brush(1)), task(2, brush(2), image="b.jpg")]
    serve_project(host, 7, CONFIG, tasks)
    annotations = project_annotations(connect(host), 7)
    assert annotations.name == "project 7"
    lines = exported(tmp_path, annotations)
    assert lines[0] == "2 images, 2 objects, 2 categories"
    assert "fields=all&resolve_uri=false" in host.asked("/api/tasks/")[0].path
    put(tmp_path, {f"images/{name}.jpg": image_file() for name in ("0a1b2c3d-a", "b")})
    again = open_dataset(tmp_path)
    assert [objects(again, index) for index in range(2)] == [[FIRST], [SECOND]]


def test_a_project_that_cannot_be_read_is_told(host: Host) -> None:
    with pytest.raises(LabelStudioError) as caught:
        project_annotations(connect(host), 7)
    assert caught.value.hint


def test_pictures_of_a_project_are_fetched_when_a_format_needs_them(
    tmp_path: Path, host: Host
) -> None:
    host.routes["/data/upload/1/0a1b2c3d-a.jpg"] = Reply(body=image_file())
    serve_project(host, 7, CONFIG, [task(31, brush(1)), task(32, brush(1), image="/gone.jpg")])
    api = connect(host)
    fetcher = Pictures(host.url, api.credentials)
    annotations = project_annotations(api, 7, fetcher=fetcher)
    tally = Tally(annotations)
    told = export(tmp_path, "coco", *tally.images(), labels=annotations.labels, pictures="copy")
    assert (tmp_path / "images/0a1b2c3d-a.jpg").read_bytes() == image_file()
    assert [each.fault for each in told] == ["gone.jpg"]
    assert "404" in told[0].reason
