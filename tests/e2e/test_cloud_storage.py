"""Images in a bucket: a real Label Studio signs, the backend follows without credentials."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pytest

from demo.label_studio import TOKEN
from edgeflow.geometry import Size
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow_backend.errors import FetchError
from edgeflow_backend.protocol.config_check import RECOMMENDED
from edgeflow_backend.settings import Settings
from tests.e2e.bucket import URI, Bucket, connect_bucket, serve_bucket
from tests.e2e.conftest import Studio
from tests.unit.edgeflow_backend.images.located import LocatedImages

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with serve_bucket() as server:
        yield server


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return load_predictor(device="cpu", runtime="auto")


@pytest.fixture(scope="module")
def task(studio: Studio, bucket: Bucket) -> int:
    """A task whose image lies in the bucket."""
    project = studio.client.create_project("cloud", RECOMMENDED)["id"]
    connect_bucket(studio.client, project, bucket)
    studio.client.call("POST", f"projects/{project}/import", json=[{"data": {"image": URI}}])
    (found,) = studio.client.tasks(project)
    number: int = found["id"]
    return number


@contextlib.contextmanager
def provider(predictor: Predictor, **settings: str) -> Iterator[LocatedImages]:
    found = LocatedImages(Settings.model_validate(settings), predictor)
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
