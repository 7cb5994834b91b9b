"""Annotated images go into a real Label Studio, and come back over its API to the pixel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco
from typer.testing import CliRunner, Result

from demo.label_studio import TOKEN
from edgeflow.arrays import BoolMask
from edgeflow.cli import app
from edgeflow.geometry import Size
from edgeflow.images import decode_image
from edgeflow.label_studio.bitmask_png import OPAQUE
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow.label_studio.config.labels import Label
from edgeflow.label_studio.config.recommended import recommended_config
from edgeflow.label_studio.controls import CONTROLS
from edgeflow.label_studio.object_ids import object_of
from tests.e2e.conftest import PHOTOS, Studio
from tests.e2e.export_truth import LABELS, SHAPE_LABELS, shapes
from tests.e2e.export_truth import WIDE as SIZE
from tests.unit.edgeflow.data.making import encoded, image_file, put, put_json

pytestmark = pytest.mark.e2e

IMAGES = ("a b.png", "sub/ü.jpg", "c.webp")
KINDS = {"brush": "Brush", "bitmask": "Bitmask", "polygon": "Polygon"}


def dataset(folder: Path) -> Path:
    """COCO with holes, parts, overlaps and a line, on three images."""
    kinds = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}
    put(
        folder / "images",
        {
            name: image_file(*SIZE, kind=kinds[name.rpartition(".")[2]], comment=name.encode())
            if name.endswith("jpg")
            else image_file(*SIZE, kind=kinds[name.rpartition(".")[2]])
            for name in IMAGES
        },
    )
    annotations: list[dict[str, Any]] = []
    for image in range(len(IMAGES)):
        for name, mask in shapes().items():
            code = coco.encode(np.asfortranarray(mask.view(np.uint8)))
            code["counts"] = code["counts"].decode()
            category = 1 + LABELS.index(SHAPE_LABELS[name])
            annotations.append(
                {"id": len(annotations) + 1, "image_id": image, "category_id": category,
                 "iscrowd": 0, "segmentation": code}
            )  # fmt: skip
    document = {
        "images": [
            {"id": number, "file_name": name, "height": SIZE.height, "width": SIZE.width}
            for number, name in enumerate(IMAGES)
        ],
        "annotations": annotations,
        "categories": [{"id": k, "name": name} for k, name in enumerate(LABELS, start=1)],
    }
    put_json(folder / "annotations" / "instances_default.json", document)
    return folder


def run(studio: Studio, *arguments: object) -> Result:
    return CliRunner().invoke(
        app,
        [*map(str, arguments), "--url", studio.url],
        env={"LABEL_STUDIO_API_KEY": TOKEN},
    )


def new_project(studio: Studio, title: str, kind: str) -> int:
    xml = recommended_config(KINDS[kind], [Label(name) for name in LABELS])
    number: int = studio.client.create_project(title, xml)["id"]
    return number


def stored(studio: Studio, project: int) -> list[dict[str, Any]]:
    """A project's tasks with all that is in them but their age, oldest first."""
    query = {"project": project, "fields": "all", "resolve_uri": "false"}
    tasks: list[dict[str, Any]] = studio.client.call("GET", "tasks", params=query)["tasks"]
    for task in tasks:
        for each in (*task["predictions"], *task["annotations"]):
            each.pop("created_ago", None)  # in minutes: the same thing is older when asked again
    return sorted(tasks, key=lambda task: int(task["id"]))


def shown(result: list[dict[str, Any]]) -> list[tuple[str, BoolMask]]:
    """Label and mask of each object that regions show, in their order."""
    objects: dict[str, tuple[list[str], BoolMask]] = {}
    for region in result:
        key = object_of(region) or region["id"]
        labels, mask = objects.setdefault(key, ([], np.zeros(SIZE, dtype=np.bool_)))
        labels += region["value"].get(region["type"], []) if region["type"] != "brush" else []
        labels += region["value"].get("labels", []) if region["type"] == "labels" else []
        kind = next((k for k in CONTROLS.values() if region["type"] in k.region_types), None)
        if kind is not None:
            assert kind.mask is not None
            size = Size(region["original_height"], region["original_width"])
            mask |= kind.mask.parse(region["value"]).mask(size)
    return [(dict.fromkeys(labels).popitem()[0], mask) for labels, mask in objects.values()]


