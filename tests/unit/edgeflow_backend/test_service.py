from __future__ import annotations

import itertools
import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter
from structlog.testing import capture_logs
from typing_extensions import Self

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from edgeflow.errors import CheckpointError, EdgeFlowError, LabelConfigError, PromptError
from edgeflow.geometry import Size
from edgeflow.inference.predictor import Predictor
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.label_studio.values import PercentPoint, WireModel
from edgeflow.prompts.click import Click
from edgeflow_backend.calls.prepare import prepare
from edgeflow_backend.errors import FetchError
from edgeflow_backend.protocol.config_check import RECOMMENDED
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.protocol.prompts import PROMPTS, parse_prompt
from edgeflow_backend.protocol.wire import BaseRegion, validate
from edgeflow_backend.requests import Answer, Request
from edgeflow_backend.service import SegmentationService, build_service
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics
from tests.contract.images import upright_as_exif
from tests.contract.wire import JSONObject, captured, check_brush_region, keypoint, request
from tests.unit.conftest import MakeService
from tests.unit.edgeflow_backend.loopback import Host, Reply
from tests.unit.edgeflow_backend.samples import (
    click,
    data_uri,
    disk,
    disk_png,
    disk_request,
)
from tests.unit.local_service import local

INLINE = ["ui_100_b64_069_predict.json", "ui_120_multi_img2_031_predict.json"]
UPLOADS = [
    "ui_01_first_pos_026_predict.json",
    "ui_03_alt_neg_028_predict.json",
    "ui_81_keypoint_nolabels_033_predict.json",
    "ui_93_rotated_046_predict.json",
]


def segment(service: SegmentationService, body: JSONObject) -> Answer:
    """What the model class does with a body."""
    prompt = parse_prompt(body["params"]["context"], max_clicks=100)
    config = parse_label_config(body["label_config"]).for_task(body["tasks"][0]["data"])
    return service.segment(Request(body["tasks"][0], prompt, config))


def steps(service: SegmentationService) -> float:
    return service.metrics.registry.get_sample_value("edgeflow_network_steps_total") or 0.0


def overlap(mask: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], size: Size) -> float:
    """Intersection over union with the disk."""
    return float((mask.astype(bool) & disk(size)).sum() / (mask.astype(bool) | disk(size)).sum())


def test_tasks_alike_of_two_label_studios_share_nothing(make_service: MakeService) -> None:
    studios = {name: {"url": "http://127.0.0.1:1"} for name in ("team-a", "team-b")}
    seconds = itertools.count()  # so nobody is quicker than a person
    service = make_service(overlap=1, label_studio_hosts=studios, clock=lambda: next(seconds) / 10)

    def segmented(host: str, *points: JSONObject) -> Answer:
        body = disk_request(*points)
        prompt = parse_prompt(body["params"]["context"], max_clicks=100)
        config = parse_label_config(body["label_config"]).for_task(body["tasks"][0]["data"])
        return service.segment(Request(body["tasks"][0], prompt, config, ProjectRef(host, "1")))

    first, refined = click(50, 50, id="a"), click(52, 52, id="b")
    (begun,) = segmented("team-a", first).regions
    (elsewhere,) = segmented("team-b", refined).regions
    (continued,) = segmented("team-a", refined).regions
    assert [len(each["meta"]["edgeflow"]["clicks"]) for each in (begun, continued)] == [1, 2]
    assert len(elsewhere["meta"]["edgeflow"]["clicks"]) == 1


def test_a_click_on_an_object_cuts_it_out(service: SegmentationService) -> None:
    body = disk_request()
    answer = segment(service, body)
    assert overlap(check_brush_region(answer.regions[0], body), Size(120, 160)) > 0.9
    assert answer.score == answer.regions[0]["score"]
    assert answer.score > 0.5


@pytest.mark.parametrize("name", INLINE)
def test_a_captured_request_with_an_inline_image_gets_one_valid_region(
    service: SegmentationService, name: str
) -> None:
    body = captured(name)
    assert check_brush_region(segment(service, body).regions[0], body).any()


@pytest.mark.parametrize("name", UPLOADS)
def test_a_captured_request_with_an_upload_gets_one_valid_region(
    make_service: MakeService, host: Host, name: str
) -> None:
    host.routes["*"] = Reply(body=disk_png(Size(480, 640)))
    service = make_service(label_studio_url=host.url, label_studio_api_key="abc")
    body = captured(name)
    assert check_brush_region(segment(service, body).regions[0], body).any()
    assert host.received[0].path == body["tasks"][0]["data"]["image"]


def test_an_answer_from_a_known_prefix_is_the_answer_from_nothing(
    make_service: MakeService,
) -> None:
    points = [click(), click(70, 50), click(5, 5, positive=False), click(40, 60)]
    known = make_service()
    for count in range(1, 5):
        warm = segment(known, disk_request(*points[:count]))
        cold = segment(make_service(), disk_request(*points[:count]))
        assert warm.regions == cold.regions
        assert warm.score == cold.score


