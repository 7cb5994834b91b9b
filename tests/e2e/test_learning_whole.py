"""From labels to the next click in a real Label Studio, by a real training and the real gate."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import requests

from edgeflow.arrays import BoolMask
from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, find
from edgeflow.data.base import Sample
from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow.label_studio.region_values import PolygonOptions, brush_values
from edgeflow.learning.split import is_held_out
from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.connect.command import run as connect
from edgeflow_backend.learning.training.record import TrainingRecord, read_record
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.versions.folders import project_folder, versions_of
from tests import pictures
from tests.contract.wire import JSONObject
from tests.e2e.conftest import Studio
from tests.e2e.editor import first_card, open_editor
from tests.e2e.learning_team import Team

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SIDE = 160
SIZE = Size(SIDE, SIDE)
OBJECTS = 3
LESSONS, HELD_OUT, FOLLOWING = 7, 4, 2
"""Tasks that are labelled, with so many objects in all that a first training is due; and more."""

EARLIER = 3 if pictures.wanted() else 0
"""More tasks, whose objects are accepted after one click, for a picture of the status page."""

MINUTES = "6"
"""Bounds what a busy machine makes long; two steps for each object are done much sooner."""

PATIENCE_S = 1800
"""For the training, which gets what everything else leaves of the machine."""


def dotted(seed: int) -> Sample:
    """Patches of dots on a plain ground: to a network that has seen photographs, many objects."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[:SIDE, :SIDE]
    dots = (cols % 9 - 4) ** 2 + (rows % 9 - 4) ** 2 <= 5
    rgb, objects = np.full((SIDE, SIDE, 3), 150.0), []
    for row, col in ((42, 42), (42, 118), (118, 80)):
        mask = np.zeros((SIDE, SIDE), dtype=np.uint8)
        centre = (col + int(rng.integers(-6, 7)), row + int(rng.integers(-6, 7)))
        axes = (int(rng.integers(20, 27)), int(rng.integers(14, 20)))
        cv2.ellipse(mask, centre, axes, float(rng.integers(180)), 0, 360, 1, -1)
        objects.append(mask.astype(np.bool_))
        rgb[dots & objects[-1]] = (40, 60, 180)
    rgb += rng.normal(0, 8, rgb.shape)
    return Sample(f"dots {seed}", rgb.clip(0, 255).astype(np.uint8), tuple(objects))


def write(sample: Sample, folder: Path) -> Path:
    path = folder / f"{sample.name.replace(' ', '-')}.png"
    assert cv2.imwrite(str(path), sample.rgb[..., ::-1])
    return path


def drawn(mask: BoolMask, number: int) -> JSONObject:
    """A region as an annotator paints it."""
    (value,) = brush_values(MaskPatch.of(mask), PolygonOptions())
    return {
        "id": f"r{number}", "type": "brushlabels", "from_name": "mask", "to_name": "image",
        "original_width": SIDE, "original_height": SIDE, "image_rotation": 0,
        "value": {**value, "brushlabels": ["Object"]},
    }  # fmt: skip


def inside(mask: BoolMask) -> tuple[float, float]:
    """The middle of a mask, percent."""
    rows, cols = np.nonzero(mask)
    return (float(cols.mean()) / SIDE * 100, float(rows.mean()) / SIDE * 100)


def overlap(region: JSONObject, truth: BoolMask) -> float:
    mask = decode_brush(bytes(region["value"]["rle"]), SIZE) > 127
    return float((mask & truth).sum() / (mask | truth).sum())


def trained(folder: Path) -> TrainingRecord:
    """The record of the first training, once it has ended."""
    deadline = time.monotonic() + PATIENCE_S
    while (record := read_record(folder)) is None or record.state == "running":
        assert time.monotonic() < deadline, record
        time.sleep(1)
    return record