def iou(one: BoolMask, other: BoolMask) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize("as_what", ["predictions", "annotations"])
@pytest.mark.parametrize("kind", KINDS)
def test_data_becomes_tasks_once_and_to_the_pixel(
    studio: Studio, tmp_path: Path, kind: str, as_what: str
) -> None:
    source = dataset(tmp_path / "pets")
    project = new_project(studio, f"import {kind} {as_what}", kind)
    arguments = ("import", source, "--project", project, "--control", kind, "--as", as_what)
    first = run(studio, *arguments)
    assert first.exit_code == 0, first.output
    assert "3 tasks made with 12 objects, 0 were there" in first.output
    tasks = stored(studio, project)
    for task, name in zip(tasks, IMAGES, strict=True):
        (holder,) = task[as_what]
        found = shown(holder["result"])
        assert [label for label, _ in found] == list(SHAPE_LABELS.values())
        least = 1.0 if kind != "polygon" else 0.98
        assert all(
            iou(mask, drawn) >= least
            for (_, mask), drawn in zip(found, shapes().values(), strict=True)
        )
        served = studio.client._session.get(studio.url + task["data"]["image"])
        assert served.content == (source / "images" / name).read_bytes()
    if as_what == "predictions":
        assert {task["predictions"][0]["model_version"] for task in tasks} == {"import"}
        assert studio.client.call("GET", f"projects/{project}")["model_version"] == "import"

    moved = tmp_path / "moved"
    source.rename(moved)
    again = run(studio, "import", moved, *arguments[2:])
    assert again.exit_code == 0, again.output
    assert "0 tasks made with 0 objects, 3 were there" in again.output
    assert stored(studio, project) == tasks


