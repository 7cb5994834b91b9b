"""A whole backend answers a project by the version that it has learnt, and says so everywhere."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner, Result

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, find
from edgeflow.learning.gate.comparison import Comparison, Figures
from edgeflow.learning.gate.verdict import Verdict
from edgeflow_backend.cli import app
from edgeflow_backend.learning.shelf import OBJECTS
from edgeflow_backend.openapi.status import Status
from edgeflow_backend.protocol.config_check import RECOMMENDED
from edgeflow_backend.settings import Settings
from edgeflow_backend.versions.folders import project_folder, versions_of
from edgeflow_backend.versions.store import Versions
from tests.contract.wire import JSONObject
from tests.unit.edgeflow_backend.examples.studio import CONFIG, PROJECT, TOKEN
from tests.unit.edgeflow_backend.learning.learning import REF
from tests.unit.edgeflow_backend.loopback import Host
from tests.unit.edgeflow_backend.samples import click, data_uri, disk_png
from tests.unit.edgeflow_backend.versions.version_samples import tensors_of

BASE = find(DEFAULT_MODEL)
COMPARED = Comparison(
    objects=12,
    pictures=7,
    before=Figures({85: 6.5, 90: 8.25}, (0.5, 0.7, 0.8)),
    after=Figures({85: 4.25, 90: 6.0}, (0.6, 0.8, 0.85)),
    unit="pictures",
    p=0.01,
    risen=("secret name", 0.01),
    worst_clicks=("secret name", 0.5),
    worst_iou=("secret name", 0.1),
)
BETTER = Verdict(accepted=True, reasons=(), held_out=COMPARED, general=COMPARED, share=0.5)


@pytest.fixture
def versions(learning_settings: Callable[..., Settings]) -> Versions:
    settings = learning_settings()
    folder = project_folder(settings, REF)
    folder.mkdir(parents=True)
    return versions_of(settings, REF)


def learn(versions: Versions, change: float, reason: str = "") -> str:
    version = versions.add(
        tensors_of(BASE, change),
        BASE,
        objects=40,
        verdict=BETTER.to_json(),
        accepted=not reason,
        reason=reason,
    )
    return version.checkpoint.version


def answer(client: FlaskClient) -> JSONObject:
    body = {
        "tasks": [{"id": 1, "data": {"image": data_uri(disk_png())}}],
        "label_config": RECOMMENDED,
        "project": f"{PROJECT}.1700000000",
        "params": {"context": {"result": [click()]}},
    }
    found: JSONObject = client.post("/predict", json=body).get_json()
    return found


def wait_for(client: FlaskClient, version: str) -> None:
    deadline = time.monotonic() + 60
    while answer(client)["model_version"] != version:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def samples(client: FlaskClient, name: str) -> dict[tuple[str, ...], float]:
    """A gauge's values by the labels besides the project."""
    return {
        tuple(value for label, value in sorted(sample.labels.items()) if label != "project"): (
            sample.value
        )
        for family in text_string_to_metric_families(client.get("/metrics").get_data(as_text=True))
        for sample in family.samples
        if sample.name == name
    }


@pytest.mark.usefixtures("studio")
def test_answers_name_the_version_that_made_them_and_so_does_everything_else(
    make_client: Callable[..., FlaskClient], versions: Versions
) -> None:
    refused = learn(versions, 0.01, reason="not better")
    name = learn(versions, 0.05)
    client = make_client(learn_train=False, runtime="torch")
    setup = {"project": f"{PROJECT}.1", "schema": CONFIG}
    assert answer(client)["model_version"] == BASE.version
    before = answer(client)["results"][0]["result"]
    versions.serve(2)
    wait_for(client, name)

    found = answer(client)
    (prediction,) = found["results"]
    assert prediction["model_version"] == name
    assert prediction["result"] != before
    assert prediction["result"][0]["meta"]["edgeflow"]["model"] == name
    assert client.post("/setup", json=setup).get_json()["model_version"] == name
    other = {"project": "9.1"}
    assert client.post("/setup", json=other).get_json()["model_version"] == BASE.version
    assert client.get("/health").get_json()["model_version"] == BASE.version
    of_project = {"versions": [name, BASE.version]}
    assert client.post("/versions", json={"project": f"{PROJECT}.1"}).get_json() == of_project
    assert client.post("/versions", json=other).get_json() == {"versions": [BASE.version]}
    assert client.get("/versions").get_json() == {"versions": [BASE.version, name]}

    status = client.get("/status?format=json").get_json()
    Status.model_validate(status)
    (entry,) = status["learning"]
    assert entry["answers"] == name
    assert [(each["name"], each["state"], each["reason"]) for each in entry["versions"]] == [
        (name, "served", ""), (refused, "refused", "not better"),
    ]  # fmt: skip
    (held_out, general) = entry["versions"][0]["measured"]
    assert (held_out["what"], general["what"]) == ("held out", "general")
    assert held_out["clicks"][0] == {"target": 85, "before": 6.5, "after": 4.25}
    assert held_out["curve"][1] == {"before": 0.7, "after": 0.8}
    page = client.get("/status", headers={"Accept": "text/html"}).get_data(as_text=True)
    assert "6.50 → 4.25 to 85 %" in page
    assert f"Clicks are answered by {name}." in page
    assert "not loaded here" not in page
    curves = re.findall(r'points="\s*([-0-9., ]+)\s*"', page)
    assert curves[1] == "33.0,16.6 63.0,9.8 93.0,8.1", "IoU .6, .8 and .85 after 1, 2 and 3 clicks"
    assert page.count("stroke-dasharray") == 4
    assert "secret name" not in page + str(status)

    assert samples(client, "edgeflow_learnt_version") == {(): 2.0}
    assert samples(client, "edgeflow_learnt_versions") == {("served",): 1.0, ("refused",): 1.0}
    clicks = samples(client, "edgeflow_learnt_version_clicks")
    assert clicks["held out", "85", "after"] == 4.25
    assert len(clicks) == 8

    versions.roll_back("worse")
    wait_for(client, BASE.version)
    assert answer(client)["results"][0]["result"] == before
    assert samples(client, "edgeflow_learnt_version") == {(): 0.0}


