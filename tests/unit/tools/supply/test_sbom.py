"""The bill of materials: valid CycloneDX, and everything that is shipped is in it."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tools.supply import sbom

ROOT = sbom.ROOT


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel with its bill of materials beside it."""
    wheel = tmp_path_factory.mktemp("dist") / "edgeflow_backend-0.9.0-py3-none-any.whl"
    wheel.write_bytes(b"a wheel")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["sbom", str(wheel)])
        sbom.main()
    return wheel


@pytest.fixture(scope="module")
def bom(written: Path) -> dict[str, Any]:
    text = written.with_name("edgeflow_backend-0.9.0.cdx.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


def test_it_is_valid(bom: dict[str, Any]) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bom)) is None


def test_the_wheel_is_what_it_is_of(bom: dict[str, Any]) -> None:
    root = bom["metadata"]["component"]
    assert (root["name"], root["version"]) == ("edgeflow-backend", "0.9.0")
    assert root["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(b"a wheel").hexdigest()}]


def test_every_package_of_the_image_is_in_it_with_hashes_and_licence(bom: dict[str, Any]) -> None:
    parts = {each["name"]: each for each in bom["components"] if each["type"] == "library"}
    for name in ("torch", "flask", "openvino", "numpy", "markupsafe"):
        assert name in parts
    for name in ("pytest", "colorama", "hatchling", "edgeflow-backend"):
        assert name not in parts, "not in the image"
    for name, part in parts.items():
        assert part["licenses"], f"{name} has no licence"
        (files,) = part["externalReferences"]
        assert files["hashes"], name
        assert part["purl"].startswith(f"pkg:pypi/{name}@")


def test_weights_are_in_it_as_their_manifest_has_them(bom: dict[str, Any]) -> None:
    models = {each["name"]: each for each in bom["components"] if "model" in each["type"]}
    manifest = json.loads((ROOT / "weights" / "manifest.json").read_text())["models"]
    assert models.keys() == manifest.keys()
    for name, model in manifest.items():
        digest = hashlib.sha256((ROOT / "weights" / model["file"]).read_bytes()).hexdigest()
        assert models[name]["hashes"] == [{"alg": "SHA-256", "content": digest}]
        assert models[name]["licenses"] == [{"license": {"name": model["licence"]}}]


def test_what_needs_what_reaches_everything(bom: dict[str, Any]) -> None:
    needs = {each["ref"]: set(each.get("dependsOn", [])) for each in bom["dependencies"]}
    assert {"torch", "flask", "weights/edgeflow_lite"} <= needs["edgeflow-backend"]
    assert "werkzeug" in needs["flask"]
    reached, edge = set[str](), {"edgeflow-backend"}
    while edge:
        reached |= edge
        edge = set().union(*(needs.get(each, set()) for each in edge)) - reached
    assert {each["bom-ref"] for each in bom["components"]} <= reached


def test_sums_are_those_that_sha256sum_checks(written: Path) -> None:
    lines = written.with_name("SHA256SUMS").read_text().splitlines()
    assert len(lines) == 2
    for line in lines:
        digest, name = line.split("  ")
        assert hashlib.sha256(written.with_name(name).read_bytes()).hexdigest() == digest


def test_altered_weights_are_refused(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "requirements").symlink_to(ROOT / "requirements")
    (tmp_path / "weights").mkdir()
    text = (ROOT / "weights" / "manifest.json").read_text()
    (tmp_path / "weights" / "manifest.json").write_text(text)
    for model in json.loads(text)["models"].values():
        (tmp_path / "weights" / model["file"]).write_bytes(b"others")
    monkeypatch.setattr(sbom, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["sbom", str(written)])
    with pytest.raises(SystemExit, match=r"edgeflow_lite\.safetensors is not the file"):
        sbom.main()
