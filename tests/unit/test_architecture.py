"""The house: which rooms there are, which may know which, and how large they may grow."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]

LAYERS = {
    "edgeflow": (
        "cli", "sequences", "tiles", "preannotation", "volumes", "learning", "export", "agreement",
        "train", "evaluate", "propagate", "similar", "pull",
        "inference",
        "runtime", "checkpoints", "overlay", "matting", "prompts", "annotated", "data",
        "label_studio", "images", "nn", "masks", "files", "geometry", "arrays", "errors",
    ),
    "edgeflow_backend": (
        "cli", "wsgi", "server", "app", "web", "connect", "doctor", "model", "calls", "repair",
        "service", "learning", "examples", "objects", "requests", "cluster", "segmenter", "engine",
        "versions", "images", "openapi", "shared", "status", "protocol", "label_studio",
        "background", "log", "settings", "tracing", "memory", "net", "redact", "errors",
    ),
}  # fmt: skip
"""Rooms of each package, from the top down: a room imports only from rooms below it."""

MAX_LINES = 300
MAX_FILES = 12
LARGE_ROOMS = {"edgeflow/cli", "edgeflow/data", "edgeflow/export/formats", "edgeflow/train"}
"""Folders of peers, a file for each command, layout, format or part of training."""


class Import(NamedTuple):
    """One import of this project's own code.

    Attributes:
        source: The importing file, relative to the repository.
        target: Dotted name of what is imported.
    """

    source: Path
    target: str


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports_of(path: Path) -> Iterator[Import]:
    source = path.relative_to(ROOT)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module.split(".")[0] in LAYERS:
                yield from (Import(source, f"{node.module}.{name.name}") for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (
                Import(source, name.name)
                for name in node.names
                if name.name.split(".")[0] in LAYERS
            )


def room_of(path: Path) -> str:
    """The folder below the package, or the module itself."""
    return path.parts[1].removesuffix(".py")


@pytest.mark.parametrize("package", LAYERS)
def test_every_room_has_its_layer(package: str) -> None:
    rooms = {room_of(path.relative_to(ROOT)) for path in modules(package)} - {"__init__"}
    assert rooms == set(LAYERS[package])


@pytest.mark.parametrize("package", LAYERS)
def test_imports_run_downwards(package: str) -> None:
    order = {room: number for number, room in enumerate(LAYERS[package])}
    upward = []
    for path in modules(package):
        here = room_of(path.relative_to(ROOT))
        for each in imports_of(path):
            root, _, rest = each.target.partition(".")
            there = rest.split(".")[0]
            if root == package and order.get(there, len(order)) < order.get(here, 0):
                upward.append(f"{each.source} imports {each.target}")
    assert upward == []


def test_the_model_package_never_imports_the_backend() -> None:
    imports = [each for path in modules("edgeflow") for each in imports_of(path)]
    assert [each for each in imports if each.target.startswith("edgeflow_backend")] == []


@pytest.mark.parametrize("package", LAYERS)
def test_modules_import_each_other_in_no_circle(package: str) -> None:
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in modules(package)
    }
    below = {
        name: {
            target
            for each in imports_of(path)
            for target in (each.target, each.target.rpartition(".")[0])
            if target in names and target != name
        }
        for name, path in names.items()
    }
    while free := [name for name, targets in below.items() if not targets & below.keys()]:
        for name in free:
            del below[name]
    assert sorted(below) == []


@pytest.mark.parametrize("package", LAYERS)
def test_a_module_is_short_enough_to_read_at_once(package: str) -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in modules(package)
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }
    assert long == {}


@pytest.mark.parametrize("package", LAYERS)
def test_a_folder_holds_at_most_a_dozen_modules(package: str) -> None:
    counts = Counter(
        path.relative_to(ROOT).parent.as_posix()
        for path in modules(package)
        if path.stem not in ("__init__", "__main__")
    )
    full = {folder: count for folder, count in counts.items() if count > MAX_FILES}
    assert full.keys() <= LARGE_ROOMS, full


@pytest.mark.parametrize("package", LAYERS)
def test_every_module_is_tested_where_it_lies(package: str) -> None:
    """The tests' tree mirrors the package's."""
    folders = {path.relative_to(ROOT).parent for path in modules(package)}
    tests = (ROOT / "tests" / "unit" / package).rglob("test_*.py")
    astray = [
        str(path.relative_to(ROOT))
        for path in tests
        if path.relative_to(ROOT / "tests" / "unit").parent not in folders
    ]
    assert astray == []


def test_make_runs_every_folder_of_tests() -> None:
    commands = [line for line in (ROOT / "Makefile").read_text().splitlines() if "pytest" in line]
    run = {word for line in commands for word in line.split() if word.startswith("tests/")}
    found = ROOT.glob("tests/*/**/test_*.py")
    assert {f"tests/{path.relative_to(ROOT).parts[1]}" for path in found} <= run
