"""Images are read as the editor shows them: turned, cut short, deeper than 8 bits."""

from __future__ import annotations

import base64
import io
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import requests
from PIL import Image

from tests.contract.images import XMP_TURNED, photo
from tests.contract.wire import JSONObject, check_brush_region, keypoint, request
from tests.unit.edgeflow.images.tiffs import tiff

RGB = np.array(Image.open(io.BytesIO(photo())))
TURNED = Image.Exif()
TURNED[0x112] = 6


def saved(kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(RGB).save(buffer, kind, **options)
    return buffer.getvalue()


def asked(data: bytes) -> JSONObject:
    uri = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    return request(keypoint(45, 60), image=uri)


def mask(url: str, data: bytes) -> npt.NDArray[np.bool_]:
    body = asked(data)
    (answer,) = requests.post(f"{url}/predict", json=body, timeout=20).json()["results"]
    assert "error" not in answer, answer["error"]
    return check_brush_region(answer["result"][0], body) > 127


@pytest.mark.parametrize(
    "data",
    [
        saved("PNG"),
        saved("JPEG", quality=95),
        saved("WEBP", quality=95),
        saved("WEBP", quality=95, exif=TURNED),
        saved("JPEG", quality=95, xmp=XMP_TURNED),
        saved("AVIF", quality=95, xmp=XMP_TURNED),
        cv2.imencode(".png", RGB[..., ::-1].astype(np.uint16) * 257)[1].tobytes(),
        tiff(RGB.astype(np.uint16) * 16, planar=True, order="MM", compression="deflate"),
        tiff(RGB.astype(np.float32) / 255, layout="tiles", compression="deflate"),
    ],
    ids=["PNG", "JPEG", "WebP", "WebP EXIF", "JPEG XMP", "AVIF XMP", "PNG 16", "TIFF 12", "float"],
)
def test_the_mask_lies_where_it_lies_in_the_plain_image(backend_url: str, data: bytes) -> None:
    expected, found = mask(backend_url, photo()), mask(backend_url, data)
    assert (expected & found).sum() / (expected | found).sum() >= 0.8


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
def test_a_truncated_image_is_answered_and_noted(backend_url: str, kind: str) -> None:
    data = saved(kind)
    assert mask(backend_url, data[: len(data) * 9 // 10]).any()
    notes = requests.get(f"{backend_url}/status?format=json", timeout=5).json()["notes"]
    assert any("the image in the task" in note["message"] for note in notes)


def test_a_truncated_image_is_named_by_its_host_and_last_name(backend_url: str) -> None:
    body = request(keypoint(45, 20), image="/data/upload/secret-folder/truncated.png?token=7")
    requests.post(f"{backend_url}/predict", json=body, timeout=20)
    notes = requests.get(f"{backend_url}/status?format=json", timeout=5).json()["notes"]
    (message,) = [note["message"] for note in notes if "truncated.png" in note["message"]]
    assert message.startswith("http://127.0.0.1:")
    assert "secret-folder" not in message
    assert "token" not in message
