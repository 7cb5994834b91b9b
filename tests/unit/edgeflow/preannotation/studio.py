"""As much of a Label Studio as these commands talk to, with faults that a real one has seldom."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from edgeflow.label_studio.config.labels import Label
from edgeflow.label_studio.config.recommended import recommended_config
from tests.unit.edgeflow.label_studio.api.test_client import as_json
from tests.unit.edgeflow_backend.loopback import Host, Received, Reply

PROJECT = 7


class FakeStudio:
    """One project.

    Args:
        host: Serves it.
        config: The labelling config.

    Attributes:
        tasks: As stored; ids are their places, from 1.
        files: Uploaded files, by path.
        refuses: Texts in images' URLs of tasks that are refused.
        broken_after: Imports after which it answers HTTP 500.
        imports: Number of tasks in each import that it took.
    """

    def __init__(self, host: Host, config: str = "", model_version: str = "") -> None:
        self.tasks: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.refuses: tuple[str, ...] = ()
        self.broken_after = 1_000_000
        self.imports: list[int] = []
        self._host = host
        self._project = {
            "id": PROJECT,
            "title": "Pets",
            "label_config": config or recommended_config("Brush", [Label("cat")]),
            "model_version": model_version,
        }
        for path, answer in {
            f"/api/projects/{PROJECT}": lambda *_: as_json(self._project),
            "/api/tasks/": self._page,
            f"/api/projects/{PROJECT}/import": self._import,
            "/api/predictions/": self._predictions,
            "*": self._other,
        }.items():
            host.routes[path] = answer

    def show(self, *urls: str) -> None:
        """Make tasks that show images and hold nothing."""
        self.tasks += [{"data": {"image": url}} for url in urls]

    def results(self, kind: str = "predictions") -> list[int]:
        """How many regions each task's predictions hold."""
        return [sum(len(holder["result"]) for holder in task.get(kind, ())) for task in self.tasks]

    def _page(self, request: Received, _: BaseHTTPRequestHandler) -> Reply:
        query = parse_qs(urlsplit(request.path).query)
        page, size = int(query["page"][0]), int(query["page_size"][0])
        entries = [
            {
                "id": number,
                "data": task["data"],
                "meta": task.get("meta"),
                "total_annotations": len(task.get("annotations", ())),
                "total_predictions": len(task.get("predictions", ())),
            }
            for number, task in enumerate(self.tasks, start=1)
        ][(page - 1) * size : page * size]
        if not entries and page > 1:
            return as_json({"detail": "Invalid page."}, 404)
        return as_json({"tasks": entries})

    def _import(self, request: Received, _: BaseHTTPRequestHandler) -> Reply:
        if "commit_to_project=false" in request.path:
            head, rest = request.body.split(b"\r\n\r\n", 1)
            name = head.partition(b'filename="')[2].partition(b'"')[0].decode()
            if any(text in name for text in self.refuses):
                return as_json({"detail": "file extension is not supported"}, 400)
            number = len(self.files) + 1
            self.files[f"upload/{PROJECT}/{number:08x}-{name}"] = rest.rpartition(b"\r\n--")[0]
            return as_json({"file_upload_ids": [number]}, 201)
        if len(self.imports) >= self.broken_after:
            return as_json({"detail": "database is locked"}, 500)
        tasks = json.loads(request.body)
        refused = [text for task in tasks for text in self.refuses if text in str(task["data"])]
        if refused:
            return as_json({"detail": f"no good: {refused[0]}"}, 400)
        self.tasks += tasks
        self.imports.append(len(tasks))
        return as_json({"task_count": len(tasks)}, 201)

    def _predictions(self, request: Received, _: BaseHTTPRequestHandler) -> Reply:
        if request.method == "GET":
            number = int(parse_qs(urlsplit(request.path).query)["task"][0])
            return as_json(self.tasks[number - 1].get("predictions", []))
        body = json.loads(request.body)
        if any(text in str(body["result"]) for text in self.refuses):
            return as_json({"validation_errors": {"result": ["no good"]}}, 400)
        self.tasks[body["task"] - 1].setdefault("predictions", []).append(body)
        return as_json(body, 201)

    def _other(self, request: Received, _: BaseHTTPRequestHandler) -> Reply:
        path = urlsplit(request.path).path
        parts = path.strip("/").split("/")
        if parts[:3] == ["api", "import", "file-upload"]:
            return as_json({"id": int(parts[3]), "file": list(self.files)[int(parts[3]) - 1]})
        if parts[:2] == ["api", "tasks"] and parts[3:] == ["annotations"]:
            task = self.tasks[int(parts[2]) - 1]
            task.setdefault("annotations", []).append(json.loads(request.body))
            return as_json({}, 201)
        if parts[:2] == ["api", "tasks"] and len(parts) == 3:
            return as_json({"id": int(parts[2]), **self.tasks[int(parts[2]) - 1]})
        if (data := self.files.get(path.removeprefix("/data/"))) is not None:
            return Reply(200, data)
        return as_json({"detail": "Not found."}, 404)
