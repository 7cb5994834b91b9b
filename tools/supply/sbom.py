"""Write the bill of materials of the wheel and the image, and the wheel's own hash.

    python -m tools.supply.sbom dist/edgeflow_backend-0.1.0-py3-none-any.whl

It is CycloneDX JSON. Its packages are those of the lock files that an image is made of, with the
hashes that pip checks; their licences and what needs what are read from this environment, which has
the same versions. The shipped weights are in it with the hashes and licences of their manifest.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from cyclonedx.model import (
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    Property,
    XsUri,
)
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, License, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from license_expression import ExpressionError
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.supply.licences import licence, spdx
from tools.supply.lock_file import Locked, applying

ROOT = Path(__file__).parents[2]
IMAGE = {
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "os_name": "posix",
    "python_version": "3.11",
    "python_full_version": "3.11.16",
}
"""What the lock files are read for: the image's Linux and Python."""

LOCKS = ("backend-py3.11.txt", "torch-cpu-py3.11.txt")
PROJECT = "edgeflow-backend"


def bill(
    version: str, wheel: str, packages: Mapping[str, Locked], weights: Mapping[str, Any]
) -> Bom:
    """The bill of materials.

    Args:
        version: Of this project.
        wheel: SHA-256 of its wheel in hexadecimal.
        packages: What it runs with, by name.
        weights: Models of the manifest, by name.
    """
    root = Component(
        name=PROJECT, version=version, type=ComponentType.APPLICATION, bom_ref=PROJECT,
        purl=PackageURL("pypi", None, PROJECT, version), licenses=_licences("Apache-2.0"),
        hashes=_hashes([wheel]),
    )  # fmt: skip
    about: dict[str, Distribution] = {
        canonicalize_name(each.name): each for each in distributions()
    }
    parts = {name: _package(each, about.get(name)) for name, each in packages.items()}
    models = [_model(name, version, model) for name, model in weights.items()]
    bom = Bom(components=[*parts.values(), *models])
    bom.metadata.component = root
    for name, part in [(PROJECT, root), *parts.items()]:
        needed = [parts[each] for each in _needs(about.get(name)) if each in parts]
        bom.register_dependency(part, [*needed, *(models if part is root else [])])
    return bom


def _package(locked: Locked, about: Distribution | None) -> Component:
    """One package. Which of its files is taken depends on the platform: each has its hash."""
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(f"https://pypi.org/project/{locked.name}/{locked.version.partition('+')[0]}/"),
        comment="hashes of the files that pip accepts",
        hashes=_hashes(locked.hashes),
    )
    found = licence(about.metadata) if about is not None else ""  # type: ignore[arg-type]
    return Component(
        name=locked.name, version=locked.version, type=ComponentType.LIBRARY, bom_ref=locked.name,
        purl=PackageURL("pypi", None, locked.name, locked.version),
        licenses=_licences(found), external_references=[files],
    )  # fmt: skip


def _model(name: str, version: str, model: Mapping[str, Any]) -> Component:
    """One file of weights."""
    return Component(
        name=name, version=version, type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=f"weights/{name}", description=f"weights of {model['architecture']}",
        hashes=_hashes([model["sha256"]]), licenses=[DisjunctiveLicense(name=model["licence"])],
        properties=[Property(name="edgeflow:file", value=f"edgeflow/weights/{model['file']}")],
    )  # fmt: skip


def _needs(about: Distribution | None) -> list[str]:
    """Names of what a package requires in the image, without extras."""
    requirements = map(Requirement, (about.requires or []) if about is not None else [])
    return [
        canonicalize_name(each.name)
        for each in requirements
        if each.marker is None or each.marker.evaluate({**IMAGE, "extra": ""})
    ]


def _licences(expression: str) -> list[License]:
    try:
        tree = spdx().parse(expression, validate=True)
    except ExpressionError:  # such as LicenseRef-BSD
        return [DisjunctiveLicense(name=expression)]
    if tree is None:
        return []
    if tree.isliteral and "WITH" not in expression:
        return [DisjunctiveLicense(id=expression)]
    return [LicenseExpression(value=expression)]


def _hashes(digests: Iterable[str]) -> list[HashType]:
    return [HashType(alg=HashAlgorithm.SHA_256, content=each) for each in digests]


def main() -> None:
    """Write ``NAME.cdx.json`` and ``SHA256SUMS`` beside the wheel."""
    wheel = Path(sys.argv[1])
    version = wheel.name.split("-")[1]
    packages: dict[str, Locked] = {}
    for name in LOCKS:
        packages |= applying(ROOT / "requirements" / name, IMAGE)
    weights = json.loads((ROOT / "weights" / "manifest.json").read_text())["models"]
    for model in weights.values():
        if _digest(ROOT / "weights" / model["file"]) != model["sha256"]:
            sys.exit(f"weights/{model['file']} is not the file of the manifest")
    bom = bill(version, _digest(wheel), packages, weights)
    path = wheel.with_name(f"edgeflow_backend-{version}.cdx.json")
    path.write_text(JsonV1Dot6(bom).output_as_string(indent=2) + "\n")
    sums = [f"{_digest(each)}  {each.name}\n" for each in (wheel, path)]
    wheel.with_name("SHA256SUMS").write_text("".join(sums))
    print(f"{path}: {len(bom.components)} components")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
