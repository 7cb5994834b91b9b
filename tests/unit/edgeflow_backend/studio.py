"""A Label Studio with one project, as far as connecting a backend concerns it."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from edgeflow_backend.protocol.config_check import RECOMMENDED
from tests.unit.edgeflow_backend.loopback import Host, Received, Reply

LEGACY = "0123456789abcdef0123456789abcdef01234567"
PROJECT = 5
VERSION = "edgeflow_lite-12345678"
BLOCKED = "URL resolves to a reserved network address (block: 127.0.0.0/8)"

EVENTS = {"ANNOTATION_CREATED", "ANNOTATION_UPDATED", "TASKS_CREATED", "TASKS_DELETED"}

Row = dict[str, Any]


def as_json(body: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


class Studio:
    """Answers like Label Studio 1.23.2.

    Attributes:
        host: The server.
        backends: Rows of ML backends.
        webhooks: Rows of webhooks.
        projects: The projects.
        guards_backends: Whether ML_BLOCK_LOCAL_IP refuses every URL.
        lets_webhooks_be_made: Whether the token's owner may make them.
        guards_webhooks: Whether SSRF_PROTECTION_ENABLED refuses every URL.
        unreached: Label Studio's words for getting no answer from a backend; empty for an answer.
        password: What a backend wants as ``user:password``; empty for nothing.
    """

    def __init__(self, host: Host) -> None:
        self.host = host
        self.backends: list[Row] = []
        self.webhooks: list[Row] = []
        self.projects: list[Row] = []
        self.guards_backends = self.guards_webhooks = False
        self.lets_webhooks_be_made = True
        self.unreached = self.password = ""
        self.uploads_fail = False
        self.add_project("Cats", PROJECT)
        host.routes["*"] = self._answer

    def add_project(self, title: str, number: int) -> Row:
        row = {
            "id": number,
            "title": title,
            "label_config": RECOMMENDED,
            "maximum_annotations": 1,
        }
        self.projects.append(row)
        return row

    def add_backend(self, url: str, **changes: Any) -> Row:
        row: Row = {
            "id": len(self.backends) + 1,
            "url": url,
            "title": "default",
            "is_interactive": True,
            "state": "CO",
            "error_message": None,
            "model_version": VERSION,
            "auth_method": "NONE",
            "basic_auth_user": "",
            **changes,
        }
        self.backends.append(row)
        return row

    def add_webhook(self, url: str, **changes: Any) -> Row:
        row: Row = {
            "id": len(self.webhooks) + 1,
            "url": url,
            "headers": {},
            "is_active": True,
            "send_payload": True,
            "send_for_all_actions": True,
            "actions": [],
            **changes,
        }
        self.webhooks.append(row)
        return row

    def writes(self) -> list[tuple[str, str]]:
        """Method and path of each request that may change something."""
        return [
            (each.method, each.path)
            for each in self.host.received
            if each.method != "GET" and b"NO_SUCH_EVENT" not in each.body
        ]

    def _answer(self, request: Received, __: BaseHTTPRequestHandler) -> Reply:
        path = urlsplit(request.path).path.rstrip("/")
        if path == "/api/version":
            return as_json({"release": "1.23.2"})
        if request.headers.get("authorization") != f"Token {LEGACY}":
            return as_json({"detail": "Invalid token."}, 401)
        room, _, rest = path.removeprefix("/api/").partition("/")
        answers = {"ml": self._ml, "webhooks": self._webhook, "projects": self._project}
        answer = answers.get(room)
        return answer(request, rest) if answer else as_json({"id": 1, "email": "anna@example.com"})

    def _project(self, request: Received, rest: str) -> Reply:
        if rest.endswith("import"):
            return as_json({"detail": "disk full"}, 500) if self.uploads_fail else as_json({}, 201)
        if request.method == "POST":
            title = json.loads(request.body)["title"]
            return as_json(self.add_project(title, 40 + len(self.projects)), 201)
        if not rest:
            return as_json({"results": self.projects if "page=1&" in request.path else []})
        found = [row for row in self.projects if str(row["id"]) == rest]
        if request.method == "DELETE":
            self.projects.remove(found[0])
        return as_json(found[0]) if found else as_json({"detail": "No Project matches."}, 404)

    def _ml(self, request: Received, rest: str) -> Reply:
        if rest.endswith("versions"):
            failed = as_json({"error": self.unreached}, 500)
            return failed if self.unreached else as_json({"versions": [VERSION]})
        if request.method == "GET":
            return as_json(self.backends)
        return self._write_backend(rest, json.loads(request.body))

    def _write_backend(self, rest: str, body: Row) -> Reply:
        if self.guards_backends:
            return as_json({"detail": BLOCKED}, 403)
        login = f"{body.get('basic_auth_user', '')}:{body.pop('basic_auth_pass', '')}"
        if self.unreached or login not in (":", self.password):
            why = self.unreached or "it doesn't look like a valid ML backend. Reason: 401"
            errors = {"non_field_errors": [why]}
            return as_json({"detail": "Validation error", "validation_errors": errors}, 400)
        if rest:
            row = next(row for row in self.backends if str(row["id"]) == rest)
            row.update({**body, "state": "CO"})
            return as_json(row)
        row = self.add_backend(**body)
        if self.guards_webhooks:
            return as_json({"detail": BLOCKED}, 403)
        if not any(hook["url"] == f"{row['url']}/webhook" for hook in self.webhooks):
            self.add_webhook(f"{row['url']}/webhook")
        return as_json(row, 201)

    def _webhook(self, request: Received, rest: str) -> Reply:
        if request.method == "GET":
            return as_json(self.webhooks)
        if self.guards_webhooks:
            return as_json({"detail": BLOCKED}, 403)
        body = json.loads(request.body)
        if not self.lets_webhooks_be_made:
            return as_json({"detail": "You do not have permission."}, 403)
        if unknown := set(body.get("actions", ())) - EVENTS:
            errors = {"actions": {"0": [f'"{unknown.pop()}" is not a valid choice.']}}
            return as_json({"detail": "Validation error", "validation_errors": errors}, 400)
        if rest:
            row = next(row for row in self.webhooks if str(row["id"]) == rest)
            row.update({"actions": [], **body})
            return as_json(row)
        return as_json(self.add_webhook(**body), 201)