def test_a_prefix_that_is_known_is_not_run_again(service: SegmentationService) -> None:
    points = [click(), click(70, 50), click(5, 5, positive=False)]
    segment(service, disk_request(*points[:2]))
    assert steps(service) == 2
    segment(service, disk_request(*points))
    assert steps(service) == 3
    segment(service, disk_request(*points))
    assert steps(service) == 3
    segment(service, disk_request(*points[:1]))
    assert steps(service) == 3


def test_without_caches_answers_are_the_same(make_service: MakeService) -> None:
    body = disk_request(click(), click(70, 50))
    bare = make_service(state_cache_mb=0, image_cache_mb=0)
    first = segment(bare, body)
    assert first == segment(bare, body) == segment(make_service(), body)
    assert steps(bare) == 4


def test_a_moved_point_is_not_answered_from_the_old_place(service: SegmentationService) -> None:
    first = segment(service, disk_request(click()))
    point = click()
    point["value"]["x"] = 90
    moved = segment(service, disk_request(point))
    assert moved.regions[0]["id"] == first.regions[0]["id"]
    assert moved.regions[0]["value"]["rle"] != first.regions[0]["value"]["rle"]


@pytest.mark.parametrize(
    ("width", "height"), [(320, 240), (80, 60), (161, 119), (500, 100), (120, 160), (160, 119)]
)
def test_a_size_that_is_not_the_images_is_refused(
    service: SegmentationService, width: int, height: int
) -> None:
    with pytest.raises(PromptError, match=f"{width}×{height} pixels.* 160×120") as caught:
        segment(service, disk_request(click(original_width=width, original_height=height)))
    assert "reload" in caught.value.hint


def test_an_editor_that_does_not_turn_an_image_gets_a_mask_of_the_stored_one(
    make_service: MakeService, host: Host
) -> None:
    host.routes["/a.jpg"] = Reply(body=upright_as_exif((120, 160)))
    body = request(
        keypoint(45, 60, original_width=160, original_height=120), image=f"{host.url}/a.jpg"
    )
    regions = segment(make_service(allowed_hosts="127.0.0.1"), body).regions
    assert check_brush_region(regions[0], body).shape == (120, 160)


def test_the_region_has_the_images_size_where_the_request_names_none(
    service: SegmentationService,
) -> None:
    point = click()
    del point["original_width"], point["original_height"]
    region = segment(service, disk_request(point)).regions[0]
    assert (region["original_width"], region["original_height"]) == (160, 120)


def test_an_image_that_lies_on_its_side_gets_a_mask_as_the_browser_shows_it(
    make_service: MakeService, host: Host
) -> None:
    host.routes["/a.jpg"] = Reply(body=upright_as_exif((120, 160)))
    body = request(
        keypoint(45, 60, original_width=120, original_height=160), image=f"{host.url}/a.jpg"
    )
    assert check_brush_region(
        segment(make_service(allowed_hosts="127.0.0.1"), body).regions[0], body
    ).shape == (160, 120)


@pytest.mark.parametrize(("width", "height"), [(10**6, 10**6), (10**9, 1), (1, 10**9)])
def test_an_absurd_size_is_refused(service: SegmentationService, width: int, height: int) -> None:
    with pytest.raises(PromptError, match=f"{width}×{height}") as caught:
        segment(service, disk_request(click(original_width=width, original_height=height)))
    assert caught.value.hint


