"""All that makes exports go wrong, in a real Label Studio: every format gives back what was drawn.

Each format is read by software that shares no code with its writer. What Label Studio's own exports
give on the same projects stands beside it, as measured on 1.23.2.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from demo.label_studio import EMAIL, TOKEN, Client
from edgeflow.arrays import BoolMask
from edgeflow.cli import app
from edgeflow.export.formats.table import FORMATS
from tests.e2e.conftest import Studio
from tests.e2e.export_project import (
    KINDS,
    SECOND_ANNOTATOR,
    SIGNATURE,
    create,
    create_kind,
    serve_pictures,
    sign_up,
)
from tests.e2e.export_truth import BARE, BY_SECOND, CANCELLED, pictures
from tests.e2e.format_readers import READERS, read_coco
from tests.e2e.found_objects import Found, Wanted, kept, worst_iou
from tests.e2e.label_studio_exports import unpack

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

READINGS = [(name, reader) for name, readers in READERS.items() for reader in readers]


@dataclass(frozen=True)
class Projects:
    """The projects of this module.

    Attributes:
        client: Of the first annotator.
        numbers: Id of each project.
        second: Id of the second annotator.
    """

    client: Client
    numbers: dict[str, int]
    second: int

    def run(self, command: str, project: str, *options: str) -> Result:
        """Run a command on a project, as a user would."""
        where = ["--url", self.client.url, "--project", str(self.numbers[project])]
        result = CliRunner().invoke(
            app, [command, *where, *options], env={"LABEL_STUDIO_API_KEY": TOKEN}
        )
        assert result.exit_code == 0, result.output
        return result

    def export(self, project: str, format: str, folder: Path, *options: str) -> Result:
        """Export a project with its pictures, which are fetched from where they are."""
        always = ("--pictures", "copy", "--hard-edges", "-o", str(folder))
        return self.run("export", project, "--format", format, *always, *options)


@pytest.fixture(scope="module")
def projects(studio: Studio) -> Iterator[Projects]:
    with serve_pictures() as host:
        second = sign_up(studio.url, SECOND_ANNOTATOR)
        numbers = create(studio.client, second, host.url)
        yield Projects(studio.client, numbers, second.call("GET", "current-user/whoami")["id"])


@pytest.fixture(scope="module")
def exported(projects: Projects, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every project in all formats at once: the folder of each project, with one a format."""
    folder = tmp_path_factory.mktemp("exported")
    for name in KINDS:
        projects.export(name, ",".join(FORMATS), folder / name)
    return {name: folder / name for name in KINDS}


def test_every_format_has_a_reader_that_is_not_ours() -> None:
    assert sorted(READERS) == sorted(FORMATS)


def test_the_project_is_as_it_was_planned() -> None:
    """Twelve tasks; all of the pictures, and two that are not exported."""
    tasks = [names for kind in KINDS.values() for names in kind.tasks]
    assert len(tasks) == 12
    shown = [name for names in tasks for name in names]
    assert sorted(shown) == sorted([*pictures(), CANCELLED.name, BARE.name])


@pytest.mark.parametrize(("format", "reader"), READINGS, ids=str)
def test_what_was_drawn_is_what_another_reader_finds(
    exported: dict[str, Path], format: str, reader: str
) -> None:
    row = READERS[format][reader]
    found: dict[str, list[Found]] = {}
    for folder in exported.values():
        for each in row.read(folder / format):
            found.setdefault(plain(each.picture), []).append(each)
    wanted = {
        name if row.extension else Path(name).stem: [
            Wanted(each.label, each.mask) for each in picture.drawn
        ]
        for name, picture in pictures().items()
    }
    assert sorted(found) == sorted(wanted)
    worst = {name: worst_iou(kept(drawn, row.keeps), found[name]) for name, drawn in wanted.items()}
    assert min(worst.values()) >= row.iou, worst


@pytest.mark.parametrize("format", FORMATS)
def test_no_file_tells_who_annotated_nor_how_to_get_in(
    exported: dict[str, Path], format: str
) -> None:
    secrets = (EMAIL.encode(), SECOND_ANNOTATOR.encode(), TOKEN.encode(), SIGNATURE.encode())
    written = [
        path for folder in exported.values() for path in (folder / format).rglob("*")
        if path.is_file()
    ]  # fmt: skip
    assert written
    for path in written:
        content = path.name.encode() + path.read_bytes()
        assert not [secret for secret in secrets if secret in content], path


@pytest.mark.parametrize("format", FORMATS)
def test_a_second_run_writes_the_same_bytes(
    projects: Projects, exported: dict[str, Path], tmp_path: Path, format: str
) -> None:
    for name, folder in exported.items():
        projects.export(name, format, tmp_path / name)
        assert _contents(tmp_path / name) == _contents(folder / format)


