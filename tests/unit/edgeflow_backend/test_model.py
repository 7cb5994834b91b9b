from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from edgeflow_backend import log, model
from edgeflow_backend.errors import MalformedRequestError, OverloadedError
from edgeflow_backend.model import EdgeFlowBackend, _built_service
from edgeflow_backend.protocol.config_check import RECOMMENDED
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics
from tests.contract.images import png_header
from tests.contract.wire import JSONObject, captured, check_brush_region, request
from tests.unit.conftest import MakeService
from tests.unit.edgeflow_backend.loopback import Host, Reply
from tests.unit.edgeflow_backend.samples import (
    SIZE,
    click,
    data_uri,
    disk_png,
    disk_request,
)
from tests.unit.local_service import local

EMPTY_RESULT_KEYS = {"result", "score", "model_version", "error"}


def predict(service: SegmentationService, body: JSONObject) -> list[Any]:
    """What the application does with a body."""
    return EdgeFlowBackend(service=service).predict(
        body["tasks"], context=body["params"]["context"], label_config=body["label_config"]
    )


def outcomes(service: SegmentationService, outcome: str) -> float:
    value = service.metrics.registry.get_sample_value(
        "edgeflow_predictions_total", {"outcome": outcome}
    )
    return value or 0.0


def works(service: SegmentationService) -> bool:
    """Whether the next good request is answered."""
    body = disk_request()
    (prediction,) = predict(service, body)
    (region,) = prediction["result"]
    return bool(check_brush_region(region, body).any())


@pytest.fixture(autouse=True)
def _no_service_of_the_process() -> Iterator[None]:
    _built_service.cache_clear()
    yield
    _built_service.cache_clear()


# The good case


@pytest.mark.parametrize(
    "name", ["ui_100_b64_069_predict.json", "ui_120_multi_img2_031_predict.json"]
)
def test_a_captured_request_gets_one_valid_region(service: SegmentationService, name: str) -> None:
    body = captured(name)
    (prediction,) = predict(service, body)
    assert set(prediction) == {"result", "score", "model_version"}
    (region,) = prediction["result"]
    assert check_brush_region(region, body).any()
    assert prediction["score"] == region["score"]
    assert prediction["model_version"] == service.model_version
    assert outcomes(service, "ok") == 1


def test_an_image_in_label_studio_gets_one_valid_region(
    make_service: MakeService, host: Host
) -> None:
    host.routes["/data/upload/1/a.png"] = Reply(body=disk_png())
    service = make_service(label_studio_url=host.url, label_studio_api_key="abc")
    body = request(click(), image="/data/upload/1/a.png")
    (prediction,) = predict(service, body)
    assert check_brush_region(prediction["result"][0], body).any()


def test_each_task_gets_a_prediction_in_its_place(service: SegmentationService) -> None:
    body = disk_request()
    body["tasks"] = [body["tasks"][0], {"id": 2, "data": {}}, body["tasks"][0]]
    predictions = predict(service, body)
    assert [len(prediction["result"]) for prediction in predictions] == [1, 0, 1]


def test_a_prediction_is_timed(service: SegmentationService) -> None:
    predict(service, disk_request())
    registry = service.metrics.registry
    assert registry.get_sample_value("edgeflow_prediction_seconds_count") == 1
    assert (registry.get_sample_value("edgeflow_prediction_seconds_sum") or 0) > 0


class Untouchable(Mapping[str, Any]):
    """Drafts as they must be treated."""

    def _touched(self, *_: object) -> Any:
        raise AssertionError("drafts and annotations must not be looked at")

    __getitem__ = __len__ = __iter__ = __contains__ = get = _touched


def test_drafts_and_annotations_are_never_looked_at(service: SegmentationService) -> None:
    body = disk_request()
    for key in ("drafts", "annotations", "predictions"):
        body["tasks"][0][key] = Untouchable()
    body["params"]["context"]["drafts"] = Untouchable()
    (prediction,) = predict(service, body)
    assert len(prediction["result"]) == 1


def test_a_batch_call_has_nothing_to_say(service: SegmentationService) -> None:
    body = captured("batch_predict_on_task_open.json")
    assert predict(service, body) == [[]]
    assert EdgeFlowBackend(service=service).predict(body["tasks"]) == [[]]


