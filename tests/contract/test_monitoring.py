"""The dashboard and the alerts in deploy/, held against what the running backend exposes.

Where Prometheus is installed, it scrapes the backend, asks every panel's question and evaluates
every alert. CI has it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families

from demo.label_studio import Service, free_port
from edgeflow_backend.cluster.remote import RemoteSegmenter
from edgeflow_backend.cluster.replicas import Fleet, Replicas
from edgeflow_backend.cluster.wire import Described, Reply
from edgeflow_backend.segmenter.segmenter import Model
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics
from tests.contract.promql import Selector, groupings, selectors
from tests.contract.wire import keypoint, request

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "deploy/grafana/edgeflow.json").read_text("utf-8"))
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
RULES = [
    rule for group in yaml.safe_load(ALERTS.read_text("utf-8"))["groups"] for rule in group["rules"]
]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUESTIONS = [target["expr"] for panel in PANELS for target in panel["targets"]] + [
    each["expr"] for each in DASHBOARD["annotations"]["list"] if "expr" in each
]
EXPRESSIONS = QUESTIONS + [rule["expr"] for rule in RULES]
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def clicked(backend_service: Service) -> str:
    """URL of a backend that has seen a click of each kind, and an event."""
    url = backend_service.health.removesuffix("/health")
    for image in ("/data/upload/1/photo.png", "/data/upload/1/missing.png"):
        body = request(keypoint(40, 40, key="monitoring"), image=image)
        assert requests.post(f"{url}/predict", json=body, timeout=30).ok
    assert requests.post(f"{url}/predict", data=b"x", timeout=30).status_code == 400
    assert requests.post(f"{url}/webhook", json={"action": "ANNOTATION_CREATED"}, timeout=30).ok
    dropped = requests.post(f"{url}/predict", headers={"Content-Length": "x"}, timeout=30)
    assert dropped.status_code == 400
    return url


class Nobody(Replicas):
    """Replicas that nobody asks."""

    fleet = Fleet(2, 2)

    def ask(self, method: str, key: str, value: object, *, deadline: float) -> Reply[Any]:
        raise NotImplementedError

    def tell(self, method: str, key: str, value: object) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


def of_a_door() -> str:
    """What the metrics of a cluster's door are."""
    metrics = Metrics()
    RemoteSegmenter(Settings(), Nobody(), Described("", Model(None, ""), ""), metrics)
    return metrics.render().decode()


def exposed(url: str) -> dict[str, frozenset[str]]:
    """Each series' name and labels, also of metrics that have none yet."""
    found: dict[str, frozenset[str]] = {}
    text = requests.get(f"{url}/metrics", timeout=30).text + of_a_door()
    for family in text_string_to_metric_families(text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found.setdefault(name, frozenset())
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, frozenset()) | frozenset(sample.labels)
    return found


def test_every_series_is_one_that_the_backend_exposes_with_these_labels(clicked: str) -> None:
    series = {**exposed(clicked), "up": frozenset()}  # Prometheus' own
    asked = {selector for expression in EXPRESSIONS for selector in selectors(expression)}
    assert sorted(each.metric for each in asked if each.metric not in series) == []
    without_series = {"edgeflow_http_dropped_total": frozenset({"reason"})}
    labels = {**series, **without_series}
    assert [each for each in asked if not each.labels <= labels[each.metric]] == []
    for expression in EXPRESSIONS:
        known = {label for each in selectors(expression) for label in labels[each.metric]}
        assert groupings(expression) <= known, expression


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("up == 0", [Selector("up", frozenset())]),
        (
            'sum by (le, stage) (rate(a_bucket{instance=~"$instance", stage!="x y"}[5m])) > 0.5',
            [Selector("a_bucket", frozenset({"stage"}))],
        ),
        (
            "a / on (job) group_left (b) max without (c) (d offset 5m) or vector(1)",
            [Selector("a", frozenset()), Selector("d", frozenset())],
        ),
    ],
)
def test_series_are_found_in_expressions(expression: str, expected: list[Selector]) -> None:
    assert selectors(expression) == expected


def test_the_dashboard_can_be_imported_anywhere() -> None:
    variables = {each["name"]: each for each in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    assert "id" not in DASHBOARD  # it would replace another dashboard
    assert DASHBOARD["uid"]
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    for panel in PANELS:
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert {source["uid"] for source in sources} == {"${datasource}"}, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["title"]
        assert panel["description"]
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references))
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD)))
    assert used - {"__rate_interval", "__all"} == set(variables)


def test_no_two_panels_overlap_and_none_leaves_the_page() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]


def test_every_alert_has_its_runbook() -> None:
    page = (ROOT / "docs/operations.md").read_text("utf-8")
    headings = re.findall(r"^### (EdgeFlow\w+)$", page, re.MULTILINE)
    assert headings == [rule["alert"] for rule in RULES]
    for rule in RULES:
        anchor = rule["alert"].lower()
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{anchor}"
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}


def program(name: str) -> str:
    """A program of Prometheus; without it, tests fail in CI and are skipped aloud elsewhere."""
    found = shutil.which(name)
    if found is None:
        message = f"NO {name} FOUND: dashboard and alerts were not evaluated (install prometheus)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


def test_each_alert_fires_on_what_it_is_for() -> None:
    tests = ALERTS.with_name("alerts_test.yml")
    named = {
        case["alertname"]
        for test in yaml.safe_load(tests.read_text("utf-8"))["tests"]
        for case in test["alert_rule_test"]
        if case["exp_alerts"]
    }
    assert named == {rule["alert"] for rule in RULES}
    command = [program("promtool"), "test", "rules", tests.name]
    done = subprocess.run(command, cwd=tests.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[str]:
    """A Prometheus that scrapes the backend twice a second; yields its URL."""
    port = free_port()
    configuration = {
        "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
        "rule_files": [str(ALERTS)],
        "scrape_configs": [{"job_name": "edgeflow", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    command = [
        program("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    with Service(command, f"http://127.0.0.1:{port}/-/ready", folder / "log", {}) as service:
        service.wait(PATIENCE_S)
        yield f"http://127.0.0.1:{port}"


def test_a_real_prometheus_answers_every_panel(clicked: str, tmp_path: Path) -> None:
    def ask(url: str, path: str, **params: str) -> Any:
        answer = requests.get(f"{url}/api/v1/{path}", params=params, timeout=30).json()
        assert answer["status"] == "success", (params, answer)
        return answer["data"]

    with prometheus(tmp_path, clicked.removeprefix("http://")) as url:
        give_up = time.monotonic() + PATIENCE_S
        while not ask(url, "query", query="count_over_time(edgeflow_model_ready[1m]) > 2")[
            "result"
        ]:
            assert time.monotonic() < give_up
            time.sleep(0.1)
        silent = []
        for question in QUESTIONS:
            query = question.replace("$__rate_interval", "1m").replace("$instance", ".+")
            if not ask(url, "query", query=query)["result"]:
                silent.append(question)
        groups = ask(url, "rules", type="alert")["groups"]
    # Nothing was dropped, the backend was not just started, and it has no cluster.
    allowed = re.compile("dropped|changes|cluster")
    assert [each for each in silent if not allowed.search(each)] == []
    states = {rule["name"]: rule for group in groups for rule in group["rules"]}
    assert {name: rule["health"] for name, rule in states.items()} == {
        rule["alert"]: "ok" for rule in RULES
    }
    assert states["EdgeFlowDown"]["state"] == "inactive"
