"""The container files: parsed as Docker would, and their commands run without an engine."""

from __future__ import annotations

import base64
import ipaddress
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml
from dockerfile_parse import DockerfileParser

from demo.label_studio import ENVIRONMENT, Service, free_port
from tests.contract.images import photo
from tests.contract.wire import check_brush_region, keypoint, request
from tests.e2e.conftest import ROOT, environment

DOCKER = ROOT / "docker"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
COMPOSE_FILES = ("compose.yml", "compose.cuda.yml")


def instructions() -> list[dict[str, str]]:
    parser = DockerfileParser(path=str(DOCKER / "Dockerfile"))
    structure: list[dict[str, str]] = parser.structure
    return structure


def values(name: str) -> list[str]:
    return [entry["value"] for entry in instructions() if entry["instruction"] == name]


def test_the_final_image_has_no_build_tools_no_root_and_a_healthcheck() -> None:
    stages = [i for i, entry in enumerate(instructions()) if entry["instruction"] == "FROM"]
    final = instructions()[stages[-1] :]
    assert not any("apt-get" in entry["value"] or "pip" in entry["value"] for entry in final)
    kinds = [entry["instruction"] for entry in final]
    assert kinds.index("USER") < kinds.index("CMD")
    assert "root" not in values("USER")
    assert "HEALTHCHECK" in kinds


def test_every_stage_begins_with_a_digest_or_another_stage() -> None:
    stages: set[str] = set()
    outside = []
    for value in values("FROM"):
        image, _, name = value.partition(" AS ")
        if image not in stages:
            outside.append(image)
        stages.add(name)
    (base,) = outside
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+@sha256:[0-9a-f]{64}", base), base
    assert not (DOCKER / "Dockerfile").read_text().startswith("# syntax="), "a frontend by its tag"


def test_nothing_is_fetched_without_a_hash() -> None:
    """And the base image's Python is the one that the lock files are for."""
    version = values("FROM")[0].removeprefix("python:").split(".")
    for line in values("RUN"):
        for command in line.split("&&"):
            if " install " in command:
                assert "--require-hashes" in command or "--no-index" in command, command
            for name in re.findall(r"-r (\S+)", command):
                for build, packages in (("cpu", "backend"), ("cu130", "full")):
                    path = name.replace("${TORCH_BUILD}", build).replace("${PACKAGES}", packages)
                    assert (ROOT / path).is_file(), path
                    assert path.endswith(f"-py{version[0]}.{version[1]}.txt")
            assert "pip wheel" not in command or "--no-build-isolation" in command


def test_containers_write_nothing_but_temporary_files_and_gain_no_rights() -> None:
    services = yaml.safe_load((DOCKER / "compose.yml").read_text())["services"]
    for name in ("backend", "setup"):
        service = services[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        places = {place.partition(":")[0] for place in service["tmpfs"]}
        assert places == {"/tmp", "/home/edgeflow/.cache"}
        assert "privileged" not in service
    (user,) = [line for line in values("RUN") if "useradd" in line]
    uid = user.split("--uid ")[1].split()[0]
    (cache,) = [place for place in services["backend"]["tmpfs"] if ".cache" in place]
    assert f":uid={uid},gid={uid},mode=0700" in cache


def test_everything_that_is_copied_exists_and_reaches_the_build() -> None:
    sent = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().split()}
    for value in values("COPY"):
        words = shlex.split(value)
        if not words[0].startswith("--from"):
            for source in words[:-1]:
                assert (ROOT / source).exists(), source
                assert source in sent, source


def test_the_compose_files_are_valid_and_put_label_studio_beside_the_backend() -> None:
    merged = [yaml.safe_load((DOCKER / name).read_text()) for name in COMPOSE_FILES]
    services = merged[0]["services"]
    assert set(services) == {"label-studio", "backend", "setup"}
    for name in ("backend", "setup"):
        variables = services[name]["environment"]
        assert variables["LABEL_STUDIO_URL"] == "http://label-studio:8080"
        assert variables["EDGEFLOW_BACKEND_URL"] == "http://backend:9090"
        assert merged[1]["services"][name]["image"] == "edgeflow-backend:cuda"
    dockerfile = DOCKER.parent / services["backend"]["build"]["dockerfile"]
    assert dockerfile == DOCKER / "Dockerfile"

    compose = shutil.which("docker-compose")
    if compose is None and os.environ.get("CI"):
        pytest.fail("NO docker-compose FOUND: install it (it needs no engine to check files)")
    if compose is not None:
        files = [part for name in COMPOSE_FILES for part in ("-f", str(DOCKER / name))]
        subprocess.run([compose, *files, "config", "--quiet"], check=True, cwd=ROOT)
        files += ["-f", str(DOCKER / "compose.redis.yml")]
        command, secrets = [compose, *files, "config"], ("REDIS_PASSWORD", "EDGEFLOW_REDIS_KEY")
        given = {**os.environ, **dict.fromkeys(secrets, "a-secret-of-our-own")}
        shown = subprocess.run(command, check=True, cwd=ROOT, env=given, capture_output=True).stdout
        assert "redis://:a-secret-of-our-own@redis:6379/0" in str(yaml.safe_load(shown))
        for name in secrets:  # no default that everybody knows
            without = {key: value for key, value in given.items() if key != name}
            run = subprocess.run(command, check=False, cwd=ROOT, env=without, capture_output=True)
            assert name in run.stderr.decode()


def test_label_studio_is_open_to_this_machine_only_and_nobody_signs_up() -> None:
    studio = yaml.safe_load((DOCKER / "compose.yml").read_text())["services"]["label-studio"]
    assert studio["ports"] == ["${LABEL_STUDIO_ADDRESS:-127.0.0.1}:8080:8080"]
    assert studio["environment"]["LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK"] == "true"