@pytest.mark.slow
@pytest.mark.parametrize("project", ["5.1795414578", "5", 5])
def test_a_project_may_have_a_model_of_its_own(
    make_service: MakeService, models_dir: Path, project: object
) -> None:
    service = make_service(models_dir=str(models_dir), project_models={"5": "other"})
    body = disk_request()
    for asked, version in (
        (project, "other-"),
        ("51.1", f"{DEFAULT_MODEL}-"),
        (None, "edgeflow_l"),
    ):
        (prediction,) = EdgeFlowBackend(service=service).predict(
            body["tasks"],
            context=body["params"]["context"],
            label_config=body["label_config"],
            project=asked,
        )
        assert prediction["model_version"].startswith(version)
        assert check_brush_region(prediction["result"][0], body).any()


def test_a_click_control_may_choose_a_model(make_service: MakeService, models_dir: Path) -> None:
    service = make_service(models_dir=str(models_dir))
    config = RECOMMENDED.replace("<KeyPoint", '<KeyPoint edgeflowModel="other"')
    (prediction,) = predict(service, disk_request(label_config=config))
    assert prediction["model_version"].startswith("other-")


# What cannot be served

NO_SUCH_MODEL = RECOMMENDED.replace("<KeyPoint", '<KeyPoint edgeflowModel="/etc/x"')
FAILURES: list[tuple[str, JSONObject, str]] = [
    ("prompt_unusable", disk_request(click(150, 50)), "outside"),
    ("prompt_unusable", disk_request(click(positive=False)), "negative"),
    ("prompt_unusable", disk_request(*[click()] * 101), "101 clicks"),
    ("prompt_unusable", disk_request(click(original_width=10**6, original_height=10**6)), "pixels"),
    (
        "prompt_unsupported",
        disk_request(params={"context": {"result": [{"type": "vectorlabels"}]}}),
        "vectorlabels",
    ),
    ("label_config", disk_request(label_config=None), "no labelling config"),
    ("label_config", disk_request(label_config="<View"), "XML"),
    ("label_config", disk_request(label_config="<View/>"), "mask control"),
    ("label_config", disk_request(label_config=NO_SUCH_MODEL), "no model named '/etc/x'"),
    ("image_fetch", disk_request(tasks=[{"data": {}}]), "no image"),
    ("image_fetch", disk_request(tasks=[{"data": {"image": "/data/upload/a.png"}}]), "configured"),
    ("image_fetch", disk_request(tasks=[{"data": {"image": "http://127.0.0.1:1/"}}]), "fetched"),
    ("image_unreadable", disk_request(tasks=[{"data": {"image": data_uri(b"x")}}]), "readable"),
    (
        "image_unreadable",
        disk_request(tasks=[{"data": {"image": data_uri(disk_png()[:40])}}]),
        "readable",
    ),
    (
        "image_too_large",
        disk_request(tasks=[{"data": {"image": data_uri(png_header(60_000, 60_000))}}]),
        "pixels",
    ),
]


@pytest.mark.parametrize(
    ("code", "body", "said"), FAILURES, ids=[f"{code}: {said}" for code, _, said in FAILURES]
)
def test_a_failure_leaves_an_empty_result_that_says_why_and_is_counted(
    service: SegmentationService, code: str, body: JSONObject, said: str
) -> None:
    with capture_logs() as logs:
        (prediction,) = predict(service, body)
    assert set(prediction) == EMPTY_RESULT_KEYS
    assert prediction["result"] == []
    assert prediction["score"] == 0.0
    assert prediction["model_version"] == service.model_version
    assert prediction["error"]["code"] == code
    assert said in prediction["error"]["message"]
    assert prediction["error"]["hint"]
    assert outcomes(service, code) == 1
    assert outcomes(service, "ok") == 0
    (entry,) = logs
    assert (entry["log_level"], entry["code"]) == ("warning", code)
    assert "exc_info" not in entry
    assert works(service)


