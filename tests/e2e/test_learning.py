"""What is kept of a project follows its annotations in a real Label Studio, and nothing else."""

from __future__ import annotations

import hashlib
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import requests

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, find
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow_backend.connect.command import run as connect
from edgeflow_backend.label_studio.connection import SECRET_HEADER
from edgeflow_backend.protocol.config_check import RECOMMENDED
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.versions.folders import versions_of
from tests.contract.wire import JSONObject
from tests.e2e.conftest import PHOTOS, Studio
from tests.e2e.learning_team import COINS, SECRET, Team

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

IMAGES = (PHOTOS / "coins.jpg", PHOTOS / "coffee.jpg")


def test_the_store_follows_what_annotators_do_whatever_events_claim(
    studio: Studio, tmp_path: Path
) -> None:
    team = Team(studio, tmp_path)
    labelled, skipped = team.show(*IMAGES)
    with team.backend() as backend:
        findings = list(connect(team.settings, team.project, url=team.url))
        assert {each.verdict for each in findings} == {"ok"}, findings

        # Two clicks are one object; a skipped task is none.
        region = team.click(labelled, (11.5, 17.8), (12.5, 18.5))
        annotation = team.submit(labelled, region)
        team.submit(skipped, was_cancelled=True)
        (only,) = team.wait_for(lambda found: found)
        mask = decode_brush(bytes(region["value"]["rle"]), COINS) > 127
        np.testing.assert_array_equal(only.mask.mask(), mask)
        assert [(round(x, 1), round(y, 1), yes) for x, y, yes in only.clicks] == [
            (11.5, 17.8, True), (12.5, 18.5, True),
        ]  # fmt: skip
        photo = (PHOTOS / "coins.jpg").read_bytes()
        assert only.picture == hashlib.sha256(photo).hexdigest()
        assert team.files.cache.get(only.picture) == photo
        assert (only.origin.task, only.origin.annotation) == (labelled, annotation)
        assert only.origin.annotator == 1
        assert (only.label, only.edited, only.start) == ("Object", False, "clicks")

        # A changed annotation is the one that counts.
        other = team.click(labelled, (40.4, 16.5))
        changes = {"result": [region, other]}
        team.client.call("PATCH", f"annotations/{annotation}/", json=changes)
        before = team.wait_for(lambda found: len(found) == 2)
        assert [len(each.clicks) for each in before] == [2, 1]

        # Whoever sends events without the secret is refused, and with it changes nothing.
        forged = {
            "action": "ANNOTATION_CREATED",
            "annotation": {"id": 999, "task": labelled, "result": [region] * 9},
            "project": {"id": team.project, "label_config": RECOMMENDED},
        }
        hook = f"{team.url}/webhook"
        assert requests.post(hook, json=forged, timeout=10).status_code == 403
        known = team.files.store.notes()["read_at"]
        headers = {SECRET_HEADER: SECRET}
        assert requests.post(hook, json=forged, headers=headers, timeout=10).status_code == 201
        team.wait_for(lambda _: team.files.store.notes()["read_at"] > known)
        assert team.files.store.objects() == before

        status = requests.get(f"{team.url}/status?format=json", timeout=10).json()
        (entry,) = status["learning"]
        assert (entry["objects"], entry["failed"], entry["effort"][0]["mean"]) == (2, False, 1.5)
        os.kill(backend.process.pid, signal.SIGKILL)

    # Events that nobody hears are made up for, deletions as well as what was imported.
    imported: list[JSONObject] = [{"data": {"image": "/static/none.png"}}]
    imported.append({"data": team.client.call("GET", f"tasks/{labelled}")["data"]})
    team.client.call("DELETE", f"annotations/{annotation}/")
    imported[1] |= {"annotations": [{"result": [region]}]}
    team.client.call("POST", f"projects/{team.project}/import", json=imported)
    with team.backend():
        (moved,) = team.wait_for(lambda found: [each.id for each in found] == [only.id])
        assert moved.origin.task not in (labelled, skipped)
    assert "1 object of" in team.command("status")
    assert "erased" in team.command("forget", "--project", str(team.project))
    assert list((tmp_path / "learning").rglob("*")) == []


def test_the_next_click_is_answered_by_the_version_that_is_served_whatever_events_claim(
    studio: Studio, tmp_path: Path
) -> None:
    team = Team(studio, tmp_path)
    labelled, _ = team.show(*IMAGES)
    ref, base = ProjectRef("", str(team.project)), find(DEFAULT_MODEL)
    project = ("--project", str(team.project))
    with team.backend() as backend:
        findings = list(connect(team.settings, team.project, url=team.url))
        assert {each.verdict for each in findings} == {"ok"}, findings
        first = team.click_until(labelled, base.version)
        team.submit(labelled, team.click(labelled, (40.4, 16.5)))
        team.wait_for(lambda found: found)
        tensors = {name: tensor * 1.05 for name, tensor in base.load().state_dict().items()}
        made = versions_of(team.settings, ref).add(
            tensors, base, objects=1, verdict={}, accepted=True
        )
        name = made.checkpoint.version
        assert team.click_until(labelled, base.version)["value"] == first["value"]

        # Another process has it served; Label Studio's model page says so.
        assert name in team.command("serve", "1", *project)
        learnt = team.click_until(labelled, name)
        assert learnt["value"] != first["value"]
        (connected,) = team.client.call("GET", "ml", params={"project": team.project})
        assert connected["model_version"] == name
        listed = team.client.call("GET", f"ml/{connected['id']}/versions")["versions"]
        assert listed == [base.version, name]

        claims = {"project": {"id": team.project}, "served": None, "annotations": [{"id": 1}]}
        for action, taken in (("START_TRAINING", 201), ("ANNOTATIONS_DELETED", 403)):
            forged = {"action": action, **claims}
            answer = requests.post(f"{team.url}/webhook", json=forged, timeout=10)
            assert answer.status_code == taken, answer.text
        assert team.click_until(labelled, name)["value"] == learnt["value"]
        os.kill(backend.process.pid, signal.SIGKILL)

    with team.backend():
        assert team.click(labelled, (11.5, 17.8))["value"] == learnt["value"]
        assert "withdrawn" in team.command("rollback", *project, "--reason", "odd edges")
        assert team.click_until(labelled, base.version)["value"] == first["value"]
        status = requests.get(f"{team.url}/status?format=json", timeout=10).json()
        (version,) = status["learning"][0]["versions"]
        assert (version["state"], version["reason"]) == ("rolled back", "odd edges")
    assert "odd edges" in team.command("versions", *project)
