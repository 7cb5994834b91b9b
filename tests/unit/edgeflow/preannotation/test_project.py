"""Importing into a project: once, however often it is tried, and whatever fails meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeflow.annotated import AnnotatedImage, AnnotatedObject, Annotations
from edgeflow.errors import EdgeFlowError
from edgeflow.export.pictures import FilePicture
from edgeflow.export.reading.sources import open_annotations
from edgeflow.geometry import Size
from edgeflow.images import decode_image
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.masks.patch import MaskPatch
from edgeflow.preannotation import project
from edgeflow.preannotation.image_urls import BelowPrefix, ImageURLs
from edgeflow.preannotation.mask_controls import mask_controls
from edgeflow.preannotation.project import BATCH_TASKS, ProjectImport
from edgeflow.preannotation.tasks import Report, TaskForm
from tests.unit.edgeflow.data.making import image_file, put, turned_image
from tests.unit.edgeflow.data.test_opening import TREES, make
from tests.unit.edgeflow.label_studio.api.test_client import connect
from tests.unit.edgeflow.preannotation.studio import PROJECT, FakeStudio
from tests.unit.edgeflow_backend.loopback import Host

MASK = MaskPatch.of(np.eye(4, 6, dtype=np.bool_))


@pytest.fixture
def studio(host: Host) -> FakeStudio:
    return FakeStudio(host)


def images(folder: Path, *names: str) -> Annotations:
    """Images with one object each."""
    folder.mkdir(exist_ok=True)
    made = []
    for name in names:
        (folder / name).write_bytes(image_file())
        objects = (AnnotatedObject("0", ("cat",), MASK),)
        picture = FilePicture(folder / name, Size(4, 6))
        made.append(AnnotatedImage(name, name, Size(4, 6), objects, picture))
    return Annotations("pets", ("cat",), made)


def run(
    host: Host,
    annotations: Annotations,
    urls: ImageURLs | None = None,
    form: TaskForm | None = None,
    below: str = "",
) -> Report:
    api, report = connect(host), Report()
    controls = mask_controls(parse_label_config(api.project(PROJECT).label_config).for_task(None))
    form = form or TaskForm()
    list(ProjectImport(api, PROJECT, annotations, controls, urls, form, below).run(report))
    return report


NAMES = [f"{number}.jpg" for number in range(BATCH_TASKS + 3)]


def test_images_are_uploaded_and_tasks_made_in_batches(
    host: Host, studio: FakeStudio, tmp_path: Path
) -> None:
    report = run(host, images(tmp_path / "a", *NAMES), below="/studio")
    assert report.complete
    assert (report.count["tasks"], report.count["there"]) == (len(NAMES), 0)
    assert studio.imports == [BATCH_TASKS, 3]
    assert studio.results() == [1] * len(NAMES)
    assert set(studio.files.values()) == {image_file()}
    urls = [task["data"]["image"] for task in studio.tasks]
    assert urls == [f"/studio/data/{path}" for path in studio.files]


def test_large_tasks_make_small_batches(
    host: Host, studio: FakeStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "BATCH_BYTES", 1)
    run(host, images(tmp_path / "a", *NAMES[:3]))
    assert studio.imports == [1, 1, 1]


def test_a_second_run_makes_nothing_wherever_the_data_lies(
    host: Host, studio: FakeStudio, tmp_path: Path
) -> None:
    run(host, images(tmp_path / "a", *NAMES))
    report = run(host, images(tmp_path / "b", *NAMES, "new.jpg"))
    assert (report.count["tasks"], report.count["there"]) == (1, len(NAMES))
    assert len(studio.tasks) == len(studio.files) == len(NAMES) + 1


def test_another_image_of_the_same_name_is_another_task(
    host: Host, studio: FakeStudio, tmp_path: Path
) -> None:
    run(host, images(tmp_path / "a", "a.jpg"))
    other = images(tmp_path / "b", "a.jpg")
    (tmp_path / "b" / "a.jpg").write_bytes(image_file(quality=50))
    assert run(host, other).count["tasks"] == 1
    assert len(studio.tasks) == 2


def test_a_run_that_broke_off_goes_on_behind_what_is_there(
    host: Host, studio: FakeStudio, tmp_path: Path
) -> None:
    studio.broken_after = 1
    with pytest.raises(LabelStudioError, match="500"):
        run(host, images(tmp_path / "a", *NAMES))
    assert len(studio.tasks) == BATCH_TASKS
    studio.broken_after = 9
    report = run(host, images(tmp_path / "a", *NAMES))
    assert (report.count["tasks"], report.count["there"]) == (3, BATCH_TASKS)
    assert studio.results() == [1] * len(NAMES)


@pytest.mark.parametrize("urls", [None, BelowPrefix("https://host/")], ids=["upload", "URL"])
def test_what_label_studio_refuses_costs_only_itself(
    host: Host, studio: FakeStudio, tmp_path: Path, urls: ImageURLs | None
) -> None:
    studio.refuses = ("bad",)
    report = run(host, images(tmp_path / "a", "a.jpg", "bad.jpg", "c.jpg"), urls)
    assert (report.count["tasks"], report.count["objects"]) == (2, 2)
    assert [each.fault for each in report.left_out] == ["bad.jpg"]
    assert "400" in report.left_out[0].reason
    assert len(studio.tasks) == 2


def test_tasks_that_show_the_image_get_its_masks_once(
    host: Host, studio: FakeStudio, tmp_path: Path
) -> None:
    prefix = BelowPrefix("https://host/")
    studio.show("https://host/b.jpg", "https://host/other.jpg")
    annotations = images(tmp_path / "a", "a.jpg", "b.jpg")
    for added, made, there in ((1, 1, 0), (0, 0, 2)):
        report = run(host, annotations, prefix)
        count = report.count
        assert (count["added"], count["tasks"], count["there"]) == (added, made, there)
    assert studio.results() == [1, 0, 1]
    more = run(host, annotations, prefix, TaskForm(model_version="newer"))
    assert (more.count["added"], more.count["there"]) == (1, 1)  # the mark is of what was made


def test_annotations_are_added_only_where_nobody_annotated(
    host: Host, studio: FakeStudio, tmp_path: Path
) -> None:
    prefix, form = BelowPrefix("https://host/"), TaskForm(kind="annotations")
    studio.show("https://host/a.jpg", "https://host/b.jpg")
    studio.tasks[1]["annotations"] = [{"result": []}]
    report = run(host, images(tmp_path / "a", "a.jpg", "b.jpg"), prefix, form)
    assert (report.count["added"], report.count["there"]) == (1, 1)
    assert studio.results("annotations") == [1, 0]
    assert studio.tasks[0]["annotations"][0]["ground_truth"] is False


@pytest.mark.parametrize("meta", [None, [], {"edgeflow": 1}, {"edgeflow": {"import": 3}}])
def test_what_others_keep_in_meta_is_no_mark(
    host: Host, studio: FakeStudio, tmp_path: Path, meta: Any
) -> None:
    studio.tasks.append({"data": {"image": ["x"]}, "meta": meta})
    assert run(host, images(tmp_path / "a", "a.jpg")).count["tasks"] == 1


def test_an_image_that_went_away_costs_only_itself(
    host: Host, studio: FakeStudio, tmp_path: Path
) -> None:
    annotations = images(tmp_path / "a", "a.jpg", "b.jpg")
    (tmp_path / "a" / "a.jpg").unlink()
    report = run(host, annotations)
    assert [each.fault for each in report.left_out] == ["a.jpg"]
    assert len(studio.tasks) == 1


def test_a_project_without_a_place_for_masks_is_refused(host: Host, tmp_path: Path) -> None:
    FakeStudio(host, '<View><Image name="i" value="$image"/></View>')
    with pytest.raises(EdgeFlowError, match="no mask control"):
        run(host, images(tmp_path / "a", "a.jpg"))


def test_what_the_editor_would_show_turned_is_uploaded_as_it_was_annotated(
    host: Host, studio: FakeStudio, tmp_path: Path
) -> None:
    masks, stored = TREES["folder"]["masks/a.png"], turned_image(4, 6, 6)
    source = put(tmp_path / "data", {"images/a.png": stored, "masks/a.png": masks})
    report = run(host, open_annotations(source), BelowPrefix("https://host/"))
    assert ["EXIF" in each.reason for each in report.left_out] == [True]
    assert run(host, open_annotations(source)).count["tasks"] == 1
    (sent,) = studio.files.values()
    assert (decode_image(sent) == decode_image(stored, as_stored=True)).all()


def test_images_in_a_tar_are_uploaded_once(host: Host, studio: FakeStudio, tmp_path: Path) -> None:
    for made, there in ((1, 0), (0, 1)):
        report = run(host, open_annotations(make(tmp_path / str(made), "shards")))
        assert (report.count["tasks"], report.count["there"]) == (made, there)
    ((path, sent),) = studio.files.items()
    assert path.endswith("-a.png")
    assert (decode_image(sent) == decode_image(image_file())).all()


def test_a_format_that_label_studio_does_not_take_is_uploaded_as_png(
    host: Host, studio: FakeStudio, tmp_path: Path
) -> None:
    studio.refuses = (".tif", "b.")
    masks = TREES["folder"]["masks/a.png"]
    files = {"images/a.tif": image_file(kind="TIFF"), "images/b.png": image_file(kind="PNG")}
    source = put(tmp_path / "d", {**files, "masks/a.png": masks, "masks/b.png": masks})
    report = run(host, open_annotations(source))
    assert [each.fault for each in report.left_out] == ["b.png"]
    assert (report.count["tasks"], report.count["objects"]) == (1, 1)
    ((path, sent),) = studio.files.items()
    assert path.endswith("-a.png")
    assert (decode_image(sent) == decode_image(image_file(kind="TIFF"))).all()
