"""No secret of a URL, a header or a body is ever written: log, status page, metrics, answers."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from demo.label_studio import Service, free_port, start_backend
from tests.contract.images import TOKEN, serve_images
from tests.contract.wire import keypoint, request

SECRET = "s3cr3t"
TIMEOUT_S = 30
DEAD = "http://127.0.0.1:1"
URLS = [
    f"{DEAD}/cat.jpg;sig={SECRET}",
    f"{DEAD}/cat.jpg?X-Amz-Signature={SECRET}",
    f"{DEAD}/cat.jpg#{SECRET}",
    f"{DEAD}/cat.jpg%3Fsig={SECRET}",
    f"{DEAD}/t/{SECRET}/cat.jpg",
    f"{DEAD}/t%2F{SECRET}%2Fcat.jpg",
    f"{DEAD}/access_token={SECRET}",
    f"http://{SECRET}:x@127.0.0.1:1/cat.jpg",
    f"http://anna:{SECRET}@127.0.0.1:1/cat.jpg",
    f"http://anna:{SECRET}@[/cat.jpg",
    f"http://anna:{SECRET}@host:99999/cat.jpg",
    f"anna:{SECRET}@host/cat.jpg",
    f"{SECRET}:anna@host/cat.jpg",
    f"ftp://anna:{SECRET}@host/cat.jpg",
    f"s3://bucket/{SECRET}?sig={SECRET}",
    f"data:image/png;{SECRET};base64,{SECRET}",
    f"/data/upload/{SECRET}/missing.png?token={SECRET}",
    f"/data/upload/missing.png;token={SECRET}",
    f"http://127.0.0.1:1\\@{SECRET}:x/cat.jpg",
    f"https://anna:{SECRET}@127.0.0.1:1/a b/{SECRET}/cat.jpg",
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("secrets")
    command = Path(sys.executable).with_name("edgeflow-backend")
    with serve_images() as host:
        environment = {
            "LABEL_STUDIO_URL": host.replace("//", f"//anna:{SECRET}@"),
            "LABEL_STUDIO_API_KEY": TOKEN,
            "EDGEFLOW_ALLOWED_HOSTS": "127.0.0.1",
            "EDGEFLOW_LOG_LEVEL": "DEBUG",
            "EDGEFLOW_BASIC_AUTH_USER": "user",
            "EDGEFLOW_BASIC_AUTH_PASSWORD": f"{SECRET}-2",
        }
        with start_backend(command, free_port(), folder / "log", environment) as service:
            service.wait(60)
            yield service


class Client:
    """Keeps every answer."""

    def __init__(self, service: Service) -> None:
        self.url = service.health.removesuffix("/health")
        self.log = service.log
        self.answers: list[str] = []

    def ask(self, path: str, body: object = None, **kwargs: object) -> requests.Response:
        arguments = {"auth": ("user", f"{SECRET}-2"), "timeout": TIMEOUT_S, **kwargs}
        method = "GET" if body is None else "POST"
        url, allow = self.url + path, {"allow_redirects": False}
        answer = requests.request(method, url, json=body, **arguments, **allow)  # type: ignore[arg-type]
        self.answers.append(f"{answer.headers}{answer.text}")
        return answer

    def check(self) -> None:
        """Assert that nothing secret was written anywhere."""
        for path in ("/status?format=json", "/status?format=html", "/metrics"):
            assert self.ask(path).ok
        written = [*self.answers, self.log.read_text()]
        for secret in (SECRET, TOKEN):
            assert not [text for text in written if secret in text]


@pytest.fixture
def client(service: Service) -> Client:
    return Client(service)


@pytest.mark.parametrize("url", URLS)
def test_of_an_images_url(client: Client, url: str) -> None:
    answer = client.ask("/predict", request(keypoint(45, 60), image=url)).json()["results"][0]
    assert answer["error"]["message"]
    body = request(image=url)
    body["params"]["context"] = None  # a batch call, as when a task is opened
    assert client.ask("/predict", body).ok
    client.check()


def test_of_bodies(client: Client) -> None:
    token = f"Token {SECRET}-0123456789"
    url = f"https://anna:{SECRET}@labels.example/{SECRET}/x"
    setup = {"project": "1.1", "schema": "<View", "hostname": url, "access_token": SECRET}
    assert client.ask("/setup", setup).ok
    hook = {"action": url, "project": {"token": SECRET, "task_data_password": SECRET}}
    client.ask("/webhook", hook)
    body = request(keypoint(45, 60), image=URLS[0])
    body["params"] |= {"login": SECRET, "password": SECRET}
    body["project"] = url
    body["tasks"][0]["id"] = url
    client.ask("/predict", body)
    client.ask("/predict", {**body, "tasks": token})
    client.ask("/predict", {**body, "label_config": f'<View><Image name="{url}"/></View>'})
    client.check()


def test_of_headers_and_routes(client: Client) -> None:
    for headers in ({"Authorization": f"Bearer {SECRET}"}, {"X-Api-Key": SECRET}):
        client.ask("/predict", {}, headers=headers, auth=None)
    assert client.ask("/predict", {}, auth=("anna", SECRET)).status_code == 401
    for path in ("", "/predict", "/setup", "/health", "/status"):
        assert client.ask(f"/hosts/{SECRET}{path}").status_code in (404, 405)
        assert client.ask(f"//hosts/{SECRET}{path}").status_code in (404, 405)
    client.ask(f"/{SECRET}")
    client.ask(f"/predict?token={SECRET}", {})
    client.check()


def test_that_is_in_a_setting(service: Service, client: Client) -> None:
    assert json.loads(client.ask("/status?format=json").text)["model"]["state"] == "ready"
    assert SECRET not in service.log.read_text()