@pytest.mark.parametrize("annotator", ["first", "last", "second", "all", "vote"])
def test_of_two_annotators_the_chosen_one_counts(
    projects: Projects, tmp_path: Path, annotator: str
) -> None:
    """The list of tasks names annotators by their ids; no two of these agree on an object."""
    first, second = (mask for _, _, mask in (*pictures()["both.png"].drawn, *BY_SECOND))
    expected = {"first": [first], "all": [first, second], "vote": []}.get(annotator, [second])
    name = str(projects.second) if annotator == "second" else annotator
    said = projects.export("masks", "coco", tmp_path, "--annotator", name).output
    found = [each for each in read_coco(tmp_path) if each.picture.startswith("both")]
    assert [each.mask.tobytes() for each in found] == [mask.tobytes() for mask in expected]
    if annotator == "all":
        assert len({each.picture for each in found}) == 2
    if annotator == "second":
        assert "tasks without an annotation that counts (8)" in said


def test_a_project_that_was_pulled_gives_the_same_objects(
    projects: Projects, exported: dict[str, Path], tmp_path: Path
) -> None:
    """Names of pulled pictures begin with a digest of where they were."""
    for name, folder in exported.items():
        projects.run("pull", name, str(tmp_path / name))
        command = ["export", str(tmp_path / name), "-o", str(tmp_path / f"{name} again")]
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
        again, direct = tmp_path / f"{name} again", folder / "coco"
        assert _objects(again) == _objects(direct)


def _objects(folder: Path) -> list[tuple[str, str, bytes]]:
    """What is in a COCO file, by names of pictures without digests."""
    return sorted(
        (re.sub(r"^([0-9a-f]{8,16}-)+", "", each.picture), each.label, each.mask.tobytes())
        for each in read_coco(folder)
    )


@pytest.mark.parametrize("format", ["JSON", "JSON_MIN"])
@pytest.mark.parametrize("project", ["masks", "plain"])
def test_an_export_file_gives_the_same_pixels(
    projects: Projects, exported: dict[str, Path], tmp_path: Path, project: str, format: str
) -> None:
    """JSON_MIN has no ids: what is a piece of an object elsewhere is an object of its own there."""
    file = own_export(projects, project, format, tmp_path) / "result.json"
    result = CliRunner().invoke(app, ["export", str(file), "-o", str(tmp_path / "again")])
    assert result.exit_code == 0, result.output
    again, direct = tmp_path / "again", exported[project] / "coco"
    assert _pixels(again) == _pixels(direct)
    if format == "JSON":
        assert _objects(again) == _objects(direct)


def _pixels(folder: Path) -> dict[tuple[str, str], bytes]:
    """What of each picture is of each class in a COCO file."""
    masks: dict[tuple[str, str], BoolMask] = {}
    for each in read_coco(folder):
        key = (re.sub(r"^([0-9a-f]{8,16}-)+", "", each.picture), each.label)
        masks[key] = masks[key] | each.mask if key in masks else each.mask
    return {key: mask.tobytes() for key, mask in masks.items()}


def plain(name: str) -> str:
    """A picture's name without what Label Studio puts before those of uploads."""
    return re.sub(r"^[0-9a-f]{8}-", "", name)


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