def test_images_that_a_project_shows_already_get_the_masks(studio: Studio, tmp_path: Path) -> None:
    source = dataset(tmp_path / "pets")
    project = new_project(studio, "import into tasks", "brush")
    prefix = "/data/local-files/?d=pets/"
    urls = [f"{prefix}{name}" for name in ("a%20b.png", "sub/%C3%BC.jpg")]
    tasks = [{"data": {"image": url}} for url in urls]
    studio.client.call("POST", f"projects/{project}/import", json=tasks)
    arguments = ("import", source, "--project", project, "--image-url-prefix", prefix)
    first = run(studio, *arguments)
    assert first.exit_code == 0, first.output
    assert "1 tasks made with 12 objects, 2 had the image and got masks, 0 were" in first.output
    again = run(studio, *arguments)
    assert "0 tasks made with 0 objects, 3 were there" in again.output
    after = stored(studio, project)
    assert [task["data"]["image"] for task in after] == [*urls, f"{prefix}c.webp"]
    assert [len(task["predictions"]) for task in after] == [1, 1, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_tasks_and_the_config_beside_it_make_a_project(
    studio: Studio, tmp_path: Path, kind: str
) -> None:
    source, output = dataset(tmp_path / "pets"), tmp_path / "tasks.json"
    result = run(studio, "import", source, "-o", output, "--control", kind)
    assert result.exit_code == 0, result.output
    xml = output.with_suffix(".xml").read_text()
    project = studio.client.create_project(f"import of a file {kind}", xml)["id"]
    with output.open("rb") as file:
        studio.client.call("POST", f"projects/{project}/import", files={"tasks.json": file})
    tasks = stored(studio, project)
    assert [task["data"] for task in tasks] == [
        each["data"] for each in json.loads(output.read_text())
    ]
    for task in tasks:
        found = shown(task["predictions"][0]["result"])
        assert [label for label, _ in found] == list(SHAPE_LABELS.values())


@pytest.mark.parametrize("kind", KINDS)
def test_a_click_on_an_imported_mask_refines_it(studio: Studio, tmp_path: Path, kind: str) -> None:
    """No record says how it was made, so the mask itself is what the click begins with."""
    photo = decode_image((PHOTOS / "coins.jpg").read_bytes())
    mask = np.zeros(photo.shape[:2], dtype=np.uint8)
    mask[20:100, 20:140] = 1  # a coin, half of the next one, and the ground between
    put(tmp_path / "coins", {"masks/coins.png": encoded(mask)})
    put(tmp_path / "coins", {"images/coins.jpg": (PHOTOS / "coins.jpg").read_bytes()})
    config = recommended_config(KINDS[kind], [Label("Object")])
    project = studio.client.create_project(f"refine {kind}", config)["id"]
    result = run(studio, "import", tmp_path / "coins", "--project", project)
    assert result.exit_code == 0, result.output
    backend = studio.client.connect_backend(project, studio.backend_url)["id"]
    (task,) = stored(studio, project)
    (imported,) = task["predictions"][0]["result"]
    height, width = photo.shape[0], photo.shape[1]
    click = {
        "id": "c1", "type": "keypoint", "from_name": "click", "to_name": "image",
        "original_width": width, "original_height": height, "image_rotation": 0,
        "is_positive": False, "origin": "manual",
        "value": {"x": 100 * 130 / width, "y": 100 * 90 / height, "width": 0.3, "labels": []},
    }  # fmt: skip
    answer = studio.client.call(
        "POST",
        f"ml/{backend}/interactive-annotating",
        json={"task": task["id"], "context": {"result": [click]}},
    )
    (refined,) = answer["data"]["result"]
    assert refined["id"] == imported["id"]
    row = CONTROLS[KINDS[kind]].mask
    assert row is not None
    now = row.parse(refined["value"]).mask(Size(height, width))
    assert not now[90, 130]
    assert now[50, 50]
    assert (now & (mask == 1)).sum() > 0.5 * now.sum()


def test_what_the_editor_shows_has_the_size_of_its_masks(studio: Studio, tmp_path: Path) -> None:
    """A 16-bit TIFF, and images on their side whose masks stand upright, or lie as they do."""
    wide = np.linspace(0, 65535, SIZE.height * SIZE.width, dtype=np.uint16).reshape(SIZE)
    mask, side = np.zeros(SIZE, dtype=np.uint8), np.zeros(SIZE[::-1], dtype=np.uint8)
    mask[10:60, 20:90] = side[10:60, 20:90] = 1
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = image_file(*SIZE, exif=exif)
    images = {"tiff.tif": encoded(wide, "TIFF"), "upright.jpg": lying, "stored.jpg": lying}
    masks_of = {"tiff": mask, "upright": side, "stored": mask}
    files = {f"images/{name}": data for name, data in images.items()}
    files |= {f"masks/{name}.png": encoded(each) for name, each in masks_of.items()}
    project = studio.client.create_project("odd images", recommended_config())["id"]
    result = run(studio, "import", put(tmp_path / "odd", files), "--project", project)
    assert result.exit_code == 0, result.output
    assert "3 tasks made with 3 objects" in result.output
    for task, name in zip(stored(studio, project), sorted(masks_of), strict=True):
        served = studio.client._session.get(studio.url + task["data"]["image"])
        assert decode_image(served.content).shape[:2] == masks_of[name].shape
        (region,) = task["predictions"][0]["result"]
        size = Size(region["original_height"], region["original_width"])
        assert (decode_brush(bytes(region["value"]["rle"]), size) > OPAQUE).tolist() == (
            masks_of[name] == 1
        ).tolist()