@pytest.mark.usefixtures("studio")
def test_an_event_changes_nothing_of_what_is_served(
    make_client: Callable[..., FlaskClient], versions: Versions
) -> None:
    learn(versions, 0.05)
    client = make_client(learn_train=False, runtime="torch")
    forged: dict[str, Any] = {
        "project": {"id": PROJECT},
        "version": 1,
        "served": {"number": 1},
        "model_version": "edgeflow_lite.5.1",
    }
    for action in ("START_TRAINING", "PROJECT_UPDATED", "ANNOTATION_CREATED"):
        assert client.post("/webhook", json={"action": action, **forged}).status_code == 201
    assert [each.state for each in versions.all()] == ["accepted"]
    assert answer(client)["model_version"] == BASE.version


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, host: Host, versions: Versions, learning_settings: Any
) -> Callable[..., Result]:
    """Runs ``edgeflow-backend learn``; the store of versions is there."""
    assert versions.all() == []
    monkeypatch.setenv("LABEL_STUDIO_URL", host.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", TOKEN)
    monkeypatch.setenv("EDGEFLOW_LEARN_PROJECTS", str(PROJECT))
    monkeypatch.setenv("EDGEFLOW_LEARN_DIR", str(learning_settings().learn_folder))
    return lambda *words: CliRunner().invoke(app, ["learn", *words, "--project", str(PROJECT)])


def test_versions_are_listed_served_rolled_back_and_forgotten_by_commands(
    command: Callable[..., Result], versions: Versions, learning_settings: Any
) -> None:
    assert "the base weights answer" in command("versions").stdout
    assert "already" in command("rollback").stderr
    first, _ = learn(versions, 0.01), learn(versions, 0.02, reason="not better")
    assert f"answered by {first}" in command("serve", "1").stdout
    listed = command("versions").stdout
    assert f"version 1, served: {first}" in listed
    assert "held out, 12 objects: 6.50 → 4.25 clicks to 85 %, 8.25 → 6.00 clicks to 90 %" in listed
    assert listed.index("2, refused") < listed.index("1, served")
    assert "   not better" in listed
    done = command("serve", "2")
    assert (done.exit_code, "was refused: not better" in done.stderr) == (1, True)
    done = command("rollback", "--reason", "odd edges")
    assert f"version 1 ({first}) is withdrawn" in done.stdout
    assert "answered by the base weights" in done.stdout
    assert "odd edges" in command("versions").stdout
    (project_folder(learning_settings(), REF) / "versions" / "notes.txt").touch()
    assert "notes.txt: left out, it is no version" in command("versions").stdout
    (project_folder(learning_settings(), REF) / OBJECTS).touch()
    assert "erased" in command("forget").stdout
    assert list(learning_settings().learn_folder.rglob("*")) == []


def test_a_verdict_of_another_form_is_shown_without_figures(
    command: Callable[..., Result], versions: Versions
) -> None:
    versions.add(tensors_of(BASE), BASE, objects=1, verdict={"held_out": 3}, accepted=True)
    done = command("versions")
    assert (done.exit_code, "1, accepted" in done.stdout) == (0, True)


@pytest.mark.usefixtures("versions")
def test_a_label_studio_that_is_none_is_refused(command: Callable[..., Result]) -> None:
    done = command("versions", "--host", "b")
    assert (done.exit_code, "EDGEFLOW_LABEL_STUDIO_HOSTS" in done.stderr) == (1, True)
