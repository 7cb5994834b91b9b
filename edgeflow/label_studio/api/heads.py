"""Which of a project's tasks have changed: asked without what stands in them.

A task by itself is not asked for. Before Label Studio answers ``/api/tasks/ID``, it asks the ML
backend for the task's predictions; a backend that asks for a task would ask itself.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.values import JSONObject

_PATH = "/api/tasks/"
_ANNOTATED = {
    "filter": "filter:tasks:total_annotations",
    "operator": "greater",
    "type": "Number",
    "value": 0,
}


@dataclass(frozen=True)
class TaskHead:
    """A task without its annotations.

    Attributes:
        id: Its id.
        data: What it shows.
        stamp: Differs once an annotation was added, changed or deleted; of two tasks the one that
            changed later has the greater one.
    """

    id: int
    data: JSONObject
    stamp: str

    @classmethod
    def of(cls, body: JSONObject) -> TaskHead:
        """Read an entry of the list."""
        # Annotations that are deleted in the Data Manager leave the time as it is.
        stamp = f"{body['updated_at']} {int(body['total_annotations'])}"
        data = body["data"]
        return cls(int(body["id"]), data if isinstance(data, dict) else {}, stamp)


def newest_annotated(api: LabelStudioAPI, project: int, count: int) -> list[TaskHead]:
    """The annotated tasks of a project that changed last, the newest first.

    Args:
        api: The project's Label Studio.
        project: The project's id.
        count: Most of them.

    Raises:
        LabelStudioError: There is no answer, or not the expected one.
    """
    filters = {"conjunction": "and", "items": [_ANNOTATED]}
    return _heads(api, project, {"filters": filters, "ordering": ["-tasks:updated_at"]}, count)


def annotated(api: LabelStudioAPI, project: int) -> Iterator[TaskHead]:
    """All annotated tasks of a project, in the order of their ids, page by page.

    Args:
        api: The project's Label Studio.
        project: The project's id.

    Raises:
        LabelStudioError: There is no answer, or not the expected one.
    """
    filters = {"conjunction": "and", "items": [_ANNOTATED]}
    query = _query(project, {"filters": filters, "ordering": ["tasks:id"]})
    for entry in api.pages(_PATH, query, key="tasks"):
        yield _head(api, entry)


def heads_of(api: LabelStudioAPI, project: int, tasks: Collection[int]) -> list[TaskHead]:
    """Certain tasks of a project; those that are gone are missing.

    Args:
        api: The project's Label Studio.
        project: The project's id.
        tasks: Their ids.

    Raises:
        LabelStudioError: There is no answer, or not the expected one.
    """
    if not tasks:
        return []
    chosen = {"all": False, "included": sorted(tasks)}
    return _heads(api, project, {"selectedItems": chosen}, len(tasks))


def _heads(api: LabelStudioAPI, project: int, query: JSONObject, count: int) -> list[TaskHead]:
    """The first page of a project's tasks as the Data Manager finds them."""
    body = api.get(_PATH, {**_query(project, query), "page": 1, "page_size": count})
    entries = body.get("tasks") if isinstance(body, dict) else None
    if not isinstance(entries, list):
        raise _unexpected(api)
    return [_head(api, entry) for entry in entries]


def _query(project: int, query: JSONObject) -> dict[str, str | int]:
    return {
        "project": project,
        "include": "id,data,updated_at,total_annotations",
        "resolve_uri": "false",
        "query": json.dumps(query),
    }


def _head(api: LabelStudioAPI, entry: JSONObject) -> TaskHead:
    try:
        return TaskHead.of(entry)
    except (KeyError, TypeError, ValueError) as error:
        raise _unexpected(api) from error


def _unexpected(api: LabelStudioAPI) -> LabelStudioError:
    return LabelStudioError(
        f"Label Studio's answer to {_PATH} is not the expected one",
        hint=f"check {api.credentials.url_setting}: is it Label Studio's?",
    )
