"""Images in a bucket: a real Label Studio signs, the backend follows without credentials."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from demo.label_studio import TOKEN
from edgeflow.geometry import Size
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow_backend.errors import FetchError
from edgeflow_backend.images.provider import ImageProvider
from edgeflow_backend.protocol.config_check import RECOMMENDED
from edgeflow_backend.settings import Settings
from tests.e2e.conftest import PHOTOS, Studio

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

NAME = "images"
URI = f"s3://{NAME}/the cat.jpg"
LISTING = f"""<?xml version="1.0"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{NAME}</Name>
<KeyCount>0</KeyCount><MaxKeys>1</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>"""


class Bucket(ThreadingHTTPServer):
    """As much of S3 as Label Studio asks before it takes a bucket; notes who fetched images."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fetched: list[tuple[bool, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Bucket

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == f"/{NAME}/the%20cat.jpg":
            signed = "X-Amz-Signature" in parse_qs(parts.query) or "Signature" in parts.query
            self.server.fetched.append((signed, self.headers.get("Authorization")))
            self._send((PHOTOS / "cat.jpg").read_bytes(), "image/jpeg")
        else:
            self._send(LISTING.encode(), "application/xml")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    server = Bucket()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return load_predictor(device="cpu", runtime="auto")


@pytest.fixture(scope="module")
def task(studio: Studio, bucket: Bucket) -> int:
    """A task whose image lies in the bucket."""
    project = studio.client.create_project("cloud", RECOMMENDED)["id"]
    storage = {
        "project": project, "bucket": NAME, "prefix": "", "aws_access_key_id": "AK",
        "aws_secret_access_key": "SK", "s3_endpoint": bucket.url, "region_name": "us-east-1",
        "use_blob_urls": True, "presign": True, "title": NAME,
    }  # fmt: skip
    studio.client.call("POST", "storages/s3", json=storage)
    studio.client.call("POST", f"projects/{project}/import", json=[{"data": {"image": URI}}])
    (found,) = studio.client.tasks(project)
    number: int = found["id"]
    return number


@contextlib.contextmanager
def provider(predictor: Predictor, **settings: str) -> Iterator[ImageProvider]:
    found = ImageProvider(Settings.model_validate(settings), predictor)
    try:
        yield found
    finally:
        found.close()


def soon() -> float:
    return time.monotonic() + 30


def test_an_image_in_a_bucket_is_fetched_signed_and_without_the_token(
    studio: Studio, bucket: Bucket, predictor: Predictor, task: int
) -> None:
    where = f"127.0.0.1:{bucket.server_port}"
    with provider(
        predictor,
        label_studio_url=studio.url,
        label_studio_api_key=TOKEN,
        allowed_hosts=where,
    ) as images:
        bucket.fetched.clear()
        assert images.get(URI, deadline=soon(), task_id=task).size == Size(300, 451)
        assert images.get(URI, deadline=soon(), task_id=task).size == Size(300, 451)
    assert bucket.fetched == [(True, None)]  # once, and no Authorization header


def test_a_bucket_on_a_private_address_must_be_allowed(
    studio: Studio, predictor: Predictor, task: int
) -> None:
    with (
        provider(predictor, label_studio_url=studio.url, label_studio_api_key=TOKEN) as images,
        pytest.raises(FetchError, match="private IP") as caught,
    ):
        images.get(URI, deadline=soon(), task_id=task)
    assert "EDGEFLOW_ALLOWED_HOSTS" in caught.value.hint


def test_a_bucket_that_the_project_does_not_have_is_told(
    studio: Studio, predictor: Predictor, task: int
) -> None:
    with (
        provider(predictor, label_studio_url=studio.url, label_studio_api_key=TOKEN) as images,
        pytest.raises(FetchError) as caught,
    ):
        images.get("s3://elsewhere/cat.jpg", deadline=soon(), task_id=task)
    assert caught.value.hint
    assert TOKEN not in caught.value.message
