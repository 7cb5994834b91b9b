"""The manifests in deploy/kubernetes, held against Kubernetes' schemas and this backend."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from dockerfile_parse import DockerfileParser
from pydantic import SecretStr

from edgeflow_backend.app import create_app
from edgeflow_backend.server.limits import DRAIN_S
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.settings import Settings

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "kubernetes"
BASE = FOLDER / "base"
OLDEST, NEWEST = "1.29", kubernetes_validate.latest_version()
KINDS_OF_OTHERS = {"Kustomization", "ServiceMonitor"}
"""Kinds that are no part of Kubernetes, whose schemas do not come with it."""

Document = dict[str, Any]


def load(path: Path) -> Document:
    """The only document of a file."""
    document: Document = yaml.safe_load(path.read_text("utf-8"))
    return document


KUSTOMIZATIONS = sorted(FOLDER.rglob("kustomization.yaml"))
OURS = [
    path
    for made in KUSTOMIZATIONS
    for path in (made.parent / name for name in load(made)["resources"])
    if path.is_file() and load(path)["kind"] not in KINDS_OF_OTHERS
]
CLUSTER = FOLDER / "cluster"
DEPLOYMENT, SERVICE, CONFIG, BUDGET, POLICY, MONITOR = (
    load(path)
    for path in (
        BASE / "deployment.yaml",
        BASE / "service.yaml",
        BASE / "configmap.yaml",
        BASE / "poddisruptionbudget.yaml",
        BASE / "networkpolicy.yaml",
        FOLDER / "monitoring" / "servicemonitor.yaml",
    )
)
POD = DEPLOYMENT["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
DOCKERFILE = DockerfileParser(path=str(ROOT / "docker"), env_replace=False).structure
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def by_name(path: Path) -> str:
    return str(path.relative_to(FOLDER))


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("path", OURS, ids=by_name)
def test_kubernetes_accepts_the_manifests(path: Path, version: str) -> None:
    kubernetes_validate.validate(load(path), version, strict=True)


def test_a_misspelt_field_would_be_noticed() -> None:
    wrong = {**BUDGET, "spec": {**BUDGET["spec"], "maximumUnavailable": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, NEWEST, strict=True)


@pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=by_name)
def test_every_manifest_is_listed(path: Path) -> None:
    names = [*load(path)["resources"]]
    names += [patch["path"] for patch in load(path).get("patches", []) if "path" in patch]
    listed = {(path.parent / name).resolve() for name in names}
    assert all(each.exists() for each in listed)
    beside = {each for each in path.parent.glob("*.yaml") if each != path}
    assert beside <= listed


def rendered(overlay: str) -> dict[str, Document]:
    """What ``kubectl apply -k`` would send, by kind and, where it is not ``edgeflow``, name."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        assert not os.environ.get("CI"), "CI needs kubectl, which puts the overlays together"
        pytest.skip("NO kubectl FOUND: the overlays were not put together (install kubectl)")
    command = [kubectl, "kustomize", str(FOLDER / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {
        f"{document['kind']} {document['metadata']['name']}".removesuffix(" edgeflow"): document
        for document in yaml.safe_load_all(done.stdout)
    }


def test_what_the_overlays_make_is_accepted_and_kept_apart() -> None:
    base, monitored = map(rendered, ("base", "monitoring"))
    second = {key.removesuffix(" edgeflow-second"): one for key, one in rendered("second").items()}
    for document in [*base.values(), *second.values()]:
        kubernetes_validate.validate(document, NEWEST, strict=True)
    assert monitored.keys() - base.keys() == {"ServiceMonitor"}
    assert not {each["metadata"]["name"] for each in base.values()} & {
        each["metadata"]["name"] for each in second.values()
    }
    pods, others = (
        made["Deployment"]["spec"]["template"]["metadata"]["labels"] for made in (base, second)
    )
    for selector in (
        base["Service"]["spec"]["selector"],
        base["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        base["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ):
        assert selector.items() <= pods.items()
        assert not selector.items() <= others.items()
    for way in ("ingress", "egress"):  # Label Studio has none of the backend's labels
        assert second["NetworkPolicy"]["spec"][way] == POLICY["spec"][way]
    (container,) = second["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [
        {"configMapRef": {"name": second["ConfigMap"]["metadata"]["name"]}},
        {"secretRef": {"name": "edgeflow"}},  # the same Label Studio, the same password
    ]
    url = second["ConfigMap"]["data"]["EDGEFLOW_BACKEND_URL"]
    assert url == f"http://{second['Service']['metadata']['name']}:9090"


def test_the_cluster_is_accepted_and_its_parts_find_each_other() -> None:
    base, cluster = rendered("base"), rendered("cluster")
    for document in cluster.values():
        kubernetes_validate.validate(document, NEWEST, strict=True)
    head, workers = (cluster[f"Deployment edgeflow-ray-{part}"] for part in ("head", "workers"))
    selector = cluster["Service edgeflow-ray"]["spec"]["selector"]
    assert selector.items() <= labels_of(head).items()
    for other in (workers, cluster["Deployment"]):
        assert not selector.items() <= labels_of(other).items()
    door = cluster["Service"]["spec"]["selector"]
    assert door.items() <= labels_of(cluster["Deployment"]).items()
    assert not door.items() <= labels_of(head).items()
    # What the base lets in and out stays, and workers may fetch what a backend may.
    before, now = base["NetworkPolicy"]["spec"], cluster["NetworkPolicy"]["spec"]
    assert (now["ingress"], now["egress"]) == (before["ingress"], before["egress"])
    inside = cluster["NetworkPolicy edgeflow-ray"]["spec"]
    for policy in (now, inside):
        (members,) = policy["podSelector"]["matchExpressions"]
        for made in (head, workers, cluster["Deployment"]):
            assert labels_of(made)[members["key"]] in members["values"]
    assert inside["ingress"][0]["from"] == inside["egress"][0]["to"]


def test_no_part_of_ray_works_without_the_token_or_opens_its_dashboard() -> None:
    cluster = rendered("cluster")
    made = [one for key, one in cluster.items() if key.startswith("Deployment")]
    assert len(made) == 3
    for pod in (one["spec"]["template"]["spec"] for one in made):
        (container,) = pod["containers"]
        variables = {each["name"]: each["value"] for each in container["env"]}
        assert variables["RAY_AUTH_MODE"] == "token"
        folder, _, _ = variables["RAY_AUTH_TOKEN_PATH"].rpartition("/")
        assert folder in {mount["mountPath"] for mount in container["volumeMounts"]}
        assert container["securityContext"] == CONTAINER["securityContext"]
        assert pod["securityContext"] == POD["securityContext"]
        assert pod["enableServiceLinks"] is False
        assert container["resources"]["limits"].keys() == {"cpu", "memory"}
    (head,) = cluster["Deployment edgeflow-ray-head"]["spec"]["template"]["spec"]["containers"]
    assert "--include-dashboard=false" in head["args"]
    assert "EDGEFLOW_CLUSTER_WITHOUT_TOKEN" not in cluster["ConfigMap"]["data"]


def test_a_worker_holds_a_replica_and_there_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (CONFIG["data"] | load(CLUSTER / "settings.yaml")["data"]).items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    workers = load(CLUSTER / "workers.yaml")["spec"]
    (container,) = workers["template"]["spec"]["containers"]
    cores = int(re.findall(r"--num-cpus=(\d+)", " ".join(container["command"]))[0])
    assert settings.cluster_cpus == settings.cpu_threads == cores
    assert cores == int(container["resources"]["limits"]["cpu"])
    most = max(settings.cluster_replicas, settings.cluster_max_replicas)
    assert workers["replicas"] >= most
    assert held_bytes(settings) + 2.5e9 <= gibibytes(container["resources"]["limits"]["memory"])
    for name in ("door", "head", "workers"):
        text = (CLUSTER / f"{name}.yaml").read_text("utf-8")
        assert name == "head" or "--address=edgeflow-ray:6379" in text
        assert name == "workers" or "--num-cpus=0" in text  # replicas are on workers alone


def labels_of(deployment: Document) -> dict[str, str]:
    """Its pods' labels."""
    labels: dict[str, str] = deployment["spec"]["template"]["metadata"]["labels"]
    return labels


def test_everything_finds_the_pods() -> None:
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    for selector in (
        DEPLOYMENT["spec"]["selector"]["matchLabels"],
        SERVICE["spec"]["selector"],
        BUDGET["spec"]["selector"]["matchLabels"],
        POLICY["spec"]["podSelector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
    assert (
        MONITOR["spec"]["selector"]["matchLabels"].items() <= SERVICE["metadata"]["labels"].items()
    )


def test_ports_are_the_one_that_the_image_listens_on() -> None:
    (exposed,) = (int(line["value"]) for line in DOCKERFILE if line["instruction"] == "EXPOSE")
    (port,) = CONTAINER["ports"]
    assert port["containerPort"] == exposed
    (served,) = SERVICE["spec"]["ports"]
    assert served["targetPort"] == port["name"]
    assert CONFIG["data"]["EDGEFLOW_BACKEND_URL"].endswith(
        f"{SERVICE['metadata']['name']}:{served['port']}"
    )
    (scraped,) = MONITOR["spec"]["endpoints"]
    assert scraped["port"] == served["name"]
    (ingress,) = POLICY["spec"]["ingress"]
    assert [each["port"] for each in ingress["ports"]] == [port["name"]]


def test_probes_and_scrapes_ask_routes_that_exist() -> None:
    def no_model(*_: object) -> SegmentationService:
        threading.Event().wait()  # for ever: none is needed
        raise AssertionError

    app = create_app(Settings(), no_model)
    routes = app.url_map.bind("")
    for name in PROBES:
        probe = CONTAINER[name]["httpGet"]
        assert routes.match(probe["path"])[0] == "backend.health"
        assert probe["port"] == "http"
    (scraped,) = MONITOR["spec"]["endpoints"]
    assert routes.match(scraped["path"])[0] == "backend.show_metrics"


def test_a_model_that_loads_is_waited_for_and_one_that_hangs_is_not() -> None:
    startup, ready, alive = (CONTAINER[name] for name in PROBES)
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 300
    assert ready["periodSeconds"] * ready["failureThreshold"] <= 15
    assert alive["periodSeconds"] * alive["failureThreshold"] >= 60  # nobody restarts a busy one


def test_the_pod_may_drain_before_it_is_killed() -> None:
    command, seconds = CONTAINER["lifecycle"]["preStop"]["exec"]["command"]
    assert command == "sleep"
    assert POD["terminationGracePeriodSeconds"] >= int(seconds) + DRAIN_S + 1


def test_variables_are_settings_and_secrets_are_none_of_them() -> None:
    secret = {
        f"EDGEFLOW_{name.upper()}"
        for name, field in Settings.model_fields.items()
        if field.annotation is SecretStr
    }
    known = {f"EDGEFLOW_{name.upper()}" for name in Settings.model_fields}
    assert CONFIG["data"].keys() <= known - secret
    sources = [source for each in CONTAINER["envFrom"] for source in each.values()]
    assert {source["name"] for source in sources} == {"edgeflow"}
    (scraped,) = MONITOR["spec"]["endpoints"]
    assert {part["key"] for part in scraped["basicAuth"].values()} <= known


def test_the_settings_are_valid_and_fit_into_the_pod(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CONFIG["data"].items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    requests, limits = (CONTAINER["resources"][part] for part in ("requests", "limits"))
    assert settings.cpu_threads == int(limits["cpu"]) >= int(requests["cpu"])
    assert held_bytes(settings) + 2e9 <= gibibytes(limits["memory"])
    assert gibibytes(requests["memory"]) <= gibibytes(limits["memory"])


def held_bytes(settings: Settings) -> int:
    """What the settings let caches and decodes take."""
    caches = settings.image_cache_bytes + settings.state_cache_bytes
    return caches + settings.decode_memory_bytes


def gibibytes(text: str) -> int:
    match = re.fullmatch(r"(\d+)Gi", text)
    assert match is not None
    return int(match[1]) << 30


def test_kubernetes_adds_no_variables_that_could_be_taken_for_settings() -> None:
    """A Service named edgeflow would give EDGEFLOW_PORT, of the form tcp://…."""
    assert POD["enableServiceLinks"] is False


def test_the_container_can_do_nothing_that_it_need_not() -> None:
    (user,) = {
        match[1]
        for line in DOCKERFILE
        if (match := re.search(r"useradd .*--uid (\d+)", line["value"]))
    }
    assert POD["securityContext"]["runAsUser"] == int(user)
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert POD["automountServiceAccountToken"] is False
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {mount["mountPath"] for mount in CONTAINER["volumeMounts"]} == {"/tmp"}


def test_the_network_policy_lets_through_what_the_settings_name() -> None:
    ports = {port["port"] for rule in POLICY["spec"]["egress"] for port in rule["ports"]}
    label_studio = int(CONFIG["data"]["EDGEFLOW_LABEL_STUDIO_URL"].rpartition(":")[2])
    (example,) = re.findall(r"http://[\w.-]+:(\d+); empty", (BASE / "configmap.yaml").read_text())
    assert {53, 80, 443, 6379, label_studio, int(example)} == ports
    inside = [
        block["ipBlock"]["except"]
        for rule in POLICY["spec"]["egress"]
        for block in rule["to"]
        if "ipBlock" in block
    ]
    assert all("169.254.0.0/16" in each or "fe80::/10" in each for each in inside)
