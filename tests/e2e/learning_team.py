"""A project whose accepted objects are kept, with the backend that keeps them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from demo.label_studio import TOKEN, Service, free_port, start_backend
from edgeflow.geometry import Size
from edgeflow.learning.accepted import AcceptedObject
from edgeflow_backend.learning.pictures import Pictures
from edgeflow_backend.learning.shelf import Shelf
from edgeflow_backend.protocol.config_check import RECOMMENDED
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.settings import Settings
from tests.contract.wire import JSONObject, keypoint
from tests.e2e.conftest import Studio

SECRET = "a secret of 24 letters.."
COINS = Size(303, 384)
PATIENCE_S = 120


class Team:
    """A project, a backend that keeps what is accepted in it, and what is on the backend's disk."""

    def __init__(self, studio: Studio, folder: Path, **environment: str) -> None:
        self.client, self._folder = studio.client, folder
        self.project: int = studio.client.create_project("learning", RECOMMENDED)["id"]
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._environment = {
            "LABEL_STUDIO_URL": studio.url,
            "LABEL_STUDIO_API_KEY": TOKEN,
            "EDGEFLOW_LEARN_PROJECTS": str(self.project),
            "EDGEFLOW_LEARN_DIR": str(folder / "learning"),
            "EDGEFLOW_LEARN_EVERY_S": "3600",  # so events alone bring what is new
            "EDGEFLOW_WEBHOOK_SECRET": SECRET,
            **environment,
        }
        self.settings = Settings(
            label_studio_url=studio.url,
            label_studio_api_key=TOKEN,
            learn_projects=str(self.project),
            learn_dir=str(folder / "learning"),
            webhook_secret=SECRET,
        )
        shelf = Shelf(self.settings, Pictures(self.settings))
        self.files = shelf.files(ProjectRef("", str(self.project)))

    def show(self, *images: Path) -> list[int]:
        """Make a task of each image; returns all tasks of the project."""
        self.client.import_images(self.project, images)
        return [int(task["id"]) for task in self.client.tasks(self.project)]

    @contextlib.contextmanager
    def backend(self) -> Iterator[Service]:
        command = Path(sys.executable).with_name("edgeflow-backend")
        log = self._folder / "backend.log"
        with start_backend(command, self._port, log, self._environment) as backend:
            backend.wait(120)
            yield backend

    def click(self, task: int, *places: tuple[float, float], size: Size = COINS) -> JSONObject:
        """The region that an annotator is shown after these clicks, in percent of the image."""
        (backend,) = self.client.call("GET", "ml", params={"project": self.project})
        clicks = [
            keypoint(x, y, original_width=size.width, original_height=size.height)
            for x, y in places
        ]
        body = {"task": task, "context": {"result": clicks}}
        path = f"ml/{backend['id']}/interactive-annotating"
        (region,) = self.client.call("POST", path, json=body)["data"]["result"]
        return dict(region)

    def submit(self, task: int, *regions: JSONObject, **more: Any) -> int:
        body = {"result": list(regions), **more}
        annotation = self.client.call("POST", f"tasks/{task}/annotations/", json=body)
        return int(annotation["id"])

    def click_until(self, task: int, model: str) -> JSONObject:
        """The region of a click, once this version of the model answers."""
        deadline = time.monotonic() + PATIENCE_S
        while (region := self.click(task, (11.5, 17.8)))["meta"]["edgeflow"]["model"] != model:
            assert time.monotonic() < deadline, region["meta"]
            time.sleep(0.2)
        return region

    def wait_for(self, holds: Callable[[list[AcceptedObject]], object]) -> list[AcceptedObject]:
        deadline = time.monotonic() + PATIENCE_S
        while not holds(found := self.files.store.objects()):
            assert time.monotonic() < deadline, found
            time.sleep(0.2)
        return found

    def command(self, *words: str) -> str:
        command = Path(sys.executable).with_name("edgeflow-backend")
        environment = {**os.environ, **self._environment}
        done = subprocess.run(
            [command, "learn", *words],
            env=environment, capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        return done.stdout