@pytest.mark.slow
def test_clicks_that_find_nothing_are_told(service: SegmentationService) -> None:
    everywhere = [click(x, y, positive=False) for x in range(5, 100, 12) for y in range(5, 100, 15)]
    points = [click(50, 50), *everywhere]
    with pytest.raises(PromptError, match="no object") as caught:
        segment(service, disk_request(*points))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("body", "error", "said"),
    [
        (disk_request(click(150, 50)), PromptError, "outside"),
        (disk_request(click(positive=False)), PromptError, "negative"),
        (disk_request(click(to_name="other")), LabelConfigError, "other"),
        (disk_request(label_config="<View/>"), LabelConfigError, "mask control"),
        (disk_request(tasks=[{"id": 1, "data": {}}]), FetchError, "no image"),
        (disk_request(tasks=[{"id": 1, "data": {"image": "s3://b/a"}}]), FetchError, "s3"),
        (disk_request(tasks=[{"id": 1, "data": {"image": data_uri(b"x")}}]), EdgeFlowError, "not"),
    ],
)
def test_what_cannot_be_served_is_a_typed_error(
    service: SegmentationService, body: JSONObject, error: type[EdgeFlowError], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        segment(service, body)
    assert caught.value.hint


def test_nothing_is_fetched_for_a_request_that_has_no_answer(
    make_service: MakeService, host: Host
) -> None:
    with pytest.raises(LabelConfigError):
        segment(
            make_service(),
            request(click(), image=f"{host.url}/a.png", config="<View/>"),
        )
    assert host.received == []


def test_the_gauges_show_what_the_caches_hold(service: SegmentationService) -> None:
    segment(service, disk_request())
    service.observe_caches()
    for cache in ("images", "states"):
        held = service.metrics.registry.get_sample_value("edgeflow_cache_bytes", {"cache": cache})
        assert held is not None
        assert held > 0


def test_warming_up_runs_both_kinds_of_step(service: SegmentationService) -> None:
    service.segmenter.warm_up()
    assert len(local(service).engine.states) == 2
    assert steps(service) == 0


def test_the_version_names_the_weights(service: SegmentationService, predictor: Predictor) -> None:
    assert service.model_version == predictor.version
    assert service.model_version.startswith(f"{DEFAULT_MODEL}-")


@pytest.mark.slow
def test_a_built_service_is_ready_and_uses_the_threads_it_was_given() -> None:
    threads = torch.get_num_threads()
    try:
        built = build_service(Settings(device="cpu", cpu_threads=1), Metrics(), Journal())
        assert torch.get_num_threads() == 1
        assert len(local(built).engine.states) == 2
        assert check_brush_region(segment(built, disk_request()).regions[0], disk_request()).any()
        built.close()
    finally:
        torch.set_num_threads(threads)


def test_weights_that_are_not_there_are_told() -> None:
    with pytest.raises(CheckpointError, match="nothing-like-this"):
        build_service(Settings(model="nothing-like-this"), Metrics(), Journal())


def test_a_device_that_is_not_there_is_told() -> None:
    with pytest.raises(EdgeFlowError, match="abacus") as caught:
        build_service(Settings(device="abacus"), Metrics(), Journal())
    assert "cpu" in caught.value.hint


def test_a_measured_click_is_not_one_that_is_known_already(service: SegmentationService) -> None:
    service.segmenter.warm_up()
    known = len(local(service).engine.states)
    assert local(service).measure_click(brightness=200) > 0
    assert len(local(service).engine.states) == known + 2


# Prompts from outside


class VectorValue(WireModel):
    """A toy: points in percent, each a positive click."""

    points: tuple[tuple[float, float], ...]


class Vector(BaseRegion):
    type: Literal["vectorlabels"]
    value: VectorValue


@dataclass(frozen=True)
class VectorPrompt:
    region: Vector
    labels: tuple[str, ...] = ("Object",)
    first_click: None = None
    outline: None = None

    @classmethod
    def parse(cls, regions: Sequence[JSONObject], *, max_clicks: int) -> Self:  # noqa: ARG003
        return cls(validate(TypeAdapter(Vector), regions[-1]))

    @property
    def newest(self) -> Vector:
        return self.region

    @property
    def ids(self) -> tuple[str, ...]:
        return (self.region.id,)

    @property
    def marks(self) -> frozenset[Hashable]:
        return frozenset({(self.region.id, self.region.value)})

    def clicks(self, size: Size, *, begins: bool = True) -> list[Click]:  # noqa: ARG002
        return [Click(PercentPoint(x, y).to_image(size)) for x, y in self.region.value.points]

    def without(self, count: int) -> Self:  # noqa: ARG002
        return self


def test_a_kind_of_prompt_is_added_by_one_row(
    service: SegmentationService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROMPTS, "vectorlabels", VectorPrompt)
    body = disk_request()
    point = body["params"]["context"]["result"][0]
    vector = {**point, "type": "vectorlabels", "value": {"points": [[50, 50], [45, 55]]}}
    prompt = parse_prompt({"result": [vector]}, max_clicks=9)
    config = parse_label_config(body["label_config"]).for_task(body["tasks"][0]["data"])
    (region,) = service.segment(Request(body["tasks"][0], prompt, config)).regions
    assert [click[1:] for click in region["meta"]["edgeflow"]["clicks"]] == [
        pytest.approx((50, 50, True)),
        pytest.approx((45, 55, True)),
    ]


@pytest.mark.parametrize(
    "url",
    ["", "data:", "file:///etc/passwd", "s3://bucket/a.png", "/a.png", "http://[", "data:,x", "a"],
)
def test_opening_a_task_never_fails(service: SegmentationService, url: str) -> None:
    config = parse_label_config(RECOMMENDED)
    task: JSONObject = {"id": 1, "data": {"image": url}}
    with capture_logs() as logs:
        for project in (ProjectRef("", ""), ProjectRef("nobody", "")):
            prepare(service, task, config.for_task(task["data"]), project)
        until = time.monotonic() + 10
        while len(logs) < 2 and time.monotonic() < until:
            time.sleep(0.01)
    assert [entry["event"] for entry in logs] == ["not loaded ahead"] * 2
    assert {entry["log_level"] for entry in logs} == {"debug"}