def take_picture(
    team: Team, url: str, chromium: str, tasks: Sequence[tuple[int, Sequence[JSONObject]]]
) -> None:
    """Submit what was clicked, in this order, and keep what the status page says then."""
    objects = len(team.files.store.objects()) + sum(len(regions) for _, regions in tasks)
    for task, regions in tasks:
        team.submit(task, *regions)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        status = requests.get(f"{team.url}/status?format=json", timeout=10).json()
        if status["learning"][0]["objects"] == objects:
            break
        assert time.monotonic() < deadline, status["learning"]
        time.sleep(1)
    with open_editor(chromium, url) as editor:
        editor.page.goto(f"{team.url}/status")
        pictures.keep(pictures.LEARNT, first_card(editor.page, "Clicks per accepted object"))


def test_what_a_team_labels_answers_its_next_clicks(
    studio: Studio, chromium: str, tmp_path: Path
) -> None:
    team = Team(studio, tmp_path, EDGEFLOW_LEARN_MINUTES=MINUTES)
    ref = ProjectRef("", str(team.project))
    folder = project_folder(team.settings, ref)
    shown: dict[int, Sample] = {}
    lessons: list[int] = []
    held_out: list[int] = []
    while len(lessons) < LESSONS + FOLLOWING + EARLIER or len(held_out) < HELD_OUT:
        sample = dotted(len(shown))
        task = team.show(write(sample, tmp_path))[-1]
        (held_out if is_held_out(task) else lessons).append(task)
        shown[task] = sample
    labelled = [*lessons[:LESSONS], *held_out[:HELD_OUT]]
    following = lessons[LESSONS:][:FOLLOWING]
    earlier = lessons[LESSONS + FOLLOWING :][:EARLIER]
    base = find(DEFAULT_MODEL)

    with team.backend():
        findings = list(connect(team.settings, team.project, url=team.url))
        assert {each.verdict for each in findings} == {"ok"}, findings
        places = [(task, shown[task].objects[0]) for task in following]
        before = [team.click(task, inside(truth), size=SIZE) for task, truth in places]
        models = {region["meta"]["edgeflow"]["model"] for region in before}
        assert models == {base.version}, models

        def clicked(tasks: Sequence[int]) -> list[tuple[int, list[JSONObject]]]:
            return [
                (
                    task,
                    [team.click(task, inside(truth), size=SIZE) for truth in shown[task].objects],
                )
                for task in tasks
            ]

        by_base = clicked(earlier)

        claims = {"project": {"id": team.project}, "annotations": [{"id": 1}] * 99}

        def send(action: str) -> int:
            event = {"action": action, **claims}
            return requests.post(f"{team.url}/webhook", json=event, timeout=10).status_code

        assert send("ANNOTATION_CREATED") == 403  # by somebody who does not know the secret

        for task in labelled:
            regions = [drawn(mask, number) for number, mask in enumerate(shown[task].objects)]
            team.submit(task, *regions)
        record = trained(folder)
        assert (record.state, record.version) == ("accepted", 1), record

        status = requests.get(f"{team.url}/status?format=json", timeout=10).json()
        (version,) = status["learning"][0]["versions"]
        assert version["state"] == "served"
        measured, _ = version["measured"]
        assert all(each["after"] < each["before"] for each in measured["clicks"])

        # It answers images like those that it has learnt from; not each need be found to be one.
        deadline = time.monotonic() + PATIENCE_S
        gains: list[float] = []
        while not gains:
            assert time.monotonic() < deadline
            after = [team.click(task, inside(truth), size=SIZE) for task, truth in places]
            gains = [
                overlap(new, truth) - overlap(old, truth)
                for new, old, (_, truth) in zip(after, before, places, strict=True)
                if new["meta"]["edgeflow"]["model"] == version["name"]
            ]
        assert sum(gains) > 0, gains
        (connected,) = team.client.call("GET", "ml", params={"project": team.project})
        assert connected["model_version"] == version["name"]
        assert send("ANNOTATIONS_DELETED") == 403
        assert len(team.files.store.objects()) == len(labelled) * OBJECTS
        assert [each.state for each in versions_of(team.settings, ref).all()] == ["served"]

        if pictures.wanted():
            take_picture(team, studio.url, chromium, [*by_base, *clicked(following)])
