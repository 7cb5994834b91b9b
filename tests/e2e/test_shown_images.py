"""The mask covers the object on the screen, however a file says that it is turned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeflow_backend.protocol.config_check import RECOMMENDED
from tests.contract.images import XMP_TURNED
from tests.e2e.conftest import Studio
from tests.e2e.editor import Editor, open_editor
from tests.e2e.shown import RED, Screen, overlap, picture, uri

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.slow]

FILES: dict[str, Callable[[], str]] = {
    "png": lambda: uri("PNG", picture()),
    "jpeg exif 6": lambda: uri("JPEG", picture(), exif=6),
    "png exif 6": lambda: uri("PNG", picture(), exif=6),
    "webp exif 6": lambda: uri("WEBP", picture(), exif=6),
    "webp exif 3": lambda: uri("WEBP", picture(), exif=3),
    "webp exif 8": lambda: uri("WEBP", picture(), exif=8),
    "jpeg xmp 6": lambda: uri("JPEG", picture(), xmp=XMP_TURNED),
    "avif": lambda: uri("AVIF", picture()),
    "avif irot": lambda: uri("AVIF", picture(), exif=6),  # Pillow writes it as AVIF's own turn
}


@pytest.fixture(scope="module")
def editor(studio: Studio, chromium: str) -> Iterator[Editor]:
    with open_editor(chromium, studio.url) as editor:
        yield editor


@pytest.fixture(scope="module")
def tasks(studio: Studio) -> dict[str, tuple[int, int]]:
    """Project and task of each file."""
    project = studio.client.create_project("shown images", RECOMMENDED)["id"]
    studio.client.connect_backend(project, studio.backend_url)
    data = [{"image": make()} for make in FILES.values()]
    studio.client.call("POST", f"projects/{project}/import", json=data)
    ids = [task["id"] for task in studio.client.tasks(project)]
    return {name: (project, task) for name, task in zip(FILES, ids, strict=True)}


@pytest.mark.parametrize("name", FILES)
def test_the_mask_covers_the_object_on_the_screen(
    editor: Editor, tasks: dict[str, tuple[int, int]], artifacts: Path, name: str
) -> None:
    editor.open(*tasks[name], auto_accept=True)
    before = Screen.of(editor.page)
    answer = editor.click_on_page(*before.middle(RED))
    after = Screen.of(editor.page)
    editor.screenshot(artifacts / f"shown-{name.replace(' ', '-')}.png")
    assert "error" not in answer["data"], answer["data"]["error"]
    assert overlap(before.changed(after, RED), before.where(RED)) > 0.8
