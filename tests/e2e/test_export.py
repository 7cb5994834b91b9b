"""Projects of every kind in a real Label Studio leave it as COCO that pycocotools reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from typer.testing import CliRunner

from demo.label_studio import TOKEN
from edgeflow.cli import app
from edgeflow.geometry import Size
from edgeflow.label_studio.bitmask_png import OPAQUE
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow.label_studio.controls import CONTROLS
from tests.e2e.conftest import PHOTOS, Studio
from tests.e2e.editor import open_editor
from tests.e2e.export_project import TAGS, config_of, ghost, results_of
from tests.e2e.export_truth import LABELS, WIDE, Drawn, shapes
from tests.unit.edgeflow.export.exported import categories, drawn, load, mask_of

pytestmark = pytest.mark.e2e

LABEL_OF = {"ring": "Coin", "parts": "a/b é", "line": "Coin", "over": None}


class Labelling(NamedTuple):
    """Where labels stand: in the masks' own control, in a ``Labels`` beside it, or in both."""

    own: bool
    beside: bool


LABELLINGS = {
    "own": Labelling(own=True, beside=False),
    "Labels": Labelling(own=False, beside=True),
    "both": Labelling(own=True, beside=True),
}


def config(kind: str, labelling: Labelling) -> str:
    """A labelling config; the keypoints have labels where nothing beside carries them."""
    clicks = ["Labels", "KeyPoint"] if labelling.beside else ["KeyPointLabels"]
    return config_of('value="$image"', *clicks, CONTROLS[kind].tags[0 if labelling.own else 1])


def regions(kind: str, name: str, labelling: Labelling) -> list[dict[str, Any]]:
    """One of the shapes as Label Studio stores it."""
    return results_of(
        name, Drawn(kind, LABEL_OF[name], shapes()[name]), WIDE, **labelling._asdict()
    )


def import_tasks(studio: Studio, title: str, xml: str, *tasks: dict[str, Any]) -> int:
    number: int = studio.client.create_project(title, xml)["id"]
    studio.client.call("POST", f"projects/{number}/import", json=list(tasks))
    return number


def export(studio: Studio, project: int, folder: Path) -> str:
    """Run the command; what it printed."""
    result = CliRunner().invoke(
        app,
        ["export", "--url", studio.url, "--project", str(project), "-o", str(folder)],
        env={"LABEL_STUDIO_API_KEY": TOKEN},
    )
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("labels", LABELLINGS)
@pytest.mark.parametrize("kind", ["Brush", "Bitmask", "Polygon", "Rectangle"])
def test_a_project_leaves_as_coco(studio: Studio, tmp_path: Path, kind: str, labels: str) -> None:
    labelling = LABELLINGS[labels]
    results = [region for name in shapes() for region in regions(kind, name, labelling)]
    other = regions(kind, "line", labelling)
    project = import_tasks(
        studio,
        f"export {kind} {labels}",
        config(kind, labelling),
        {
            "data": {"image": "https://host/x/picture.webp?sig=1"},
            "annotations": [
                {"result": other, "was_cancelled": True},
                {"result": [*results, ghost(labelled=not labelling.beside)]},
                {"result": other},
            ],
            "predictions": [{"result": other}],
        },
        {"data": {"image": "https://host/x/nobody.png"}},
    )
    said = export(studio, project, tmp_path)
    coco = load(tmp_path)
    assert categories(coco) == list(enumerate((*LABELS, "unlabelled"), start=1))
    (image,) = coco.dataset["images"]
    assert (image["width"], image["height"]) == (WIDE.width, WIDE.height)
    annotations = drawn(coco, "x/picture.webp")
    assert [each["category"] for each in annotations] == [
        LABEL_OF[name] or "unlabelled" for name in shapes()
    ]
    for annotation, mask in zip(annotations, shapes().values(), strict=True):
        rows, cols = np.nonzero(mask)
        box = [cols.min(), rows.min(), np.ptp(cols) + 1, np.ptp(rows) + 1]
        assert annotation["bbox"] == box
        if kind == "Rectangle":
            assert annotation["segmentation"] == []
        else:
            assert isinstance(annotation["segmentation"], list if kind == "Polygon" else dict)
            assert (mask_of(coco, annotation) == mask).all()
    for line in (
        "1 images, 4 objects, 4 categories",
        f"results of type '{'keypoint' if labelling.beside else 'keypointlabels'}' (1)",
        "cancelled annotations (1)",
        "further annotations of a task (1)",
        "predictions (1)",
        "tasks without an annotation that counts (1)",
    ):
        assert line in said


def test_a_project_that_label_studio_cannot_export_at_all_is_exported(
    studio: Studio, tmp_path: Path
) -> None:
    """Several images a task beside a keypoint control: every export is an HTTP 500."""
    xml = config("Brush", LABELLINGS["own"]).replace('value="$image"', 'valueList="$pages"')
    (ring,), (parts,) = (regions("Brush", name, LABELLINGS["own"]) for name in ("ring", "parts"))
    pages = [{**ring, "item_index": 1}, {**parts, "item_index": 0}]
    images = [f"https://host/page-{number}.png" for number in (1, 2)]
    task = {"data": {"pages": images}, "annotations": [{"result": pages}]}
    project = import_tasks(studio, "export pages", xml, task)
    with pytest.raises(RuntimeError, match="500"):
        studio.client.raw("GET", f"projects/{project}/export", params={"exportType": "JSON"})
    export(studio, project, tmp_path)
    coco = load(tmp_path)
    for name, page in (("ring", "page-2.png"), ("parts", "page-1.png")):
        (annotation,) = drawn(coco, page)
        assert (mask_of(coco, annotation) == shapes()[name]).all()


@pytest.mark.browser
@pytest.mark.slow
def test_what_was_clicked_is_exported_and_the_points_that_are_left_cost_nothing(
    studio: Studio, chromium: str, tmp_path: Path
) -> None:
    xml = config("Brush", LABELLINGS["own"]).replace(TAGS, '<Label value="Object"/>')
    project = studio.project("export of clicks", ["astronaut"], xml)["id"]
    (task,) = studio.client.tasks(project)
    with open_editor(chromium, studio.url) as editor:
        editor.open(project, task["id"])
        editor.click(0.45, 0.2)
        editor.accept()
        editor.click(0.8, 0.6)  # never accepted: only its point is stored
        editor.submit()
    (annotation,) = studio.client.call("GET", f"tasks/{task['id']}/annotations")
    (accepted,) = (each for each in annotation["result"] if each["type"] == "brushlabels")
    points = [each for each in annotation["result"] if each["type"].startswith("keypoint")]
    assert points
    export(studio, project, tmp_path)
    coco = load(tmp_path)
    (image,) = coco.dataset["images"]
    assert image["file_name"] == Path(task["data"]["image"]).name
    (drawn_there,) = drawn(coco, image["file_name"])
    size = Size(image["height"], image["width"])
    mask = decode_brush(accepted["value"]["rle"], size) > OPAQUE
    assert (mask_of(coco, drawn_there) == mask).all()

    whole = studio.client.raw("GET", f"projects/{project}/export", params={"exportType": "JSON"})
    (tmp_path / "project.json").write_bytes(whole.content)
    listed = CliRunner().invoke(
        app, ["datasets", str(tmp_path / "project.json"), "--images", str(PHOTOS)]
    )
    assert listed.exit_code == 0, listed.output
    assert "all: 1 pictures, 1 objects" in listed.stdout
    assert f"results of type '{points[0]['type']}' ({len(points)})" in listed.stderr
