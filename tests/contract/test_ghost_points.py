"""Points of an earlier visit, which the editor sends along and no longer knows the signs of."""

from __future__ import annotations

import copy

import pytest

from tests.contract.test_more_captured_requests import ask
from tests.contract.wire import JSONObject, captured, keypoint, request

GHOSTS = {
    "more_ghosts_after_reload.json": 3,
    "more_ghosts_saved_again.json": 3,
    "more_ghosts_of_an_annotation.json": 2,
}
"""How many of the points of each request are old."""


def in_a_fresh_task(body: JSONObject, old: int = 0) -> JSONObject:
    """The same clicks without the old ones, in a task that holds nothing."""
    asked = copy.deepcopy(body)
    asked["tasks"][0] |= {"drafts": [], "annotations": []}
    del asked["params"]["context"]["result"][:old]
    return asked


@pytest.mark.parametrize("name", GHOSTS)
def test_a_click_beside_old_points_is_answered_as_in_a_fresh_task(
    backend_url: str, name: str
) -> None:
    body = captured(name)
    assert ask(backend_url, body) == ask(backend_url, in_a_fresh_task(body, GHOSTS[name]))


def test_clicks_that_are_saved_before_the_next_one_still_count(backend_url: str) -> None:
    body = captured("more_slow_third_click.json")
    points = body["params"]["context"]["result"]
    stored = {region["id"] for region in body["tasks"][0]["drafts"][0]["result"]}
    assert {point["id"] for point in points[:2]} == stored
    assert ask(backend_url, body) == ask(backend_url, in_a_fresh_task(body))
    assert ask(backend_url, body) != ask(backend_url, in_a_fresh_task(body, 2))


def test_a_client_that_never_says_signs_means_positive_clicks(backend_url: str) -> None:
    signed = request(keypoint(45, 60), keypoint(50, 85))
    silent = copy.deepcopy(signed)
    points = silent["params"]["context"]["result"]
    for point in points:
        del point["is_positive"]
    # The first click is in the draft already, the second is new.
    silent["tasks"][0]["drafts"] = [{"updated_at": "2026", "result": points[:1]}]
    assert ask(backend_url, silent) == ask(backend_url, signed)
