"""What bad input gets: a clear answer in time, never a crash, and the next good request works."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator

import pytest
import requests

from demo.label_studio import Service
from tests.contract.images import photo, png_header
from tests.contract.openapi import check_answer
from tests.contract.wire import JSONObject, check_brush_region, keypoint, request

DEADLINE_S = 10
GOOD = request(keypoint(45, 60))


@pytest.fixture(autouse=True)
def _the_next_good_request_works(backend_url: str) -> Iterator[None]:
    yield
    answer = requests.post(f"{backend_url}/predict", json=GOOD, timeout=DEADLINE_S).json()
    check_brush_region(answer["results"][0]["result"][0], GOOD)


@pytest.fixture(autouse=True)
def _no_secret_reaches_the_log(backend_service: Service) -> Iterator[None]:
    yield
    log = backend_service.log.read_text()
    assert "t0000" not in log
    assert "base64" not in log


def post(url: str, body: object = None, **kwargs: object) -> requests.Response:
    started = time.monotonic()
    response = requests.post(f"{url}/predict", json=body, timeout=DEADLINE_S, **kwargs)  # type: ignore[arg-type]
    assert time.monotonic() - started < DEADLINE_S
    assert "Traceback" not in response.text
    return response


def unserved(url: str, body: JSONObject) -> JSONObject:
    """Post a well-formed request that cannot be served; return its error."""
    before = failures(url)
    response = post(url, body)
    assert response.status_code == 200, response.text
    check_answer("/predict", 200, response.json())
    (prediction,) = response.json()["results"]
    assert prediction["result"] == []
    error: JSONObject = prediction["error"]
    assert error["message"]
    assert error["hint"]
    assert failures(url).get(error["code"], 0) == before.get(error["code"], 0) + 1
    return error


def refused(response: requests.Response, status: int) -> JSONObject:
    """Check an HTTP error's shape; return its error."""
    assert response.status_code == status, response.text
    error: JSONObject = response.json()["error"]
    assert set(error) - {"id"} == {"code", "message", "hint"}
    assert all(error.values())
    return error


def failures(url: str) -> dict[str, float]:
    """The counters of predictions by outcome."""
    counts = {}
    for line in requests.get(f"{url}/metrics", timeout=5).text.splitlines():
        if line.startswith("edgeflow_predictions_total{"):
            label, value = line.rsplit(" ", 1)
            counts[label.split('"')[1]] = float(value)
    return counts


@pytest.mark.parametrize(("x", "y"), [(101, 50), (50, -1), (1e9, 50), (-1e9, -1e9)])
def test_a_click_outside_the_image_gets_an_empty_result(
    backend_url: str, x: float, y: float
) -> None:
    error = unserved(backend_url, request(keypoint(x, y)))
    assert error["code"] == "prompt_unusable"
    assert "outside" in error["message"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_coordinate_that_is_no_number_is_refused(backend_url: str, number: str) -> None:
    body = requests.Request("POST", "http://x", json=request(keypoint(45, 60))).prepare().body
    assert isinstance(body, bytes)
    response = post(backend_url, data=body.replace(b'"x": 45', b'"x": ' + number.encode()))
    refused(response, 400)


@pytest.mark.parametrize("value", ["50", None, [], {}, True])
def test_a_coordinate_of_the_wrong_type_gets_an_empty_result(
    backend_url: str, value: object
) -> None:
    point = keypoint(45, 60)
    point["value"]["x"] = value
    if value in ("50", True):  # pydantic reads these as numbers; a region or a refusal will do
        assert post(backend_url, request(point)).status_code in (200, 400)
    else:
        assert "value.x" in unserved(backend_url, request(point))["message"]


def test_ten_thousand_clicks_get_an_empty_result_at_once(backend_url: str) -> None:
    points = [keypoint(45, 60, key=str(number)) for number in range(10_000)]
    started = time.monotonic()
    error = unserved(backend_url, request(*points))
    assert "10000 clicks" in error["message"]
    assert time.monotonic() - started < 3


def test_no_clicks_get_an_empty_result(backend_url: str) -> None:
    assert "no clicks" in unserved(backend_url, request())["message"]


def test_only_negative_clicks_get_an_empty_result(backend_url: str) -> None:
    body = request(keypoint(45, 60, positive=False), keypoint(10, 10, positive=False))
    assert "negative" in unserved(backend_url, body)["message"]


def test_an_unknown_label_gets_an_empty_result_that_names_it(backend_url: str) -> None:
    point = keypoint(45, 60)
    point["value"]["keypointlabels"] = point["value"]["labels"] = ["Zebra"]
    assert "Zebra" in unserved(backend_url, request(point))["message"]


@pytest.mark.parametrize(
    "config",
    [
        (
            '<View><Image name="image" value="$image"/>'
            '<KeyPointLabels name="click" toName="image"><Label value="Object"/></KeyPointLabels>'
            "</View>"
        ),
        "<View/>",
        "<View><Image",
        "",
        '<!DOCTYPE v [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><View>&b;</View>',
    ],
    ids=["no mask control", "empty", "broken", "none", "entities"],
)
def test_an_unusable_labelling_config_gets_an_empty_result(backend_url: str, config: str) -> None:
    body = request(keypoint(45, 60), config=config)
    assert unserved(backend_url, body)["code"] == "label_config"


def test_a_truncated_image_is_read_as_far_as_it_goes(backend_url: str) -> None:
    body = request(keypoint(45, 60), image="/data/upload/truncated.png")
    (answer,) = post(backend_url, body).json()["results"]
    assert answer.get("error", {}).get("code") != "image_unreadable"


@pytest.mark.parametrize(
    "content", [b"", b"plain text", b"%PDF-1.7 ...", bytes(1000), b"\xff\xd8\xff\xe0", b"GIF89a"]
)
def test_a_file_that_is_no_image_gets_an_empty_result(backend_url: str, content: bytes) -> None:
    image = "data:image/png;base64," + base64.b64encode(content).decode()
    error = unserved(backend_url, request(keypoint(45, 60), image=image))
    assert error["code"] == "image_unreadable"


@pytest.mark.parametrize("inline", [True, False])
def test_an_image_of_60000_by_60000_pixels_is_refused_before_decoding(
    backend_url: str, *, inline: bool
) -> None:
    code = base64.b64encode(png_header(60_000, 60_000)).decode()
    image = f"data:image/png;base64,{code}" if inline else "/data/upload/huge.png"
    error = unserved(backend_url, request(keypoint(45, 60), image=image))
    assert error["code"] == "image_too_large"


def test_an_html_page_instead_of_an_image_is_named(backend_url: str) -> None:
    error = unserved(backend_url, request(keypoint(45, 60), image="/data/upload/html"))
    assert "HTML page" in error["message"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.png", "404"),
        ("unauthorised.png", "401"),
        ("silent.png", "in time"),
        ("dripping.png", "in time"),
        ("large-file.png", "larger than"),
    ],
)
def test_an_image_that_cannot_be_fetched_gets_an_empty_result(
    backend_url: str, name: str, said: str
) -> None:
    error = unserved(backend_url, request(keypoint(45, 60), image=f"/data/upload/{name}"))
    assert error["code"] == "image_fetch"
    assert said in error["message"]


