"""Backends that share a real Redis: one is killed between two clicks, another one goes on."""

from __future__ import annotations

import base64
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import redis
import requests
import yaml

from demo.label_studio import Service, free_port, start_backend
from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow_backend.objects.signs import HUMAN_PACE_S
from tests.contract.images import photo
from tests.contract.tls import Authority
from tests.contract.wire import JSONObject, keypoint, request
from tests.redis_server import PASSWORD, RedisServer, redis_server

pytestmark = pytest.mark.slow

IMAGE = "data:image/png;base64," + base64.b64encode(photo()).decode()
ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("edgeflow-backend")
ENVIRONMENT = {
    "EDGEFLOW_REFINE": "annotations",  # as in a project where one person annotates each task
    "EDGEFLOW_REDIS_KEY": "a-secret-of-these-tests",
    # A machine that runs other tests may be slow; what happens then is another test.
    "EDGEFLOW_REDIS_CONNECT_TIMEOUT_S": "5",
    "EDGEFLOW_REDIS_TIMEOUT_S": "5",
    "EDGEFLOW_CPU_THREADS": "1",
    "EDGEFLOW_RUNTIME": "torch",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Redis over TLS, with a password."""
    authority = Authority(tmp_path_factory.mktemp("authority"))
    folder = tmp_path_factory.mktemp("redis")
    with redis_server(folder, authority.certificate(), authority.file) as server:
        yield server


@contextlib.contextmanager
def backend(folder: Path, shared: RedisServer, **more: str) -> Iterator[tuple[Service, str]]:
    environment = {
        **ENVIRONMENT,
        "EDGEFLOW_REDIS_URL": shared.url,
        "EDGEFLOW_CA_BUNDLE": str(shared.ca),
        **more,
    }
    with start_backend(COMMAND, free_port(), folder / "backend.log", environment) as service:
        service.wait(60)
        yield service, service.health.removesuffix("/health")


def ask(url: str, task: int, point: JSONObject) -> JSONObject:
    """The region for one click, which arrives alone, as with auto-accept on."""
    body = request(point, image=IMAGE)
    body["tasks"][0]["id"] = task
    time.sleep(2 * HUMAN_PACE_S)  # sooner after an answer, a click is another person's
    answer = requests.post(f"{url}/predict", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    prediction = answer.json()["results"][0]
    assert "error" not in prediction, prediction
    (region,) = prediction["result"]
    found: JSONObject = region
    return found


def steps(url: str) -> float:
    lines = requests.get(f"{url}/metrics", timeout=60).text.splitlines()
    line = next(line for line in lines if line.startswith("edgeflow_network_steps_total"))
    return float(line.split()[1])


FIRST = keypoint(35, 30, key="one")


def second_click(first: JSONObject) -> JSONObject:
    """A negative click on the first one's mask, as far from that click as can be."""
    mask = decode_brush(first["value"]["rle"], Size(480, 640)) > 0
    rows, cols = np.nonzero(mask)
    away = np.hypot(rows - 0.30 * 480, cols - 0.35 * 640)
    far = int(np.argmax(away))
    x, y = (float(v + 0.5) for v in (cols[far], rows[far]))
    return keypoint(100 * x / 640, 100 * y / 480, key="two", positive=False)


def test_a_backend_that_is_killed_between_two_clicks_is_followed_by_one_that_goes_on(
    tmp_path: Path, shared: RedisServer
) -> None:
    # The other one is there already: an answer that is not stored counts for ten seconds only.
    with backend(tmp_path, shared) as (service, url), backend(tmp_path, shared) as (_, other):
        undisturbed = [ask(url, 1, FIRST)]
        again = second_click(undisturbed[0])
        undisturbed.append(ask(url, 1, again))
        assert undisturbed[1]["meta"] != undisturbed[0]["meta"]
        assert clicked(undisturbed[1]) == [FIRST["id"], again["id"]]
        first = ask(url, 2, FIRST)
        service.process.kill()  # at once: nothing is left to be written
        service.process.wait()
        before = steps(other)
        second = ask(other, 2, again)
        took = steps(other) - before
        status = requests.get(f"{other}/status?format=json", timeout=60).json()
        in_redis = [name.decode().split(":") for name in shared.client.keys("*")]
    assert first["value"] == undisturbed[0]["value"]
    assert second["value"] == undisturbed[1]["value"]
    assert second["score"] == undisturbed[1]["score"]
    assert second["id"] == first["id"], "it takes the first one's place"
    assert clicked(second) == clicked(undisturbed[1])
    assert took == 0, "task 1 had the same image and clicks: no step is run again"
    assert [each["use"] for each in status["shared"]] == ["click states", "recent answers"]
    assert all(each["reached"] for each in status["shared"])
    # Neither addresses nor tasks can be read, and no password is in a log.
    assert {kind for _, _, kind, _ in in_redis} == {"state", "answers", "signs"}
    assert all(len(digest) == 64 for *_, digest in in_redis)
    log = (tmp_path / "backend.log").read_text()
    assert PASSWORD not in log
    assert ENVIRONMENT["EDGEFLOW_REDIS_KEY"] not in log


def clicked(region: JSONObject) -> list[str]:
    return [click[0] for click in region["meta"]["edgeflow"]["clicks"]]


def test_the_redis_of_the_compose_file_starts_with_its_password(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    compose = yaml.safe_load((ROOT / "docker" / "compose.redis.yml").read_text())
    (command,) = compose["services"]["redis"]["command"]
    assert "exec valkey-server -" in command
    here = f"exec {server.program} - --port {server.port} --bind 127.0.0.1 --dir {tmp_path}"
    command = command.replace("$$", "$").replace("exec valkey-server -", here)
    environment = {**os.environ, "REDIS_PASSWORD": PASSWORD}
    process = subprocess.Popen(["sh", "-c", command], env=environment, stdout=subprocess.DEVNULL)
    try:
        server.wait()
        assert server.client.config_get("maxmemory-policy")["maxmemory-policy"] == "allkeys-lru"
        stranger = redis.Redis(port=server.port)
        with pytest.raises(redis.AuthenticationError):
            stranger.ping()
        stranger.close()
    finally:
        with contextlib.suppress(redis.ConnectionError):
            server.client.shutdown(nosave=True)
        process.terminate()
        process.wait(10)