def test_a_request_without_any_prompt_is_no_failure(service: SegmentationService) -> None:
    """The editor sends one when a point leaves with its annotation."""
    failed = service.journal.failures.total
    with capture_logs() as logs:
        (prediction,) = predict(service, disk_request(params={"context": {"result": []}}))
    assert prediction["result"] == []
    assert prediction["error"]["code"] == "nothing_asked"
    assert "no clicks" in prediction["error"]["message"]
    assert outcomes(service, "nothing_asked") == 1
    assert service.journal.failures.total == failed
    assert [entry["log_level"] for entry in logs] == ["info"]


def test_a_search_without_finds_is_a_note_and_no_failure(service: SegmentationService) -> None:
    config = RECOMMENDED.replace("<KeyPoint ", '<KeyPoint edgeflowFind="similar" ')
    body = disk_request(label_config=config)
    body["tasks"][0]["drafts"] = [{"result": predict(service, disk_request())[0]["result"]}]
    body["params"]["context"]["result"][0]["id"] = "another"
    failed = service.journal.failures.total
    (prediction,) = predict(service, body)
    assert prediction["error"]["code"] == "nothing_alike"
    assert outcomes(service, "nothing_alike") == 1
    assert service.journal.failures.total == failed
    (note,) = service.journal.notes.recent()
    assert note.code == "nothing_alike"


def test_a_prediction_that_takes_too_long_is_told_and_counted(
    make_service: MakeService, host: Host
) -> None:
    def silent(_: object, __: object) -> None:
        host.pause()

    host.routes["/a.png"] = silent
    service = make_service(request_timeout_s=0.1, allowed_hosts="127.0.0.1")
    started = time.monotonic()
    (prediction,) = predict(service, request(click(), image=f"{host.url}/a.png"))
    assert prediction["error"]["code"] == "deadline"
    assert outcomes(service, "deadline") == 1
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("tasks", "context"),
    [
        (None, {"result": [click()]}),
        ("all", {"result": [click()]}),
        ([{"id": 1}], {"result": [click()]}),
        (None, None),
        ([{"data": {}}], []),
        ([{"data": {}}], {"result": "x"}),
        ([{"data": {}}], {"result": [{}]}),
    ],
    ids=str,
)
def test_arguments_of_another_form_are_refused(
    service: SegmentationService, tasks: Any, context: Any
) -> None:
    with pytest.raises(MalformedRequestError):
        EdgeFlowBackend(service=service).predict(tasks, context=context)
    assert works(service)


