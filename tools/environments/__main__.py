"""Make one environment, and say meanwhile what is going on.

    python3 -m tools.environments .envs/demo --torch torch==2.13.0 --lock FILE … -- -e .

It is whole once it holds a file ``.made``. What an interrupted try left is thrown away. With lock
files every package is checked against its hash; without them it is resolved afresh, unchecked.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from tools.environments.commands import (
    Step,
    Tools,
    already_there,
    empty,
    from_lock,
    install,
    locked_torch,
    torch_arguments,
    torch_requirement,
)
from tools.environments.progress import Say, clock, run

MARK = ".made"
REACH_SECONDS = 5.0
LOG_LINES = 15


class InstallError(Exception):
    """A step that failed in every way."""


def main() -> None:
    """Make the environment; exit with 1 if that fails."""
    arguments = _parser().parse_args()
    folder: Path = arguments.folder
    passed = clock()

    def say(text: str) -> None:
        print(f"[{folder.name}] {passed()}  {text}", flush=True)

    try:
        make(arguments, Tools(sys.executable, shutil.which("uv")), say)
    except InstallError as error:
        sys.exit(f"[{folder.name}] {error}")
    except KeyboardInterrupt:
        sys.exit(f"[{folder.name}] interrupted; the next try starts afresh")


def make(arguments: argparse.Namespace, tools: Tools, say: Say) -> None:
    """Make an environment, or bring a whole one up to date.

    Raises:
        InstallError: A step failed; there is no mark then.
    """
    folder: Path = arguments.folder
    mark, log = folder / MARK, folder.with_name(f"{folder.name}.log")
    folder.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    whole = mark.is_file() and mark.read_text() == sys.version
    mark.unlink(missing_ok=True)

    def do(step: Step) -> None:
        def still(text: str) -> None:
            say(text or f"{step.what} …")

        say(step.what)
        if not any(run(way, log, lambda: len(_installed(folder)), still) for way in step.ways):
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])
            raise InstallError(f"failed at: {step.what}; {log} ends with\n{tail}")

    def add(what: str, packages: Sequence[str]) -> None:
        do(install(what, folder, tools, packages, compile_all=not arguments.no_compile))

    if not whole:
        if Path(sys.prefix).resolve() == folder.resolve():
            raise InstallError("its own Python cannot make it anew: run `deactivate` first")
        shutil.rmtree(folder, ignore_errors=True)
        for step in empty(folder, tools, locked=arguments.build_lock is not None):
            do(step)
    if arguments.build_lock:
        add("pip and what builds this project", from_lock(arguments.build_lock))
    if arguments.torch:
        add(*_torch(arguments))
    if arguments.lock:
        add(f"{arguments.what}, checked against {arguments.lock}", from_lock(arguments.lock))
        add("that nothing is missing", already_there(arguments.packages))
    else:
        pins = _torch_pin(folder) if arguments.torch else []
        add(f"{arguments.what}, resolved afresh", [*pins, *arguments.packages])
    mark.write_text(sys.version)
    say("done")


def _torch(arguments: argparse.Namespace) -> tuple[str, list[str]]:
    """What to say of PyTorch, and the arguments that install it."""
    index = arguments.torch_index
    requirement = torch_requirement(arguments.torch, index, sys.platform)
    near = index if index and reaches(index) else ""
    what = f"PyTorch ({requirement}{f' from {index}' if near else ''})"
    if arguments.torch_lock and (locked := locked_torch(requirement, near, arguments.torch_lock)):
        return f"{what}, checked against {arguments.torch_lock}", locked
    return f"{what}, which no lock file checks", torch_arguments(requirement, near)


def _torch_pin(folder: Path) -> list[str]:
    """Arguments by which no dependency brings another build of PyTorch."""
    (name,) = _installed(folder, "torch")
    path = folder / "torch.txt"
    path.write_text("==".join(name.rsplit("-", 1)) + "\n")
    return ["-c", str(path)]


def reaches(index: str) -> bool:
    """Whether an index answers soon."""
    try:
        request = urllib.request.Request(f"{index.rstrip('/')}/torch/", method="HEAD")
        with urllib.request.urlopen(request, timeout=REACH_SECONDS):
            return True
    except (OSError, ValueError):
        return False


def _installed(folder: Path, name: str = "*") -> list[str]:
    """Names and versions of the packages in an environment, as ``torch-2.13.0+cpu``."""
    return [path.stem for path in folder.glob(f"lib/python*/site-packages/{name}-*.dist-info")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.environments", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--what", default="packages", help="what is installed, for people")
    parser.add_argument("--torch", default="", help="requirement of PyTorch; none without")
    parser.add_argument("--torch-index", default="", help="PyTorch's index; empty for any build")
    parser.add_argument("--torch-lock", type=Path, help="lock file of that build of PyTorch")
    parser.add_argument("--build-lock", type=Path, help="lock file of pip and the build tools")
    parser.add_argument("--lock", type=Path, help="lock file of all packages but those")
    parser.add_argument("--no-compile", action="store_true", help="leave that to the first import")
    parser.add_argument("packages", nargs="+", help="arguments of pip install, after --")
    return parser


if __name__ == "__main__":
    main()
