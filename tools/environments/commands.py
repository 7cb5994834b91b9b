"""The commands that fill an environment, with uv where it is present and with pip.

With a lock file nothing is installed that is not in it with its hash: no dependency is looked for,
and at the end what was asked for must already be there, found without an index.

PyTorch comes first and alone. PyPI's build for Linux brings CUDA, five gigabytes of it; so a build
is asked for by its local version (``torch==2.13.0+cpu``), which no other build satisfies wherever
it comes from: PyTorch's own index where that can be reached, otherwise what pip is configured for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

Command = list[str]

PIP_WITH_GROUPS = "pip>=25.1"
"""The first pip that knows dependency groups; it also takes half as long as Python 3.11's."""


class Step(NamedTuple):
    """One thing to do.

    Attributes:
        what: For people.
        ways: Commands that do it; the next is tried where one fails.
    """

    what: str
    ways: list[Command]


class Tools(NamedTuple):
    """What an environment is made with.

    Attributes:
        python: The Python that it is made of.
        uv: uv's executable; None where there is none.
    """

    python: str
    uv: str | None


def torch_requirement(torch: str, index: str, platform: str) -> str:
    """The requirement of PyTorch with the build that an index is for.

    Args:
        torch: Such as ``torch==2.13.0``; other forms are left as they are.
        index: Such as ``https://download.pytorch.org/whl/cpu``; empty for any build.
        platform: ``sys.platform``; PyTorch labels its builds for Linux only.
    """
    build = index.rstrip("/").rpartition("/")[2]
    if not build or platform != "linux" or "==" not in torch or "+" in torch:
        return torch
    return f"{torch}+{build}"


def empty(folder: Path, tools: Tools, *, locked: bool = False) -> list[Step]:
    """Steps that make an empty environment, with a current pip unless a lock file brings one."""
    if tools.uv is not None:
        seed = [] if locked else ["--seed"]
        command = [tools.uv, "venv", *seed, "--python", tools.python, str(folder)]
        return [Step("an empty environment", [command])]
    steps = [Step("an empty environment", [[tools.python, "-m", "venv", str(folder)]])]
    if not locked:
        steps.append(Step("a current pip", [[*_pip(folder), "--upgrade", PIP_WITH_GROUPS]]))
    return steps


def install(
    what: str, folder: Path, tools: Tools, arguments: Sequence[str], *, compile_all: bool = True
) -> Step:
    """A step that installs.

    Args:
        what: For people.
        folder: Of the environment.
        tools: What there is.
        arguments: Of ``pip install``; uv takes the same.
        compile_all: Whether to compile every module now; otherwise each when it is first imported.
    """
    ways = [[*_pip(folder), *([] if compile_all else ["--no-compile"]), *arguments]]
    if tools.uv is not None:
        uv = [tools.uv, "pip", "install", "--python", str(folder / "bin" / "python")]
        ways.insert(0, [*uv, *(["--compile-bytecode"] if compile_all else []), *arguments])
    return Step(what, ways)


def from_lock(lock: Path) -> list[str]:
    """Arguments that install all of a lock file, each file of it by its hash."""
    return ["--require-hashes", "--no-deps", "-r", str(lock)]


def already_there(packages: Sequence[str]) -> list[str]:
    """Arguments that install this project, if it is asked for, and fetch nothing.

    They fail where a lock file has not been brought up to date with ``pyproject.toml``.
    """
    return ["--no-index", "--no-build-isolation", *packages]


def torch_arguments(requirement: str, index: str) -> list[str]:
    """Arguments for PyTorch alone; ``index`` is empty where its own index is not to be asked.

    Without dependencies: an index that holds only PyTorch must not be asked for anything else.
    """
    return ["--no-deps", *_index(index), requirement]


def locked_torch(requirement: str, index: str, lock: Path) -> list[str]:
    """Arguments for PyTorch from its lock file; empty if that holds another version.

    A labelled build comes from PyTorch's index. The others are PyPI's, whose build for Linux
    is one with CUDA; its libraries are in the lock file, too.
    """
    version = re.escape(requirement.partition("+")[0])
    found = re.search(rf"^{version}(\+\w+)? ", lock.read_text(), flags=re.MULTILINE)
    if found is None:
        return []
    labelled = re.search(rf"^{version}\+", lock.read_text(), flags=re.MULTILINE)
    return [*_index(index if labelled else ""), *from_lock(lock)]


def _index(url: str) -> list[str]:
    return ["--index-url", url] if url else []


def _pip(folder: Path) -> Command:
    return [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