class TestLabelStudioItself:
    """The control: should one of these fail, Label Studio has changed, and so has our reason."""

    OWN = ("COCO", "YOLO", "YOLO_OBB", "VOC", "BRUSH_TO_COCO", "BRUSH_TO_PNG", "BRUSH_TO_NUMPY")

    def test_a_click_that_was_left_makes_coco_an_http_500(self, projects: Projects) -> None:
        assert "No keypoint order found" in refused(projects, "masks", "COCO")
        assert "No keypoint order found" in refused(projects, "masks", "COCO_WITH_IMAGES")

    @pytest.mark.parametrize("format", ["YOLO", "YOLO_OBB"])
    @pytest.mark.parametrize("project", ["masks", "plain"])
    def test_yolo_is_empty(
        self, projects: Projects, tmp_path: Path, project: str, format: str
    ) -> None:
        folder = own_export(projects, project, format, tmp_path)
        labels = list((folder / "labels").iterdir())
        assert len(labels) == {"masks": 8, "plain": 1}[project]
        assert {path.read_text() for path in labels} == {""}

    def test_voc_has_pictures_and_nothing_on_them(self, projects: Projects, tmp_path: Path) -> None:
        folder = own_export(projects, "masks", "VOC", tmp_path)
        described = [path.read_text() for path in (folder / "Annotations").iterdir()]
        assert len(described) == 8
        assert not [text for text in described if "<object>" in text]
        assert len(list((folder / "images").iterdir())) == 8
        assert "'x'" in refused(projects, "plain", "VOC")

    def test_brush_to_coco_fills_splits_and_drops(self, projects: Projects, tmp_path: Path) -> None:
        """Of eight pictures the two uploaded ones with brushes; of their objects not all."""
        folder = own_export(projects, "masks", "BRUSH_TO_COCO", tmp_path)
        document = json.loads((folder / "result_coco.json").read_text())
        names = [each["file_name"].partition("-")[2] for each in document["images"]]
        assert names == ["brushes.png", "turned.jpg"]
        found = Counter(
            (each["image_id"], each["category_id"], len(each["segmentation"]))
            for each in document["annotations"]
        )
        first, second = (each["id"] for each in document["images"])
        # The ring has lost its hole, the object of two parts is two objects, the line is gone.
        expected = {(1, 1): 1, (2, 1): 3}
        assert found == {
            (image, *key): count for image in (first, second) for key, count in expected.items()
        }
        ring = pictures()["brushes.png"].drawn[0].mask
        (filled,) = (
            each["segmentation"][0]
            for each in document["annotations"]
            if (each["image_id"], each["category_id"]) == (first, 1)
        )
        assert polygon_area(filled) > ring.sum()

    def test_brush_to_coco_beside_labels_is_empty(self, projects: Projects, tmp_path: Path) -> None:
        folder = own_export(projects, "plain", "BRUSH_TO_COCO", tmp_path)
        document = json.loads((folder / "result_coco.json").read_text())
        assert document["images"] == document["annotations"] == document["categories"] == []

    def test_coco_beside_labels_has_the_picture_and_nothing_on_it(
        self, projects: Projects, tmp_path: Path
    ) -> None:
        folder = own_export(projects, "plain", "COCO", tmp_path)
        document = json.loads((folder / "result.json").read_text())
        assert len(document["images"]) == 1
        assert document["annotations"] == []

    @pytest.mark.parametrize("format", ["BRUSH_TO_PNG", "BRUSH_TO_NUMPY"])
    def test_brushes_as_pictures_have_no_name_of_a_picture_and_no_bitmask(
        self, projects: Projects, tmp_path: Path, format: str
    ) -> None:
        folder = own_export(projects, "masks", format, tmp_path)
        names = [path.name for path in folder.iterdir()]
        brushes = [
            each for (name,) in KINDS["masks"].tasks if name in pictures()
            for each in pictures()[name].drawn if each.kind == "Brush"
        ]  # fmt: skip
        assert len(names) == len(brushes) + len(BY_SECOND)
        form = re.compile(r"task-\d+-annotation-\d+-by-\d+-BrushLabels-(.+)-\d\.(png|npy)")
        labels = {found[1] for name in names if (found := form.fullmatch(name))}
        assert labels == {"Coin", "a-b é", "no_label"}
        assert all(map(form.fullmatch, names))

    @pytest.mark.parametrize("format", ["JSON", "JSON_MIN", "CSV", *OWN])
    def test_several_pictures_a_task_make_every_export_an_http_500(
        self, projects: Projects, format: str
    ) -> None:
        assert "list.remove(x): x not in list" in refused(projects, "pages", format)

    def test_the_dialog_greys_coco_and_yolo_out(self, projects: Projects) -> None:
        config = KINDS["pages"].config.replace("valueList", "value")
        clicks: int = projects.client.create_project("clicks and brushes", config)["id"]
        for number in (clicks, projects.numbers["plain"]):
            formats = projects.client.call("GET", f"projects/{number}/export/formats")
            greyed = {each["name"] for each in formats if each.get("disabled")}
            assert {"COCO", "COCO_WITH_IMAGES", "YOLO", "YOLO_WITH_IMAGES"} <= greyed
        with pytest.raises(RuntimeError, match="500"):
            projects.client.call("GET", f"projects/{projects.numbers['pages']}/export/formats")

    def test_without_a_click_left_all_classes_of_coco_are_one(
        self, projects: Projects, tmp_path: Path
    ) -> None:
        kind = KINDS["masks"]._replace(tasks=(("polygons.png",),))
        number = create_kind(projects.client, projects.client, "http://127.0.0.1:1", "masks", kind)
        only = replace(projects, numbers={"masks": number})
        folder = own_export(only, "masks", "COCO", tmp_path)
        document = json.loads((folder / "result.json").read_text())
        names = {each["id"]: each["name"] for each in document["categories"]}
        used = {names[each["category_id"]] for each in document["annotations"]}
        assert used == {"default"}
        drawn = pictures()["polygons.png"].drawn
        assert len({each.label for each in drawn}) == 2
        assert len(document["annotations"]) == len(drawn) + 1  # a piece is an object


def refused(projects: Projects, project: str, format: str) -> str:
    """What Label Studio says instead of an export."""
    with pytest.raises(RuntimeError, match="500") as caught:
        _ask(projects, project, format)
    return str(caught.value)


def own_export(projects: Projects, project: str, format: str, into: Path) -> Path:
    """Label Studio's own export."""
    unpack(_ask(projects, project, format), into / "own")
    return into / "own"


def _ask(projects: Projects, project: str, format: str) -> bytes:
    path = f"projects/{projects.numbers[project]}/export"
    content: bytes = projects.client.raw("GET", path, params={"exportType": format}).content
    return content


def polygon_area(points: list[float]) -> float:
    """By the shoelace formula, of x, y, x, y …"""
    x, y = np.array(points).reshape(-1, 2).T
    return float(abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2)
