"""Uploads are fetched from a real Label Studio with either kind of token, and the doctor agrees."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from demo.label_studio import EMAIL, TOKEN
from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.credentials import Credentials
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.api.transport import PlainTransport
from edgeflow_backend.connect.connect import connect
from edgeflow_backend.doctor.connection import examine_connection
from edgeflow_backend.doctor.examine import examine
from edgeflow_backend.errors import FetchError
from edgeflow_backend.images.download import Downloader, Limits
from edgeflow_backend.label_studio.access import open_api
from edgeflow_backend.label_studio.connection import Address
from edgeflow_backend.label_studio.transport import GuardedTransport
from edgeflow_backend.protocol.config_check import RECOMMENDED
from edgeflow_backend.settings import Settings
from tests.e2e.conftest import PHOTOS, ROOT, Studio

pytestmark = pytest.mark.e2e

LIMITS = Limits(connect_s=2, read_s=5, total_s=10, max_bytes=10**7)


@pytest.fixture(scope="module")
def upload(studio: Studio) -> str:
    """The address of an uploaded image."""
    project = studio.project("tokens", ["cat"])["id"]
    (task,) = studio.client.tasks(project)
    return f"{studio.url}{task['data']['image']}"


@pytest.fixture(scope="module")
def personal_token(studio: Studio) -> str:
    """A personal access token, made as the account page makes it."""
    settings = {"api_tokens_enabled": True, "legacy_api_tokens_enabled": True}
    studio.client.call("POST", "jwt/settings", json=settings)
    token: str = studio.client.call("POST", "token/")["token"]
    assert token.count(".") == 2
    return token


def fetch(studio: Studio, token: str, address: str) -> bytes:
    credentials = Credentials(GuardedTransport(studio.url, timeout=(2, 5)), token)
    return Downloader(studio.url, credentials, LIMITS).fetch(address)


def is_the_cat(data: bytes) -> bool:
    image = np.array(Image.open(io.BytesIO(data)))
    return bool((image == np.array(Image.open(PHOTOS / "cat.jpg"))).all())


def test_an_upload_is_fetched_with_a_legacy_token(studio: Studio, upload: str) -> None:
    assert is_the_cat(fetch(studio, TOKEN, upload))


def test_an_upload_is_fetched_with_a_personal_access_token(
    studio: Studio, upload: str, personal_token: str
) -> None:
    assert is_the_cat(fetch(studio, personal_token, upload))


@pytest.mark.parametrize("kind", ["legacy", "personal"])
def test_the_api_answers_as_the_client_expects(
    studio: Studio, personal_token: str, kind: str
) -> None:
    transport = PlainTransport(studio.url)
    token = TOKEN if kind == "legacy" else personal_token
    api = LabelStudioAPI(transport, Credentials(transport, token))
    assert api.release().startswith("1.")
    assert api.whoami()["email"] == EMAIL
    project = api.create_project({"title": f"api {kind}", "label_config": RECOMMENDED})
    assert api.project(project.id) == project
    assert project.maximum_annotations == 1
    assert project in list(api.projects())
    names = ("cat", "coins", "rocket")
    api.upload(project.id, {f"{name}.jpg": (PHOTOS / f"{name}.jpg").read_bytes() for name in names})
    tasks = list(api.tasks(project.id, size=2))
    assert [task["data"]["image"].rpartition("-")[2] for task in tasks] == [
        f"{name}.jpg" for name in names
    ]
    first = tasks[0]["id"]
    api.create_prediction(first, [], model_version="v1", score=0.5)
    made = api.post(f"/api/tasks/{first}/annotations/", {"result": []})["id"]
    assert api.update_annotation(made, {"ground_truth": True})["ground_truth"] is True
    assert api.annotation(made)["task"] == first
    whole = next(api.tasks(project.id))
    assert [each["id"] for each in whole["annotations"]] == [made]
    assert [each["model_version"] for each in whole["predictions"]] == ["v1"]
    assert whole["drafts"] == api.task(first)["drafts"] == []
    assert api.ml_backends(project.id) == []
    assert api.webhooks(project.id) == []
    api.delete(f"/api/projects/{project.id}")
    with pytest.raises(LabelStudioError) as caught:
        api.project(project.id)
    assert caught.value.status == 404


def test_a_local_file_is_fetched_through_label_studio(studio: Studio, personal_token: str) -> None:
    project = studio.project("local files", [])["id"]
    storage = {"project": project, "path": str(PHOTOS), "use_blob_urls": True}
    studio.client.call("POST", "storages/localfiles", json=storage)
    path = f"/data/local-files/?d={PHOTOS.relative_to(ROOT)}/cat.jpg"
    for token in (TOKEN, personal_token):
        assert is_the_cat(fetch(studio, token, f"{studio.url}{path}"))


@pytest.mark.parametrize("token", ["", "0" * 40, "a.b.c"])
def test_an_upload_is_not_fetched_with_a_wrong_token(
    studio: Studio, upload: str, token: str
) -> None:
    with pytest.raises(FetchError) as caught:
        fetch(studio, token, upload)
    assert caught.value.hint
    assert token not in caught.value.message or not token


@pytest.mark.slow
def test_the_doctor_finds_everything_in_order(studio: Studio, personal_token: str) -> None:
    project = studio.project("doctor", [])["id"]
    for token in (TOKEN, personal_token):
        settings = Settings(label_studio_url=studio.url, label_studio_api_key=token)
        findings = list(examine(settings, project))
        assert {finding.verdict for finding in findings} == {"ok"}, findings


def test_the_doctor_says_what_is_wrong_with_a_projects_config(studio: Studio) -> None:
    config = """<View><Image name="image" value="$image"/>
      <KeyPointLabels name="kp" toName="image" smart="false"><Label value="A"/></KeyPointLabels>
      <RectangleLabels name="box" toName="image"><Label value="B"/></RectangleLabels></View>"""
    project = studio.client.create_project("bad config", config)["id"]
    settings = Settings(label_studio_url=studio.url, label_studio_api_key=TOKEN)
    texts = [f.text for f in examine(settings, project) if f.verdict == "fail"]
    assert any("KeyPointLabels 'kp' is not smart" in text for text in texts)
    assert any("no mask control" in text for text in texts)
    assert any("RectangleLabels 'box' takes the smart" in text for text in texts)


def test_the_doctor_says_what_keeps_clicks_and_events_away(studio: Studio) -> None:
    project = int(studio.project("connection", [])["id"])
    api = open_api(Settings(label_studio_url=studio.url, label_studio_api_key=TOKEN))
    (first,) = api.ml_backends(project)
    other = studio.backend_url.replace("127.0.0.1", "localhost")

    def failures(url: str) -> list[str]:
        found = examine_connection(api, project, Address(url), version=first.model_version)
        return [finding.text for finding in found if finding.verdict == "fail"]

    assert failures(studio.backend_url) == failures("") == []
    (stranger,) = failures(other)
    assert "this backend is not connected; connected are" in stranger
    *_, last = connect(api, project, Address(other))
    assert last.verdict == "ok"
    (second,) = failures(other)
    assert f"first interactive one, {studio.backend_url}" in second
    fields = {"url": first.url, "project": project, "is_interactive": False}
    api.update_ml_backend(first.id, fields)
    assert failures(other) == []
    (silent,) = failures(studio.backend_url)
    assert "not interactive" in silent
    for webhook in api.webhooks(project):
        api.delete(f"/api/webhooks/{webhook.id}/")
    (deaf,) = failures(other)
    assert "the webhook is missing" in deaf
    assert {finding.verdict for finding in connect(api, project, Address(other))} == {"ok"}