def networks(text: str) -> list[Network]:
    return [ipaddress.ip_network(subnet) for subnet in text.split(",")]


def covered(one: Network, by: list[Network]) -> bool:
    """Whether every address of a network lies in one of others."""
    if any(one.version == other.version and one.subnet_of(other) for other in by):  # type: ignore[arg-type]
        return True
    inside = [each for each in by if each.version == one.version and each.subnet_of(one)]  # type: ignore[arg-type]
    return sum(each.num_addresses for each in inside) == one.num_addresses


@pytest.mark.parametrize("place", ["compose", "demo"])
def test_label_studios_own_list_of_private_addresses_gives_way_by_one_network(place: str) -> None:
    """What Label Studio refuses by default is read out of its code: the lists cannot go stale."""
    (source,) = environment("label-studio").parent.glob(
        "lib/python*/site-packages/label_studio/core/utils/io.py"
    )
    defaults = re.findall(r"^ +'([0-9a-f.:]+/\d+)',", source.read_text(), flags=re.MULTILINE)
    assert len(defaults) > 20
    compose = yaml.safe_load((DOCKER / "compose.yml").read_text())
    if place == "compose":
        listed = compose["services"]["label-studio"]["environment"]
        own = [ipaddress.ip_network("172.16.0.0/16")]
        (inside,) = compose["networks"]["default"]["ipam"]["config"]
        assert covered(ipaddress.ip_network(inside["subnet"]), own)
    else:
        listed = ENVIRONMENT
        own = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]
    banned = networks(listed["USER_ADDITIONAL_BANNED_SUBNETS"])
    assert listed["USE_DEFAULT_BANNED_SUBNETS"] == "false"
    for name in ("ML_BLOCK_LOCAL_IP", "SSRF_PROTECTION_ENABLED"):
        assert name not in listed, "both guards stay on"
    left = [each for each in map(ipaddress.ip_network, defaults) if not covered(each, banned + own)]
    assert left == []
    assert not any(covered(each, banned) for each in own)


@pytest.fixture(scope="module")
def image_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What the build stage makes, in a folder: its own RUN lines, with paths moved there."""
    root = tmp_path_factory.mktemp("image")
    source = root / "src"
    source.mkdir()
    for value in values("COPY"):
        words = shlex.split(value)
        if words[0].startswith("--from"):
            continue
        for name in words[:-1]:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__py*"))
            else:
                shutil.copy2(ROOT / name, source / name)
    arguments = {name: value for name, _, value in (v.partition("=") for v in values("ARG"))}
    variables = {key: value for key, value in os.environ.items() if "PYTHON" not in key}
    # The base image's pip compiles, for a container that may not; here that would be a minute more.
    variables["PIP_NO_COMPILE"] = "no"  # which means yes: pip's name for its opposite
    builder = root / "builder"
    subprocess.run([sys.executable, "-m", "venv", str(builder)], check=True)
    variables["PATH"] = f"{builder / 'bin'}{os.pathsep}{variables['PATH']}"
    for line in values("RUN"):
        if "useradd" in line:
            continue
        command = re.sub(r"\$\{(\w+)\}", lambda match: arguments[match[1]], line)
        command = command.replace("/opt/edgeflow", str(root / "edgeflow"))
        command = command.replace("--extra-index-url", "--retries 1 --extra-index-url")
        subprocess.run(command, shell=True, check=True, cwd=source, env=variables)
    shutil.rmtree(source)
    yield root / "edgeflow"
    shutil.rmtree(root)


@pytest.mark.slow
@pytest.mark.e2e
def test_the_images_own_commands_install_start_and_answer(image_root: Path, tmp_path: Path) -> None:
    start = json.loads(values("CMD")[-1])
    port = free_port()
    start[start.index("0.0.0.0")] = "127.0.0.1"
    start[start.index("9090")] = str(port)
    url = f"http://127.0.0.1:{port}"
    path = {"PATH": f"{image_root / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": ""}
    command = [str(image_root / "bin" / start[0]), *start[1:]]
    places = [tmp_path / ".cache", tmp_path / "tmp"]
    for place in places:
        place.mkdir()
    path |= {"HOME": str(tmp_path), "TMPDIR": str(places[1])}
    forbidden = as_in_a_container(["touch", str(image_root / "written")], places)
    assert subprocess.run(forbidden, capture_output=True, check=False).returncode == 1
    command = as_in_a_container(command, places)
    with Service(command, f"{url}/health", tmp_path / "log", path) as service:
        service.wait(60)
        check = json.loads(values("HEALTHCHECK")[0].partition("CMD")[2])
        check = [part.replace("9090", str(port)) for part in check]
        subprocess.run([str(image_root / "bin" / check[0]), *check[1:]], check=True)
        body = request(keypoint(50, 50), image=inline_photo())
        (region,) = requests.post(f"{url}/predict", json=body, timeout=30).json()["results"][0][
            "result"
        ]
        check_brush_region(region, body)


def as_in_a_container(command: list[str], tmpfs: list[Path]) -> list[str]:
    """A command that may write to nothing but the given folders, and has no capabilities.

    That takes mount namespaces, and so root; CI has both.
    """
    rights = ["setpriv", "--no-new-privs", "--bounding-set=-all"]
    lines = ["mount -o remount,ro,bind /"]
    lines += [f"mount -t tmpfs tmpfs {shlex.quote(str(place))}" for place in tmpfs]
    lines += [f"exec {shlex.join([*rights, *command])}"]
    return ["unshare", "--mount", "sh", "-ec", "\n".join(lines)]


def inline_photo() -> str:
    return "data:image/png;base64," + base64.b64encode(photo()).decode()
