"""Two coins are labelled in one task; the next one opens with all of its coins suggested."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image

from demo.label_studio import TOKEN, Service, free_port, start_backend
from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow_backend.protocol.config_check import RECOMMENDED
from tests.e2e.conftest import PHOTOS, Studio
from tests.e2e.editor import open_editor

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.slow]

COINS = 24
TWO = [(0.115, 0.178), (0.404, 0.165)]
"""Two of them, of the image's width and height."""

COPIED = "() => window.Htx?.annotationStore?.selected?.regions.length"
"""The editor begins with a copy of the prediction, once Label Studio has got it."""


@pytest.fixture
def backend(studio: Studio, tmp_path: Path) -> Iterator[Service]:
    """A backend that suggests from examples, and is allowed more time than a busy machine needs."""
    command = Path(sys.executable).with_name("edgeflow-backend")
    settings = {
        "LABEL_STUDIO_URL": studio.url,
        "LABEL_STUDIO_API_KEY": TOKEN,
        "EDGEFLOW_PREANNOTATE_SIMILAR": "true",
        "EDGEFLOW_PREANNOTATE_SIMILAR_S": "90",
        "EDGEFLOW_SIMILAR_SECONDS": "30",
        "EDGEFLOW_EXAMPLES_DIR": str(tmp_path / "examples"),
    }
    with start_backend(command, free_port(), tmp_path / "backend.log", settings) as backend:
        backend.wait(120)
        yield backend


def test_labelled_coins_are_examples_for_other_tasks_until_their_annotation_is_deleted(
    studio: Studio, backend: Service, chromium: str, artifacts: Path, tmp_path: Path
) -> None:
    turned = {
        "mirrored": Image.Transpose.FLIP_LEFT_RIGHT,
        "upside-down": Image.Transpose.FLIP_TOP_BOTTOM,
    }
    for name, how in turned.items():
        with Image.open(PHOTOS / "coins.jpg") as image:
            size = Size(image.height, image.width)
            image.transpose(how).save(tmp_path / f"{name}.jpg", quality=95)
    client = studio.client
    project = client.create_project("examples", RECOMMENDED)["id"]
    images = [PHOTOS / "coins.jpg", *(tmp_path / f"{name}.jpg" for name in turned)]
    client.import_images(project, images)
    client.connect_backend(project, backend.health.removesuffix("/health"))
    labelled, mirrored, upside_down = (task["id"] for task in client.tasks(project))

    with open_editor(chromium, studio.url) as editor:
        editor.open(project, labelled, auto_accept=False)
        for place in TWO:
            editor.click(*place)
            editor.accept()
        editor.submit()
        editor.page.goto(f"{studio.url}/projects/{project}/data?task={mirrored}")
        editor.page.wait_for_function(COPIED)
        shown = editor.ids()
        editor.screenshot(artifacts / "examples-suggested.png")

    (prediction,) = client.call("GET", f"tasks/{mirrored}")["predictions"]
    regions = prediction["result"]
    assert [region["id"] for region in regions] == shown
    assert COINS - 2 <= len(regions) <= COINS
    assert all(0 < region["score"] <= 1 for region in regions)
    assert prediction["score"] == pytest.approx(np.mean([region["score"] for region in regions]))
    masks = np.array([decode_brush(bytes(r["value"]["rle"]), size) > 127 for r in regions])
    assert masks.sum(axis=0).max() == 1  # no coin twice
    for x, y in TWO:
        assert masks[:, int(y * size.height), int((1 - x) * size.width)].any()

    (annotation,) = client.call("GET", f"tasks/{labelled}/annotations")
    client.call("DELETE", f"annotations/{annotation['id']}/")
    assert client.call("GET", f"tasks/{upside_down}")["predictions"] == []
    status = requests.get(f"{backend.health.removesuffix('/health')}/status?format=json").json()
    said = {call["kind"]: call["message"] for call in status["calls"]}
    assert said["examples"] == "0 examples of 0 labels"
    assert "nothing that resembles an accepted example" in said["predictions"]