def test_beyond_the_queue_requests_are_refused(
    make_service: MakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make_service(queue_limit=1)
    runtime = local(service).predictor.runtime
    real, entered, release = runtime.run, threading.Event(), threading.Event()

    def slow(*args: Any) -> Any:
        entered.set()
        release.wait(10)
        return real(*args)

    monkeypatch.setattr(runtime, "run", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(predict, service, disk_request())
        assert entered.wait(10)
        with pytest.raises(OverloadedError):
            predict(service, disk_request())
        release.set()
        assert len(first.result(10)[0]["result"]) == 1


def test_an_unexpected_exception_leaves_an_empty_result_and_its_traceback_only_in_the_log(
    service: SegmentationService,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret path /etc/shadow")

    log.configure("INFO", "json")
    with monkeypatch.context() as patched:
        patched.setattr(service, "segment", broken)
        (prediction,) = predict(service, disk_request())
    assert set(prediction) == EMPTY_RESULT_KEYS
    assert prediction["result"] == []
    assert prediction["error"]["code"] == "internal"
    assert prediction["error"]["hint"]
    assert "secret" not in str(prediction)
    assert "Traceback" not in str(prediction)
    assert outcomes(service, "internal") == 1
    captured_log = capsys.readouterr()
    assert "Traceback" in captured_log.err
    assert "secret path" in captured_log.err
    assert captured_log.out == ""
    assert works(service)


@pytest.mark.parametrize("index", [0, 1])
def test_no_image_and_no_context_reaches_the_log(
    service: SegmentationService, capsys: pytest.CaptureFixture[str], index: int
) -> None:
    log.configure("DEBUG", "json")
    body = [disk_request(), disk_request(tasks=[{"id": 5, "data": {"image": data_uri(b"x" * 99)}}])]
    predict(service, body[index])
    text = capsys.readouterr().err
    assert '"event": "' in text
    assert "base64" not in text
    assert "keypointlabels" not in text


# How hosts make instances


def unbuildable(*_: object) -> SegmentationService:
    raise AssertionError("no model is needed for this")


def test_an_instance_needs_no_arguments_and_loads_nothing_until_it_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(model, "build_service", unbuildable)
    for backend in (EdgeFlowBackend(), EdgeFlowBackend("5.1", "<View/>", project_id="5")):
        assert backend.fit("ANNOTATION_CREATED", {})["trained"] is False
        assert backend.predict([{"id": 1, "data": {}}], context=None) == [[]]
    with pytest.raises(AssertionError):
        EdgeFlowBackend().predict([{"id": 1, "data": {}}], context={"result": []})


def test_instances_without_a_service_share_the_one_of_the_process(
    monkeypatch: pytest.MonkeyPatch, service: SegmentationService
) -> None:
    built = []

    def build(settings: Settings, _: Metrics, __: Journal) -> SegmentationService:
        built.append(settings)
        return service

    monkeypatch.setattr(model, "build_service", build)
    assert EdgeFlowBackend().service is EdgeFlowBackend().service is service
    assert len(built) == 1


def test_the_service_of_the_process_is_built_once_even_for_many_at_once(
    monkeypatch: pytest.MonkeyPatch, service: SegmentationService
) -> None:
    built = []

    def build(settings: Settings, _: Metrics, __: Journal) -> SegmentationService:
        built.append(settings)
        time.sleep(0.1)
        return service

    monkeypatch.setattr(model, "build_service", build)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: EdgeFlowBackend().service, range(4)))
    assert len(built) == 1


def test_a_service_that_was_brought_is_used(service: SegmentationService) -> None:
    assert EdgeFlowBackend(service=service).service is service


# Webhooks

OURS = {"id": "ef01234567"}
DRAWN = {"id": "xI3VJHVaSj"}
DATA: JSONObject = {"annotation": {"result": [OURS, DRAWN, OURS]}}
SEEN = {"action": "ANNOTATION_UPDATED", "regions_of_ours": 2, "trained": False}

CALLS: list[tuple[str, Callable[[EdgeFlowBackend], JSONObject]]] = [
    ("2.x", lambda backend: backend.fit("ANNOTATION_UPDATED", DATA)),
    ("2.x with more", lambda backend: backend.fit("ANNOTATION_UPDATED", DATA, job_id="1")),
    ("2.x by name", lambda backend: backend.fit(event="ANNOTATION_UPDATED", data=DATA)),
    ("1.x", lambda backend: backend.fit((), event="ANNOTATION_UPDATED", data=DATA)),
    (
        "1.x with a folder",
        lambda backend: backend.fit((), "/tmp/w", event="ANNOTATION_UPDATED", data=DATA),
    ),
]


@pytest.mark.parametrize("call", [call for _, call in CALLS], ids=[name for name, _ in CALLS])
def test_a_webhook_is_noted_in_every_calling_convention(
    call: Callable[[EdgeFlowBackend], JSONObject],
) -> None:
    assert call(EdgeFlowBackend()) == SEEN


@pytest.mark.parametrize(
    "data",
    [
        {},
        None,
        [],
        "x",
        {"annotation": None},
        {"annotation": []},
        {"annotation": {"result": None}},
        {"annotation": {"result": [None, 5, {}, {"id": None}]}},
    ],
    ids=str,
)
def test_a_webhook_of_any_form_is_noted(data: object) -> None:
    assert EdgeFlowBackend().fit("X", data) == {
        "action": "X",
        "regions_of_ours": 0,
        "trained": False,
    }


def test_a_webhook_without_anything_is_noted() -> None:
    assert EdgeFlowBackend().fit()["trained"] is False


def test_captured_webhooks_are_noted() -> None:
    body = captured("ui_50_submit_059_webhook.json")
    assert EdgeFlowBackend().fit(body.pop("action"), body)["action"] == "ANNOTATION_CREATED"


def test_a_region_of_ours_is_counted_as_ours(service: SegmentationService) -> None:
    (prediction,) = predict(service, disk_request())
    data = {"annotation": {"result": prediction["result"]}}
    assert EdgeFlowBackend().fit("X", data)["regions_of_ours"] == 1


def test_the_size_of_the_sample_is_that_of_its_clicks() -> None:
    assert (click()["original_height"], click()["original_width"]) == SIZE
