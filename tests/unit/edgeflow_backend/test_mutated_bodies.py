"""Bodies with things wrong in them, thousands of them: an answer in words, never a traceback."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from edgeflow.errors import EdgeFlowError
from edgeflow.geometry import Size
from edgeflow.inference.predictor import Predictor
from edgeflow_backend.app import create_app
from edgeflow_backend.model import EdgeFlowBackend
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics
from tests.contract.openapi import conforms
from tests.contract.wire import BODIES, JSONObject, captured
from tests.unit.edgeflow_backend.mutations import mutated
from tests.unit.edgeflow_backend.samples import click, data_uri, disk_png, disk_request
from tests.unit.local_service import local_service

MUTANTS = {"predict": 1100, "setup": 700, "webhook": 700, "train": 100}
"""Of each kind of request; the seeds are fixed, so all runs see the same."""

FOREIGN_MUTANTS = 700
"""Of predictions whose bodies another host parsed."""

IMAGE = data_uri(disk_png(Size(48, 64)))


@pytest.fixture(scope="module")
def service(predictor: Predictor) -> Iterator[SegmentationService]:
    settings = Settings(preannotate=True, connect_timeout_s=0.1)
    service = local_service(settings, predictor, Metrics(), journal=Journal())
    yield service
    service.close()


@pytest.fixture(scope="module")
def client(service: SegmentationService) -> FlaskClient:
    client = create_app(service.settings, lambda *_: service).test_client()
    assert client.get("/versions").status_code == 200
    return client


@pytest.fixture(scope="module")
def bodies(service: SegmentationService) -> dict[str, list[JSONObject]]:
    """The captured bodies with an image of their own, and some with what captured ones lack."""
    every = [captured(path.name) for path in sorted(BODIES.glob("*.json"))]
    predictions = [body for body in every if "action" not in body]
    for body in predictions:
        for task in body["tasks"]:
            task["data"] = {
                key: [IMAGE] * len(value) if isinstance(value, list) else IMAGE
                for key, value in task["data"].items()
            }
    predictions += _composed(service)
    webhooks = [body for body in every if "action" in body]
    setups = [
        {
            "project": body.get("project"),
            "schema": body["label_config"],
            "hostname": "https://labels.example/below",
            "access_token": "abc",
            "extra_params": None,
        }
        for body in predictions
    ]
    trainings = [{"project": body.get("project")} for body in webhooks]
    return {"predict": predictions, "webhook": webhooks, "setup": setups, "train": trainings}


def _composed(service: SegmentationService) -> list[JSONObject]:
    """Clicks on what this backend answered to a drawn prompt, in each control that holds masks."""
    box = {"x": 25, "y": 20, "width": 50, "height": 60, "rotation": 0}
    drawn = click(type="rectanglelabels", id="box", value={**box, "rectanglelabels": ["Object"]})
    composed = []
    for tag in ("BrushLabels", "BitmaskLabels", "PolygonLabels", "RectangleLabels"):
        first = disk_request(drawn)
        first["label_config"] = first["label_config"].replace("BrushLabels", tag)
        regions = _predict(service, first)[0]["result"]
        assert regions
        second = {**disk_request(click(55, 55, id="second")), "label_config": first["label_config"]}
        second["tasks"][0]["drafts"] = [{"id": 1, "annotation": 2, "result": regions}]
        batch = json.loads(json.dumps(first))
        batch["params"]["context"] = None
        batch["tasks"][0]["annotations"] = [{"id": 2, "was_cancelled": False, "result": [drawn]}]
        composed += [first, second, batch]
    return composed


def _predict(service: SegmentationService, body: JSONObject) -> list[JSONObject]:
    params = body.get("params")
    return EdgeFlowBackend(service=service).predict(
        body.get("tasks"),  # type: ignore[arg-type]
        context=params.get("context") if isinstance(params, dict) else None,
        label_config=body.get("label_config"),
        project=body.get("project"),
    )


def _part(body: JSONObject, kind: str, chance: random.Random) -> JSONObject:
    """A mutant: of the whole body, or of one part, so that small parts get their share."""
    parts = [key for key in ("params", "params", "label_config", "tasks", "schema") if key in body]
    if kind in ("webhook", "train") or chance.random() < 0.15:
        whole: JSONObject = mutated(body, chance)
        return whole
    key = chance.choice(parts)
    changed = mutated({key: body[key]}, chance)
    rest = {other: value for other, value in body.items() if other != key}
    return {**rest, **changed}


@pytest.mark.parametrize("kind", MUTANTS)
def test_no_mutant_of_a_body_is_a_defect(
    client: FlaskClient, bodies: dict[str, list[JSONObject]], kind: str
) -> None:
    chance = random.Random(kind)
    seen: Counter[int] = Counter()
    for number in range(MUTANTS[kind]):
        body = json.dumps(_part(bodies[kind][number % len(bodies[kind])], kind, chance))
        with capture_logs() as logs:
            response = client.post(f"/{kind}", data=body)
        said = f"mutant {number}: {response.text[:300]} {body[:2000]}"
        seen[response.status_code] += 1
        assert response.status_code in (200, 201, 400), said
        assert conforms(f"/{kind}", response.status_code, response.json), said
        assert '"internal"' not in response.text, said
        assert not [line for line in logs if line["log_level"] in ("error", "critical")], said
    assert seen[200] + seen[201] > MUTANTS[kind] / 4  # most are still understood


def test_no_mutant_is_a_defect_where_another_host_parsed_the_body(
    service: SegmentationService, bodies: dict[str, list[JSONObject]]
) -> None:
    """label-studio-ml's parser passes on NaN, huge numbers and lone surrogates."""
    chance = random.Random(0)
    for number in range(FOREIGN_MUTANTS):
        body = _part(bodies["predict"][number % len(bodies["predict"])], "predict", chance)
        with capture_logs() as logs:
            try:
                answer = _predict(service, body)
            except EdgeFlowError as error:
                assert error.message, number  # noqa: PT017
                continue
        json.dumps(answer, allow_nan=False)
        assert "'internal'" not in str(answer), number
        assert not [line for line in logs if line["log_level"] in ("error", "critical")], number
