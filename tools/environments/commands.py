"""The commands that fill an environment, with uv where it is present and with pip.

PyTorch comes first and alone. PyPI's build for Linux brings CUDA, five gigabytes of it; so a build
is asked for by its local version (``torch==2.13.0+cpu``), which no other build satisfies wherever
it comes from: PyTorch's own index where that can be reached, otherwise what pip is configured for.
"""

from __future__ import annotations

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


def empty(folder: Path, tools: Tools) -> list[Step]:
    """Steps that make an empty environment with a current pip."""
    if tools.uv is not None:
        command = [tools.uv, "venv", "--seed", "--python", tools.python, str(folder)]
        return [Step("an empty environment", [command])]
    return [
        Step("an empty environment", [[tools.python, "-m", "venv", str(folder)]]),
        Step("a current pip", [[*_pip(folder), "--upgrade", PIP_WITH_GROUPS]]),
    ]


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


def torch_arguments(requirement: str, index: str) -> list[str]:
    """Arguments for PyTorch alone; ``index`` is empty where its own index is not to be asked.

    Without dependencies: an index that holds only PyTorch must not be asked for anything else.
    """
    return ["--no-deps", *(["--index-url", index] if index else []), requirement]


def _pip(folder: Path) -> Command:
    return [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
