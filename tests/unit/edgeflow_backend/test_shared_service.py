"""A service with Redis behind it answers as one that was never replaced, or as one without."""

from __future__ import annotations

import time

import pytest

from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.app import take_snapshot
from edgeflow_backend.objects.signs import HUMAN_PACE_S
from edgeflow_backend.protocol.prompts import parse_prompt
from edgeflow_backend.requests import Request
from edgeflow_backend.service import SegmentationService
from tests.redis_server import RedisServer, running_redis, shared_redis
from tests.unit.conftest import MakeService
from tests.unit.edgeflow_backend.samples import click, disk_request

__all__ = ["running_redis", "shared_redis"]

PATIENT = {"redis_connect_timeout_s": 10, "redis_timeout_s": 10, "redis_key": "k" * 16}
CLICKS = [click(45, 50, id="one"), click(60, 55, id="two"), click(50, 40, id="three")]


def ask(service: SegmentationService, point: JSONObject) -> JSONObject:
    """The region for a click that arrives alone, as with auto-accept on."""
    time.sleep(2 * HUMAN_PACE_S)
    body = disk_request(point)
    task = body["tasks"][0]
    prompt = parse_prompt(body["params"]["context"], max_clicks=9)
    config = parse_label_config(body["label_config"]).for_task(task["data"])
    (region,) = service.segment(Request(task, prompt, config)).regions
    return region


@pytest.fixture
def undisturbed(make_service: MakeService) -> list[JSONObject]:
    """The answers of one service without Redis."""
    service = make_service(overlap=1)
    regions = [ask(service, point) for point in CLICKS]
    assert len({region["id"] for region in regions}) == 1, "each refines the one before"
    return regions


def test_a_service_that_is_replaced_after_each_click_goes_on(
    make_service: MakeService, shared_redis: RedisServer, undisturbed: list[JSONObject]
) -> None:
    regions = []
    for point in CLICKS:  # none is closed: nothing is written at the end that a crash would lose
        service = make_service(overlap=1, redis_url=shared_redis.url, **PATIENT)
        regions.append(ask(service, point))
    assert regions == undisturbed
    assert [tier.use for tier in take_snapshot(service).shared] == [
        "click states",
        "recent answers",
    ]
    assert all(tier.message == "reached" for tier in take_snapshot(service).shared)


def test_a_service_whose_redis_is_not_there_answers_as_without(
    make_service: MakeService, undisturbed: list[JSONObject]
) -> None:
    service = make_service(overlap=1, redis_url="redis://127.0.0.1:1")
    assert [ask(service, point) for point in CLICKS] == undisturbed
    answers = next(t for t in take_snapshot(service).shared if t.use == "recent answers")
    assert not answers.reached
    assert "not reached (connection)" in answers.message


def test_a_redis_that_dies_in_the_midst_costs_nothing(
    make_service: MakeService, shared_redis: RedisServer, undisturbed: list[JSONObject]
) -> None:
    service = make_service(overlap=1, redis_url=shared_redis.url, **PATIENT)
    regions = [ask(service, CLICKS[0])]
    shared_redis.kill()
    try:
        regions += [ask(service, point) for point in CLICKS[1:]]
    finally:
        shared_redis.start()
    assert regions == undisturbed
