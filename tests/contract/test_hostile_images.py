"""Images that mean hours of work or gigabytes: refused in words and at once, at the HTTP door."""

from __future__ import annotations

import base64
import time

import pytest
import requests

from tests.contract.images import photo
from tests.contract.wire import keypoint, request
from tests.unit.edgeflow_backend.images.decoding.hostile import many_chunks, many_scans, tall_png


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (tall_png(), "image_too_large", "1×80000000"),
        (tall_png(70_000), "image_too_large", "65535"),
        (many_scans(20_000), "image_unreadable", "500 JPEG scans"),
        (many_chunks(70_000), "image_unreadable", "PNG chunks"),
    ],
    ids=["tall", "long side", "scans", "chunks"],
)
def test_it_is_refused_and_told_on_the_status_page(
    backend_url: str, data: bytes, code: str, words: str
) -> None:
    body = request(keypoint(45, 60), image=uri(data))
    started = time.monotonic()
    (prediction,) = requests.post(f"{backend_url}/predict", json=body, timeout=10).json()["results"]
    assert time.monotonic() - started < 2
    assert prediction["result"] == []
    error = prediction["error"]
    assert error["code"] == code
    assert words in error["message"]
    assert error["hint"]
    troubles = requests.get(f"{backend_url}/status?format=json", timeout=5).json()["troubles"]
    assert error["id"] in {trouble["id"] for trouble in troubles}


def test_an_ordinary_image_opens_beside_them(backend_url: str) -> None:
    body = request(keypoint(45, 60), image=uri(photo()))
    answer = requests.post(f"{backend_url}/predict", json=body, timeout=10).json()
    assert answer["results"][0]["result"]


def uri(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"
