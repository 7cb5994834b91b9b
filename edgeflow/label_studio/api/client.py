"""A client of Label Studio's API: the endpoints that this project needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, TypeVar

from edgeflow.label_studio.api.calls import PAGE_SIZE, Calls
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.api.records import MLBackend, Project, Webhook
from edgeflow.label_studio.api.transport import Files, Params
from edgeflow.label_studio.values import JSONObject

_Record = TypeVar("_Record")

_NO_EVENT = "NO_SUCH_EVENT"


class LabelStudioAPI(Calls):
    """One Label Studio.

    Each method raises :class:`LabelStudioError`, as :class:`Calls` says.
    """

    def release(self) -> str:
        """Label Studio's version, such as ``1.23.2``; asked without a token.

        Raises:
            LabelStudioError: Nothing answers, or something else than Label Studio.
        """
        reply = self._transport.send("GET", "/api/version", headers=self.credentials.login_header())
        try:
            release = reply.json()["release"] if reply.ok else ""
        except (ValueError, TypeError, KeyError):
            release = ""
        if not isinstance(release, str) or not release:
            raise LabelStudioError(
                f"the server answers HTTP {reply.status} without a release; is it Label Studio?",
                hint=f"set {self.credentials.url_setting} to Label Studio's URL, with the path "
                "below which it is served",
                status=reply.status,
            )
        return release

    def whoami(self) -> JSONObject:
        """The token's owner: ``id``, ``email``, ``active_organization`` and more."""
        return self._object("/api/current-user/whoami")

    # Projects, tasks, annotations

    def project(self, project: int) -> Project:
        """A project."""
        path = f"/api/projects/{project}"
        return self._read(Project.of, path, self.get(path))

    def projects(self) -> Iterator[Project]:
        """The projects that the token's owner may see."""
        path = "/api/projects"
        return (self._read(Project.of, path, body) for body in self.pages(path))

    def create_project(self, fields: JSONObject) -> Project:
        """Make a project of ``title``, ``label_config`` and other fields."""
        path = "/api/projects"
        return self._read(Project.of, path, self.post(path, fields))

    def upload(self, project: int, files: Files) -> None:
        """Import pictures, one task each.

        Args:
            project: Id of the project.
            files: Their names and contents.
        """
        self.request("POST", f"/api/projects/{project}/import", files=files)

    def keep_upload(self, project: int, name: str, data: bytes) -> str:
        """Upload an image without making a task of it.

        Args:
            project: Id of the project.
            name: The file's name, without a folder.
            data: Its content.

        Returns:
            Path of the image, to stand in a task's data: ``/data/upload/…``.
        """
        path = f"/api/projects/{project}/import"
        query: Params = {"commit_to_project": "false"}
        reply = self.request("POST", path, params=query, files={name: data})
        made = self._json(path, reply)
        number = self._read(lambda body: int(body["file_upload_ids"][0]), path, made)
        path = f"/api/import/file-upload/{number}"
        return f"/data/{self._read(lambda body: str(body['file']), path, self.get(path))}"

    def import_tasks(self, project: int, tasks: list[JSONObject]) -> None:
        """Make tasks, with their ``predictions`` and ``annotations``: all of them, or none.

        Args:
            project: Id of the project.
            tasks: Each with ``data``, and perhaps ``meta``.
        """
        self.post(f"/api/projects/{project}/import", tasks)

    def task_heads(self, project: int) -> Iterator[JSONObject]:
        """A project's tasks without what stands in them.

        Each has ``id``, ``data``, ``meta``, ``total_annotations`` and ``total_predictions``.

        Args:
            project: Id of the project.
        """
        names = "id,data,meta,total_annotations,total_predictions"
        query: Params = {"project": project, "include": names, "resolve_uri": "false"}
        return self.pages("/api/tasks/", query, key="tasks")

    def tasks(self, project: int, *, size: int = PAGE_SIZE) -> Iterator[JSONObject]:
        """A project's tasks, each with ``data``, ``annotations``, ``drafts`` and ``predictions``.

        Args:
            project: Id of the project.
            size: Tasks that are fetched at once.
        """
        query: Params = {"project": project, "fields": "all"}
        return self.pages("/api/tasks/", query, key="tasks", size=size)

    def task(self, task: int) -> JSONObject:
        """A task, with its annotations, drafts and predictions."""
        return self._object(f"/api/tasks/{task}")

    def task_annotations(self, task: int) -> list[JSONObject]:
        """A task's annotations, each with its ``result``; without the skipped ones."""
        return self._list(dict, f"/api/tasks/{task}/annotations/")

    def task_drafts(self, task: int) -> list[JSONObject]:
        """Everybody's drafts of a task, each with its ``result``."""
        return self._list(dict, f"/api/tasks/{task}/drafts")

    def annotation(self, annotation: int) -> JSONObject:
        """An annotation, with its ``result``."""
        return self._object(f"/api/annotations/{annotation}/")

    def update_annotation(self, annotation: int, changes: JSONObject) -> JSONObject:
        """Change fields of an annotation, such as its ``result``; returns the whole."""
        body: JSONObject = self.patch(f"/api/annotations/{annotation}/", changes)
        return body

    def create_prediction(
        self, task: int, result: list[JSONObject], *, model_version: str, score: float | None = None
    ) -> JSONObject:
        """Store regions as a task's prediction."""
        body = {"task": task, "result": result, "model_version": model_version, "score": score}
        answer: JSONObject = self.post("/api/predictions/", body)
        return answer

    def prediction_versions(self, task: int) -> set[str]:
        """The model versions of a task's predictions."""
        body = self.get("/api/predictions/", {"task": task})
        if not isinstance(body, list):
            raise self._unexpected("/api/predictions/")
        return {str(each.get("model_version")) for each in body if isinstance(each, dict)}

    def create_annotation(self, task: int, result: list[JSONObject]) -> None:
        """Store regions as an annotation of the token's owner."""
        body = {"result": result, "ground_truth": False}
        self.post(f"/api/tasks/{task}/annotations/", body)

    # ML backends and webhooks

    def ml_backends(self, project: int) -> list[MLBackend]:
        """A project's ML backends, after Label Studio has asked each how it is.

        They come in the order in which the editor sees them: clicks go to the first interactive
        one.
        """
        return self._list(MLBackend.of, "/api/ml", {"project": project})

    def create_ml_backend(self, project: int, fields: JSONObject) -> MLBackend:
        """Connect an ML backend; Label Studio checks that it answers.

        Args:
            project: Id of the project.
            fields: ``url``, ``title``, ``is_interactive``, ``auth_method``, ``basic_auth_user``,
                ``basic_auth_pass`` …
        """
        path = "/api/ml"
        return self._read(MLBackend.of, path, self.post(path, {"project": project, **fields}))

    def update_ml_backend(self, backend: int, fields: JSONObject) -> MLBackend:
        """Change a connection.

        Label Studio checks that it answers, so ``fields`` needs ``url``, ``project`` and the login
        whether they change or not.
        """
        path = f"/api/ml/{backend}"
        return self._read(MLBackend.of, path, self.patch(path, fields))

    def ask_ml_backend(self, backend: int) -> None:
        """Have Label Studio ask an ML backend for its versions.

        Raises:
            LabelStudioError: It gets no answer; ``detail`` says why.
        """
        path = f"/api/ml/{backend}/versions"
        # Sent once: a 401 is the ML backend's here, and no fault of the token.
        reply = self._send("GET", path, None, None, None)
        if not reply.ok:
            raise self._refused("GET", path, reply)

    def interactive(self, backend: int, task: int, context: JSONObject) -> JSONObject:
        """Ask an ML backend as the editor does; ``{"data": prediction}`` or ``{"errors": […]}``."""
        body: JSONObject = self.post(
            f"/api/ml/{backend}/interactive-annotating", {"task": task, "context": context}
        )
        return body

    def webhooks(self, project: int) -> list[Webhook]:
        """A project's webhooks."""
        return self._list(Webhook.of, "/api/webhooks/", {"project": project})

    def create_webhook(self, project: int, fields: JSONObject) -> Webhook:
        """Subscribe to a project's events.

        Args:
            project: Id of the project.
            fields: ``url``, ``headers``, ``send_payload``, ``send_for_all_actions``, ``actions`` …
        """
        path = "/api/webhooks/"
        return self._read(Webhook.of, path, self.post(path, {"project": project, **fields}))

    def check_event_url(self, project: int, url: str) -> None:
        """Check that Label Studio lets itself send events to a URL; nothing is stored.

        It is asked to make a webhook of an event that does not exist, and looks at the URL before
        it refuses that. Should a version take it, it would be off.

        Raises:
            LabelStudioError: Its guard refuses the URL; ``detail`` has its words.
        """
        fields = {"url": url, "is_active": False, "actions": [_NO_EVENT]}
        try:
            self.create_webhook(project, fields)
        except LabelStudioError as error:
            if error.status != HTTPStatus.BAD_REQUEST:
                raise

    def update_webhook(self, webhook: int, fields: JSONObject) -> Webhook:
        """Change a subscription."""
        path = f"/api/webhooks/{webhook}/"
        return self._read(Webhook.of, path, self.patch(path, fields))

    def _object(self, path: str) -> JSONObject:
        return self._read(dict, path, self.get(path))

    def _list(
        self, read: Callable[[JSONObject], _Record], path: str, params: Params | None = None
    ) -> list[_Record]:
        body = self.get(path, params)
        if not isinstance(body, list):
            raise self._unexpected(path)
        return [self._read(read, path, entry) for entry in body]

    def _read(self, read: Callable[[Any], _Record], path: str, body: object) -> _Record:
        try:
            if isinstance(body, dict):
                return read(body)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise self._unexpected(path) from error
        raise self._unexpected(path)
