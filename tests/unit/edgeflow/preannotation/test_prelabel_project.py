"""Boxes on a project's images to predictions: once, and whatever fails meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from edgeflow.data.boxes import FloatBox, FoundBox, ImageBoxes
from edgeflow.errors import EdgeFlowError
from edgeflow.images import decode_image
from edgeflow.inference.predictor import Predictor
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.preannotation.image_urls import BelowPrefix, ImageURLs
from edgeflow.preannotation.name_index import folder_index
from edgeflow.preannotation.prelabel_project import Folder, ProjectPrelabel
from edgeflow.preannotation.project import Upload
from edgeflow.preannotation.segmenter import Segmenter
from edgeflow.preannotation.tasks import Report, TaskForm
from edgeflow.pull.fetch import Pictures
from tests.unit.edgeflow.data.making import encoded, put
from tests.unit.edgeflow.label_studio.api.test_client import as_json, connect
from tests.unit.edgeflow.preannotation.studio import PROJECT, FakeStudio
from tests.unit.edgeflow.samples import disk_image
from tests.unit.edgeflow_backend.loopback import Host

BOX = FloatBox(28, 18, 72, 62)
IMAGE = encoded(disk_image(80, 100))
PAGES = (
    '<View><Image name="i" valueList="$pages"/>'
    '<BrushLabels name="m" toName="i"><Label value="cat"/></BrushLabels></View>'
)


def prompts(*names: str, label: str = "cat") -> list[ImageBoxes]:
    return [ImageBoxes(name, None, (FoundBox(label, BOX),)) for name in names]


def run(
    host: Host,
    predictor: Predictor,
    found: list[ImageBoxes],
    folder: Path | None = None,
    urls: ImageURLs | None = None,
) -> Report:
    api, report = connect(host), Report()
    config = parse_label_config(api.project(PROJECT).label_config)
    into = ProjectPrelabel(
        api,
        PROJECT,
        config,
        None,
        Segmenter(predictor),
        TaskForm(model_version="prelabel x"),
        Pictures(host.url, api.credentials),
        1_000_000,
        Folder(folder, folder_index(folder), urls or Upload(api, PROJECT)) if folder else None,
    )
    done = list(into.run(found, report))
    assert sorted(each.file_name for each in done) == sorted(each.file_name for each in found)
    return report


@pytest.fixture
def studio(host: Host) -> FakeStudio:
    return FakeStudio(host)


def hold(studio: FakeStudio, *names: str) -> None:
    """Tasks with uploaded images."""
    for number, name in enumerate(names):
        path = f"upload/{PROJECT}/{number:08x}-{name}"
        studio.files[path] = IMAGE
        studio.show(f"/data/{path}")


def test_tasks_get_one_prediction_each_however_often(
    host: Host, studio: FakeStudio, predictor: Predictor
) -> None:
    hold(studio, "a.png", "b.png", "other.png")
    for added, there in ((2, 0), (0, 2)):
        report = run(host, predictor, prompts("x/a.png", "b"))
        assert report.complete
        assert (report.count["added"], report.count["there"]) == (added, there)
    assert studio.results() == [1, 1, 0]
    (prediction,) = studio.tasks[0]["predictions"]
    assert prediction["model_version"] == "prelabel x"
    assert prediction["score"] == prediction["result"][0]["score"] > 0


def test_another_models_prediction_is_not_in_the_way(
    host: Host, studio: FakeStudio, predictor: Predictor
) -> None:
    hold(studio, "a.png")
    studio.tasks[0]["predictions"] = [{"result": [], "model_version": "detector"}]
    assert run(host, predictor, prompts("a.png")).count["added"] == 1
    assert len(studio.tasks[0]["predictions"]) == 2


def test_one_broken_image_never_stops_the_run(
    host: Host, studio: FakeStudio, predictor: Predictor
) -> None:
    hold(studio, "torn.png", "gone.png", "twice.png", "twice.png", "a.png", "strange.png")
    torn, gone, *_ = studio.files
    studio.files[torn] = IMAGE[:99]
    del studio.files[gone]
    found = prompts("torn.png", "gone.png", "twice.png", "missing.png", "a.png")
    report = run(host, predictor, [*found, *prompts("strange.png", label="dog")])
    assert report.count["added"] == 1
    reasons = {each.fault: each.reason for each in report.left_out}
    assert set(reasons) == {"torn.png", "gone.png", "twice.png", "missing.png", "strange.png"}
    assert "HTTP 404" in reasons["gone.png"]
    assert "'dog'" in reasons["strange.png"]
    assert not report.complete


def test_a_prediction_that_is_refused_is_told_and_a_breakdown_ends_the_run(
    host: Host, studio: FakeStudio, predictor: Predictor
) -> None:
    hold(studio, "a.png")
    studio.refuses = ("brushlabels",)
    report = run(host, predictor, prompts("a.png"))
    assert [each.fault for each in report.left_out] == ["task 1"]
    host.routes["/api/predictions/"] = as_json({}, 500)
    with pytest.raises(LabelStudioError, match="500"):
        run(host, predictor, prompts("a.png"))


def test_the_images_of_a_task_share_a_prediction(host: Host, predictor: Predictor) -> None:
    studio = FakeStudio(host, PAGES)
    hold(studio, "a.png", "b.png")
    urls = [task["data"]["image"] for task in studio.tasks]
    studio.tasks = [{"data": {"pages": urls}}, {"data": {"pages": [3, None]}}]
    report = run(host, predictor, prompts("b.png", "a.png"))
    assert report.count["added"] == 1
    (prediction,) = studio.tasks[0]["predictions"]
    assert [each["item_index"] for each in prediction["result"]] == [1, 0]
    assert len({each["id"] for each in prediction["result"]}) == 2


def test_images_of_a_folder_become_new_tasks_once(
    host: Host, studio: FakeStudio, predictor: Predictor, tmp_path: Path
) -> None:
    hold(studio, "b.png")
    put(tmp_path, {"a c.png": IMAGE, "b.png": IMAGE})
    studio.files.clear()  # b.png is read from the folder
    for made, added, there in ((1, 1, 0), (0, 0, 2)):
        report = run(host, predictor, prompts("a c.png", "b.png", "d.png"), tmp_path)
        count = report.count
        assert (count["tasks"], count["added"], count["there"]) == (made, added, there)
        assert [each.fault for each in report.left_out] == ["d.png"]
    assert studio.results() == [1, 1]
    assert len(studio.files) == 1


def test_what_is_refused_as_a_new_task_costs_only_itself(
    host: Host, studio: FakeStudio, predictor: Predictor, tmp_path: Path
) -> None:
    put(tmp_path, {"bad.png": IMAGE, "a.png": IMAGE, "torn.png": b"torn"})
    studio.refuses = ("bad",)
    found = prompts("bad.png", "torn.png", "a.png")
    report = run(host, predictor, found, tmp_path, BelowPrefix("https://host/"))
    assert [each.fault for each in report.left_out] == ["bad.png", "torn.png"]
    assert [task["data"]["image"] for task in studio.tasks] == ["https://host/a.png"]


def test_a_project_without_a_place_for_masks_is_told(
    host: Host, predictor: Predictor, tmp_path: Path
) -> None:
    studio = FakeStudio(host, '<View><Image name="i" value="$image"/></View>')
    hold(studio, "a.png")
    report = run(host, predictor, prompts("a.png"))
    assert {each.fault for each in report.left_out} == {"task 1", "a.png"}
    with pytest.raises(EdgeFlowError, match="no mask control"):
        run(host, predictor, prompts("a.png"), tmp_path)


def test_an_image_that_exif_turns_becomes_a_new_task(
    host: Host, studio: FakeStudio, predictor: Predictor, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = encoded(disk_image(80, 100), "JPEG", exif=exif)
    put(tmp_path, {"a.jpg": lying, "b.tif": encoded(disk_image(80, 100), "TIFF")})
    studio.refuses = (".tif",)
    report = run(host, predictor, prompts("a.jpg", "b.tif"), tmp_path)
    assert report.complete
    assert report.count["tasks"] == 2
    turned, png = studio.files.values()
    assert turned == lying
    assert decode_image(png).shape == (80, 100, 3)
    region = studio.tasks[0]["predictions"][0]["result"][0]
    assert (region["original_width"], region["original_height"]) == (80, 100)


def test_an_image_with_several_names_is_predicted_once(
    host: Host, studio: FakeStudio, predictor: Predictor, tmp_path: Path
) -> None:
    hold(studio, "a.png")
    put(tmp_path, {"new.png": IMAGE})
    found = prompts("a.png", "x/a.png", "new.png", "x/new.png")
    api, report = connect(host), Report()
    into = ProjectPrelabel(
        api,
        PROJECT,
        parse_label_config(api.project(PROJECT).label_config),
        None,
        Segmenter(predictor),
        TaskForm(),
        Pictures(host.url, api.credentials),
        1_000_000,
        Folder(tmp_path, folder_index(tmp_path), BelowPrefix("/")),
    )
    assert {each.file_name for each in into.run(found, report)} == {"a.png", "new.png"}
    assert len(studio.tasks) == 2
    for task in studio.tasks:
        ids = [each["id"] for each in task["predictions"][0]["result"]]
        assert len(set(ids)) == len(ids) == 2
