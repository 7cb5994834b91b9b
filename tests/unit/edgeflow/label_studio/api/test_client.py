from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.credentials import Credentials
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.api.records import MLBackend, Project, Webhook
from edgeflow.label_studio.api.transport import PlainTransport
from tests.unit.edgeflow_backend.loopback import Host, Received, Reply

LEGACY = "0123456789abcdef0123456789abcdef01234567"
PERSONAL = "eyJhbGciOiJI.eyJ0b2tlbl90.c2lnbmF0dXJl"


def as_json(body: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def connect(host: Host, token: str = LEGACY) -> LabelStudioAPI:
    transport = PlainTransport(host.url, timeout=(1.0, 1.0))
    return LabelStudioAPI(transport, Credentials(transport, token))


def refusal(call: Callable[[], Any]) -> LabelStudioError:
    """The error of a call; checked to hold a way out and no token."""
    with pytest.raises(LabelStudioError) as caught:
        call()
    assert caught.value.hint
    whole = "".join(traceback.format_exception(caught.value))
    for secret in (LEGACY, PERSONAL, "access-"):
        assert secret not in whole + caught.value.hint
    return caught.value


def paged(count: int, key: str) -> Callable[[Received, BaseHTTPRequestHandler], Reply]:
    """A list as Label Studio pages it: a page behind the last is a 404."""

    def answer(request: Received, _: BaseHTTPRequestHandler) -> Reply:
        query = parse_qs(urlsplit(request.path).query)
        page, size = int(query["page"][0]), int(query["page_size"][0])
        entries = [{"id": i} for i in range(count)][(page - 1) * size : page * size]
        if not entries and page > 1:
            return as_json({"detail": "Invalid page."}, 404)
        return as_json({key: entries, "total": count})

    return answer


class TestCalls:
    def test_the_token_goes_with_each_request(self, host: Host) -> None:
        host.routes["/api/x"] = as_json({"a": 1})
        api = connect(host)
        assert api.get("/api/x", {"q": "two words"}) == {"a": 1}
        assert api.post("/api/x", {"b": 2}) == {"a": 1}
        assert api.patch("/api/x", {"c": 3}) == {"a": 1}
        api.delete("/api/x")
        assert [each.method for each in host.received] == ["GET", "POST", "PATCH", "DELETE"]
        assert host.received[0].path == "/api/x?q=two+words"
        assert [each.body for each in host.received[1:3]] == [b'{"b": 2}', b'{"c": 3}']
        assert {each.headers["authorization"] for each in host.received} == {f"Token {LEGACY}"}

    def test_a_token_that_has_expired_is_renewed_once(self, host: Host) -> None:
        host.routes["/api/token/refresh/"] = lambda _, __: as_json(
            {"access": f"access-{len(host.asked('/api/token/refresh/'))}"}
        )

        def fresh_only(request: Received, _: BaseHTTPRequestHandler) -> Reply:
            fresh = request.headers["authorization"] == "Bearer access-2"
            return as_json({"a": 1}) if fresh else as_json({"detail": "expired"}, 401)

        host.routes["/api/x"] = fresh_only
        assert connect(host, PERSONAL).get("/api/x") == {"a": 1}
        assert len(host.asked("/api/x")) == 2

    def test_a_token_that_is_refused_twice_is_told(self, host: Host) -> None:
        host.routes["/api/x"] = as_json({"detail": "Invalid token."}, 401)
        error = refusal(lambda: connect(host).get("/api/x"))
        assert error.status == 401
        assert error.message == "Label Studio answers HTTP 401 to GET /api/x: Invalid token."
        assert "LABEL_STUDIO_API_KEY" in error.hint
        assert len(host.received) == 2

    @pytest.mark.parametrize("status", [400, 403, 404, 418, 500, 503])
    def test_an_http_error_is_told_and_not_repeated(self, host: Host, status: int) -> None:
        host.routes["*"] = Reply(status, b"<html>Uh oh</html>")
        error = refusal(lambda: connect(host).get("/api/x", {"q": "private"}))
        assert error.status == status
        assert error.message == f"Label Studio answers HTTP {status} to GET /api/x"
        assert len(host.received) == 1

    def test_what_label_studio_does_not_accept_is_told_in_its_words(self, host: Host) -> None:
        why = "Can't connect to http://anna:secret@host:9, <a href='x'>Learn more</a>"
        body = {"detail": "Validation error", "validation_errors": {"non_field_errors": [why]}}
        host.routes["*"] = as_json(body, 400)
        error = refusal(lambda: connect(host).post("/api/ml", {}))
        assert error.message.endswith(": Can't connect to http://host:9, Learn more")
        host.routes["*"] = as_json({**body, "validation_errors": {"title": ["Too short."]}}, 400)
        assert refusal(lambda: connect(host).get("/x")).message.endswith(": title: Too short.")
        host.routes["*"] = as_json({"detail": "x" * 10_000}, 400)
        assert len(refusal(lambda: connect(host).get("/x")).message) < 400

    @pytest.mark.parametrize("body", [b"<html>", b"\xff", b"5", b'"text"', b"[5]", b"null"])
    def test_an_answer_of_another_kind_is_told(self, host: Host, body: bytes) -> None:
        host.routes["*"] = Reply(200, body)
        api = connect(host)
        for call in (
            api.whoami,
            api.release,
            lambda: api.project(1),
            lambda: list(api.tasks(1)),
            lambda: api.webhooks(1) if body != b"[]" else None,
            lambda: api.ml_backends(1),
        ):
            assert "LABEL_STUDIO_URL" in refusal(call).hint

    def test_an_empty_answer_is_none(self, host: Host) -> None:
        host.routes["*"] = Reply(204)
        assert connect(host).post("/api/x", {}) is None

    @pytest.mark.parametrize("path", ["api/x", "@evil.example/", "http://evil.example/", ""])
    def test_a_token_goes_to_paths_of_label_studio_only(self, host: Host, path: str) -> None:
        with pytest.raises(ValueError, match="not a path"):
            connect(host).get(path)
        assert host.received == []


class TestPages:
    @pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
    def test_every_entry_comes_once(self, host: Host, count: int) -> None:
        host.routes["/api/projects"] = paged(count, "results")
        found = [entry["id"] for entry in connect(host).pages("/api/projects", size=2)]
        assert found == list(range(count))

    def test_a_page_is_fetched_when_it_is_needed(self, host: Host) -> None:
        host.routes["/api/tasks/"] = paged(100, "tasks")
        tasks = connect(host).tasks(7, size=2)
        assert host.received == []
        assert [next(tasks)["id"] for _ in range(3)] == [0, 1, 2]
        assert len(host.received) == 2
        query = parse_qs(urlsplit(host.received[0].path).query)
        assert query == {"project": ["7"], "fields": ["all"], "page": ["1"], "page_size": ["2"]}

    def test_a_list_that_is_not_there_is_told(self, host: Host) -> None:
        host.routes["*"] = as_json({"detail": "No Project matches the given query."}, 404)
        assert refusal(lambda: list(connect(host).tasks(7))).status == 404


class TestEndpoints:
    def test_the_release_is_asked_without_the_token(self, host: Host) -> None:
        host.routes["/api/version"] = as_json({"release": "1.23.2"})
        assert connect(host).release() == "1.23.2"
        assert "authorization" not in host.received[0].headers

    def test_a_project_is_read(self, host: Host) -> None:
        body = {"id": 5, "title": "Cats", "label_config": "<View/>", "maximum_annotations": 2}
        host.routes["/api/projects/5"] = as_json(body)
        assert connect(host).project(5) == Project(5, "Cats", "<View/>", 2)
        host.routes["/api/projects/5"] = as_json({"id": 5, "label_config": None})
        assert connect(host).project(5) == Project(5, "", "", None)

    def test_ml_backends_come_in_the_order_in_which_they_are_asked(self, host: Host) -> None:
        row = {
            "id": 2, "url": "http://b:9090", "title": "EdgeFlow", "is_interactive": True,
            "state": "ER", "error_message": "no", "model_version": None, "basic_auth_user": "",
        }  # fmt: skip
        host.routes["/api/ml"] = as_json([row, {**row, "id": 1}])
        second = MLBackend(2, "http://b:9090", "EdgeFlow", True, "ER", "no", "", "")
        assert [backend.id for backend in connect(host).ml_backends(5)] == [2, 1]
        assert connect(host).ml_backends(5)[0] == second
        assert host.received[0].path == "/api/ml?project=5"

    def test_ml_backends_are_made_changed_and_asked(self, host: Host) -> None:
        host.routes["*"] = as_json({"id": 3, "url": "http://b:9090"}, 201)
        api = connect(host)
        assert api.create_ml_backend(5, {"url": "http://b:9090"}).id == 3
        assert api.update_ml_backend(3, {"is_interactive": True}).url == "http://b:9090"
        assert api.interactive(3, 8, {"result": []})["id"] == 3
        assert [(each.method, each.path, json.loads(each.body)) for each in host.received] == [
            ("POST", "/api/ml", {"project": 5, "url": "http://b:9090"}),
            ("PATCH", "/api/ml/3", {"is_interactive": True}),
            ("POST", "/api/ml/3/interactive-annotating", {"task": 8, "context": {"result": []}}),
        ]

    def test_a_backend_that_gives_label_studio_no_answer_is_told(self, host: Host) -> None:
        why = "401 Client Error: UNAUTHORIZED for url: http://b:9090/versions"
        host.routes["/api/ml/3/versions"] = as_json({"error": why}, 401)
        error = refusal(lambda: connect(host).ask_ml_backend(3))
        assert (error.status, error.detail) == (401, why)
        assert len(host.received) == 1, "the token is not to blame"
        host.routes["/api/ml/3/versions"] = as_json({"versions": ["v1"]})
        connect(host).ask_ml_backend(3)

    def test_projects_are_listed_made_and_filled(self, host: Host) -> None:
        host.routes["/api/projects"] = paged(101, "results")
        assert [project.id for project in connect(host).projects()] == list(range(101))
        host.routes["*"] = host.routes["/api/projects"] = as_json({"id": 7, "title": "Cats"}, 201)
        assert connect(host).create_project({"title": "Cats"}).id == 7
        connect(host).upload(7, {"a.jpg": b"one", "b.jpg": b"two"})
        upload = host.received[-1]
        assert upload.path == "/api/projects/7/import"
        assert upload.headers["content-type"].startswith("multipart/form-data")
        assert b'filename="a.jpg"\r\n\r\none\r\n' in upload.body
        assert b'filename="b.jpg"\r\n\r\ntwo\r\n' in upload.body

    def test_webhooks_are_listed_made_and_changed(self, host: Host) -> None:
        row = {
            "id": 4, "url": "http://b/webhook", "headers": {"A": "b"}, "is_active": True,
            "send_payload": True, "send_for_all_actions": False, "actions": ["TASKS_CREATED"],
        }  # fmt: skip
        whole = Webhook(4, "http://b/webhook", {"A": "b"}, True, True, False, ("TASKS_CREATED",))
        host.routes["/api/webhooks/"] = as_json([row])
        assert connect(host).webhooks(5) == [whole]
        host.routes["*"] = host.routes["/api/webhooks/"] = as_json(row)
        assert connect(host).create_webhook(5, {"url": "http://b/webhook"}) == whole
        assert connect(host).update_webhook(4, {"headers": {}}) == whole
        assert [each.path for each in host.received] == [
            "/api/webhooks/?project=5", "/api/webhooks/", "/api/webhooks/4/",
        ]  # fmt: skip

    def test_where_events_may_go_is_tried_with_one_that_does_not_exist(self, host: Host) -> None:
        host.routes["*"] = as_json({"detail": "Validation error"}, 400)
        connect(host).check_event_url(5, "http://b/webhook")
        (tried,) = host.received
        sent = json.loads(tried.body)
        assert (sent["url"], sent["project"]) == ("http://b/webhook", 5)
        assert sent["is_active"] is False  # should a Label Studio take it
        host.routes["*"] = as_json({"detail": "URL resolves to a reserved network address"}, 403)
        error = refusal(lambda: connect(host).check_event_url(5, "http://b/webhook"))
        assert "reserved network" in error.detail

    def test_annotations_are_read_and_changed_and_predictions_stored(self, host: Host) -> None:
        host.routes["*"] = as_json({"id": 9, "result": []})
        api = connect(host)
        assert api.task(1)["id"] == api.annotation(9)["id"] == 9
        assert api.update_annotation(9, {"result": []})["id"] == 9
        assert api.create_prediction(1, [], model_version="v1", score=0.5)["id"] == 9
        assert [(each.method, each.path) for each in host.received] == [
            ("GET", "/api/tasks/1"),
            ("GET", "/api/annotations/9/"),
            ("PATCH", "/api/annotations/9/"),
            ("POST", "/api/predictions/"),
        ]
        sent = json.loads(host.received[-1].body)
        assert sent == {"task": 1, "result": [], "model_version": "v1", "score": 0.5}

    def test_images_are_kept_and_tasks_made_of_them(self, host: Host) -> None:
        host.routes["/api/projects/5/import"] = as_json({"file_upload_ids": [3]}, 201)
        host.routes["/api/import/file-upload/3"] = as_json({"file": "upload/5/0a-a.jpg"})
        api = connect(host)
        assert api.keep_upload(5, "a.jpg", b"one") == "/data/upload/5/0a-a.jpg"
        upload = host.received[0]
        assert upload.path == "/api/projects/5/import?commit_to_project=false"
        assert b'filename="a.jpg"\r\n\r\none\r\n' in upload.body
        api.import_tasks(5, [{"data": {"image": "x"}}])
        assert host.received[-1].path == "/api/projects/5/import"
        assert json.loads(host.received[-1].body) == [{"data": {"image": "x"}}]

    @pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"file_upload_ids": []}'])
    def test_an_upload_that_is_not_told_is_an_error(self, host: Host, body: bytes) -> None:
        host.routes["*"] = Reply(201, body)
        refusal(lambda: connect(host).keep_upload(5, "a.jpg", b"one"))

    def test_tasks_are_listed_without_what_stands_in_them(self, host: Host) -> None:
        host.routes["/api/tasks/"] = paged(101, "tasks")
        assert [task["id"] for task in connect(host).task_heads(5)] == list(range(101))
        query = parse_qs(urlsplit(host.received[0].path).query)
        assert query["include"] == ["id,data,meta,total_annotations,total_predictions"]
        assert query["resolve_uri"] == ["false"]

    def test_versions_of_predictions_are_listed_and_annotations_made(self, host: Host) -> None:
        host.routes["/api/predictions/"] = as_json([{"model_version": "a"}, {}, 3])
        api = connect(host)
        assert api.prediction_versions(1) == {"a", "None"}
        host.routes["*"] = as_json({}, 201)
        api.create_annotation(1, [])
        assert host.received[-1].path == "/api/tasks/1/annotations/"
        assert json.loads(host.received[-1].body) == {"result": [], "ground_truth": False}
        host.routes["/api/predictions/"] = as_json({"results": []})
        refusal(lambda: api.prediction_versions(1))
