from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.api.heads import TaskHead, heads_of, newest_annotated
from tests.unit.edgeflow.label_studio.api.test_client import as_json, connect
from tests.unit.edgeflow_backend.loopback import Host

ENTRY = {"id": 7, "data": {"image": "a.png"}, "updated_at": "2026-11-28T00:00:01Z"}
"""As Label Studio 1.23.2 lists a task, as far as it is asked for."""


def asked(host: Host) -> dict[str, str]:
    """The query of the only request."""
    (request,) = host.received
    return {key: value[0] for key, value in parse_qs(urlsplit(request.path).query).items()}


def test_the_newest_annotated_tasks_are_asked_for_in_one_request(host: Host) -> None:
    host.routes["/api/tasks/"] = as_json({"tasks": [{**ENTRY, "total_annotations": 2}]})
    (head,) = newest_annotated(connect(host), 5, 20)
    assert head == TaskHead(7, {"image": "a.png"}, "2026-11-28T00:00:01Z 2")
    query = asked(host)
    assert (query["project"], query["page_size"], query["resolve_uri"]) == ("5", "20", "false")
    told = json.loads(query["query"])
    assert told["ordering"] == ["-tasks:updated_at"]
    assert told["filters"]["items"][0]["filter"] == "filter:tasks:total_annotations"


def test_certain_tasks_are_asked_for_by_their_ids_and_none_are_not(host: Host) -> None:
    host.routes["/api/tasks/"] = as_json({"tasks": [{**ENTRY, "total_annotations": 0}]})
    assert heads_of(connect(host), 5, []) == []
    assert host.received == []
    assert [head.id for head in heads_of(connect(host), 5, {9, 7})] == [7]
    assert json.loads(asked(host)["query"])["selectedItems"] == {"all": False, "included": [7, 9]}


@pytest.mark.parametrize("body", [[], {}, {"tasks": 5}, {"tasks": [{}]}, {"tasks": [ENTRY]}])
def test_another_answer_is_refused_in_words(host: Host, body: object) -> None:
    host.routes["/api/tasks/"] = as_json(body)
    with pytest.raises(LabelStudioError, match="not the expected one") as caught:
        newest_annotated(connect(host), 5, 20)
    assert "LABEL_STUDIO_URL" in caught.value.hint


def test_a_tasks_annotations_and_drafts_are_lists(host: Host) -> None:
    host.routes["/api/tasks/7/annotations/"] = as_json([{"id": 1}])
    host.routes["/api/tasks/7/drafts"] = as_json([{"id": 2}])
    assert connect(host).task_annotations(7) == [{"id": 1}]
    assert connect(host).task_drafts(7) == [{"id": 2}]
