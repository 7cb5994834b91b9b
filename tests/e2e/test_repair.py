"""Submitted before the mask was accepted: seen on the status page, and repaired."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from demo.label_studio import TOKEN
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.repair.run import repair_project
from edgeflow_backend.repair.store import Form
from edgeflow_backend.settings import Settings
from tests import pictures
from tests.e2e.conftest import Studio
from tests.e2e.editor import first_card, open_editor

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.slow]

JSONObject = dict[str, Any]
STATUS_S = 10
"""Within this time the status page must say it."""


def repair(studio: Studio, project: int, form: Form, *, apply: bool) -> str:
    """What a repair says; as the command does it, without a process of its own."""
    settings = Settings(label_studio_url=studio.url, label_studio_api_key=TOKEN)
    lines = list(repair_project(settings, ProjectRef("", str(project)), form, apply=apply))
    assert {line.verdict for line in lines} == {"ok"}
    return "\n".join(line.text for line in lines)


def command(studio: Studio, project: int) -> str:
    """What the command says without --apply."""
    run = subprocess.run(
        [Path(sys.executable).with_name("edgeflow-backend"), "repair", "--project", str(project)],
        env={**os.environ, "LABEL_STUDIO_URL": studio.url, "LABEL_STUDIO_API_KEY": TOKEN},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return run.stdout


def listed(studio: Studio, project: int) -> list[str]:
    """The tasks that the status page names of a project."""
    status = requests.get(f"{studio.backend_url}/status?format=json", timeout=10).json()
    return next((lost["tasks"] for lost in status["lost"] if lost["project"] == str(project)), [])


def wait_until_listed(studio: Studio, project: int, tasks: set[str]) -> None:
    deadline = time.monotonic() + STATUS_S
    while set(listed(studio, project)) != tasks:
        assert time.monotonic() < deadline, listed(studio, project)
        time.sleep(0.2)


def annotation(studio: Studio, task: int) -> JSONObject:
    (found,) = studio.client.call("GET", f"tasks/{task}/annotations")
    result: JSONObject = found
    return result


def predictions(studio: Studio, task: int) -> list[JSONObject]:
    found: list[JSONObject] = studio.client.call("GET", f"tasks/{task}")["predictions"]
    return found


def test_masks_that_were_submitted_before_the_tick_are_listed_and_restored(
    studio: Studio, chromium: str, artifacts: Path
) -> None:
    project = studio.project("submitted too early", ["astronaut", "astronaut"])["id"]
    first, second = (task["id"] for task in studio.client.tasks(project))
    with open_editor(chromium, studio.url) as editor:
        editor.open(project, first)
        for x, y, keys in ((0.45, 0.6, []), (0.43, 0.2, []), (0.85, 0.4, ["Alt"])):
            three_clicks = editor.click(x, y, keys=keys)["data"]["result"]
        editor.submit()
        wait_until_listed(studio, project, {str(first)})

        editor.open(project, second)
        accepted = editor.click(0.9, 0.3)["data"]["result"]
        editor.accept()
        one_click = editor.click(0.45, 0.6)["data"]["result"]
        editor.submit()
        wait_until_listed(studio, project, {str(first), str(second)})
        editor.page.goto(f"{studio.backend_url}/status")
        editor.screenshot(artifacts / "status-lost-masks.png")
        pictures.keep(pictures.LOST, first_card(editor.page, "Submitted before the mask"))
        text = editor.page.inner_text("body")
        assert f"2 annotations hold points but no mask: tasks {second}, {first}" in text
        assert f"edgeflow-backend repair --project {project}" in text

        submitted = [annotation(studio, task) for task in (first, second)]
        said = command(studio, project)
        assert f"task {first}, annotation {submitted[0]['id']}: 3 clicks (1 negative) for " in said
        assert f"task {second}, annotation {submitted[1]['id']}: 1 click for a mask in " in said
        assert "2 masks would be stored as predictions" in said
        assert [annotation(studio, task) for task in (first, second)] == submitted
        assert predictions(studio, first) == predictions(studio, second) == []

        said = repair(studio, project, "predictions", apply=True)
        assert "2 masks stored as predictions" in said
        for task, shown in ((first, three_clicks), (second, one_click)):
            (stored,) = predictions(studio, task)
            assert masks(stored) == masks({"result": shown})  # bit for bit
        assert [annotation(studio, task) for task in (first, second)] == submitted

        said = repair(studio, project, "annotations", apply=True)
        assert "2 masks stored as annotations" in said
        assert masks(annotation(studio, first)) == masks({"result": three_clicks})
        assert masks(annotation(studio, second)) == masks({"result": [*accepted, *one_click]})
        wait_until_listed(studio, project, set())
        editor.open(project, second)
        assert editor.ids() == [accepted[0]["id"], one_click[0]["id"]]
        assert editor.count("regions") == 2  # the point is gone
        editor.screenshot(artifacts / "editor-repaired.png")


def masks(holder: JSONObject) -> list[tuple[str, str, JSONObject]]:
    """All that a holder's regions are, without what Label Studio adds."""
    return [(region["id"], region["from_name"], region["value"]) for region in holder["result"]]
