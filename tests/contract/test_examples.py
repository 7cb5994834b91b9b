"""Examples outlive a killed backend, and an event has them read."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import requests

from demo.label_studio import Service, free_port, start_backend
from tests.contract.wire import JSONObject
from tests.unit.edgeflow_backend.examples.studio import (
    CONFIG,
    PROJECT,
    TOKEN,
    Studio,
    region,
    sheet,
)
from tests.unit.edgeflow_backend.loopback import serve

PATIENCE_S = 30


def start(studio: Studio, folder: Path) -> Service:
    settings = {
        "LABEL_STUDIO_URL": studio.host.url,
        "LABEL_STUDIO_API_KEY": TOKEN,
        "EDGEFLOW_PREANNOTATE_SIMILAR": "true",
        "EDGEFLOW_SIMILAR_SECONDS": "30",
        "EDGEFLOW_EXAMPLES_DIR": str(folder / "examples"),
    }
    command = Path(sys.executable).with_name("edgeflow-backend")
    return start_backend(command, free_port(), folder / "backend.log", settings)


def said(url: str) -> dict[str, str]:
    """What the status page says was done without a click."""
    status = requests.get(f"{url}/status?format=json", timeout=10).json()
    return {call["kind"]: call["message"] for call in status["calls"]}


def test_what_an_event_made_the_backend_read_is_known_after_it_was_killed(tmp_path: Path) -> None:
    with serve() as host:
        studio = Studio(host)
        studio.add(sheet(), region(0))
        other = studio.add(sheet(1, disks=3))
        with start(studio, tmp_path) as backend:
            backend.wait(60)
            url = backend.health.removesuffix("/health")
            event = {"action": "ANNOTATION_CREATED", "project": {"id": PROJECT}}
            assert requests.post(f"{url}/webhook", json=event, timeout=1).status_code == 201
            deadline = time.monotonic() + PATIENCE_S
            while said(url).get("examples") != "1 example of 1 label":
                assert time.monotonic() < deadline, said(url)
                time.sleep(0.1)
            backend.process.kill()
        with start(studio, tmp_path) as backend:
            backend.wait(60)
            url = backend.health.removesuffix("/health")
            tasks = [{key: value for key, value in other.items() if key != "drafts"}]
            body: JSONObject = {
                "tasks": tasks,
                "project": f"{PROJECT}.1795414578",
                "label_config": CONFIG,
                "params": {"context": None},
            }
            answer = requests.post(f"{url}/predict", json=body, timeout=100).json()
            (prediction,) = answer["results"][0]
            assert len(prediction["result"]) == 3
            assert len(studio.asked("/annotations/")) == 1
            assert said(url)["predictions"] == "1 of 1 tasks got a prediction"