@pytest.mark.parametrize(
    "image",
    ["", "file:///etc/passwd", "s3://bucket/key", "http://127.0.0.1:1/x.png", "http://[", "//x/y"],
)
def test_an_image_address_that_leads_nowhere_gets_an_empty_result(
    backend_url: str, image: str
) -> None:
    error = unserved(backend_url, request(keypoint(45, 60), image=image))
    assert error["code"] == "image_fetch"


def test_a_body_over_the_limit_gets_a_413_that_names_the_limit(backend_url: str) -> None:
    response = post(backend_url, data=b" " * 9_000_000)
    assert "EDGEFLOW_MAX_BODY_MB" in refused(response, 413)["hint"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"hello", b"[1, 2]", b'"text"', b"null", b"\xff\xfe", b"[" * 100_000],
    ids=["empty", "cut", "words", "list", "string", "null", "not utf-8", "deeply nested"],
)
def test_a_body_that_is_no_json_object_is_refused(backend_url: str, body: bytes) -> None:
    refused(post(backend_url, data=body), 400)


@pytest.mark.parametrize(
    "change",
    [
        {"tasks": None},
        {"tasks": "all"},
        {"tasks": [1]},
        {"tasks": [{"id": 1}]},
        {"params": []},
        {"params": {"context": []}},
        {"params": {"context": {"result": "x"}}},
        {"params": {"context": {"result": [None]}}},
        {"params": {"context": {"result": [{}]}}},
    ],
    ids=str,
)
def test_a_request_of_another_form_is_refused(backend_url: str, change: JSONObject) -> None:
    refused(post(backend_url, {**request(keypoint(45, 60)), **change}), 400)


def test_a_prompt_without_a_place_gets_an_empty_result(backend_url: str) -> None:
    body = request({"type": "keypointlabels"})
    assert "value" in unserved(backend_url, body)["message"]


def test_an_unknown_address_gets_a_404_in_json(backend_url: str) -> None:
    refused(requests.get(f"{backend_url}/admin", timeout=5), 404)
    refused(requests.get(f"{backend_url}/predict", timeout=5), 405)


@pytest.mark.parametrize("size", [(1280, 960), (480, 640), (10**6, 10**6)])
def test_an_image_whose_size_the_request_gets_wrong_gets_an_empty_result(
    backend_url: str, size: tuple[int, int]
) -> None:
    width, height = size
    body = request(keypoint(45, 60, original_width=width, original_height=height))
    assert f"{width}×{height}" in unserved(backend_url, body)["message"]


def test_the_sample_image_is_the_size_the_keypoints_say() -> None:
    assert photo()[16:24] == (640).to_bytes(4, "big") + (480).to_bytes(4, "big")
