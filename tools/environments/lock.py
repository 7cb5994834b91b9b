"""Write one lock file: exact versions of everything that an install asks for, with hashes.

    python -m tools.environments.lock requirements/main-py3.11.txt --uv UV --torch torch==2.13.0 \
        -- -e '.[onnx,train]' --group test

What comes after ``--`` is what ``pip install`` is given later. A lock holds for all platforms of
one Python. What it pinned stays pinned unless that no longer fits, or ``--upgrade`` is given.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.environments.__main__ import reaches

PYTORCH = re.compile(r"^(torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z0-9-]+)==")
"""What PyTorch's build decides; it has a lock for each build, and no other lock names it."""


def split(packages: Sequence[str]) -> tuple[list[str], list[str]]:
    """Requirements, one a line, and options, of the arguments of a ``pip install``.

    ``-e .[train]`` is a requirement of two words; ``--group test`` is an option of two.
    """
    requirements, options, words = [], [], iter(packages)
    for word in words:
        if word == "-e":
            requirements.append(f"-e {next(words)}")
        elif word == "--group":
            options += [word, next(words)]
        elif word.startswith("-"):
            options.append(word)
        else:
            requirements.append(word)
    return requirements, options


def without_pytorch(lock: str) -> str:
    """A lock less PyTorch and what comes with one of its builds only."""
    kept, dropping = [], False
    for line in lock.splitlines(keepends=True):
        if not line.startswith((" ", "#")):
            dropping = PYTORCH.match(line) is not None
        if not dropping:
            kept.append(line)
    return "".join(kept)


def main() -> None:
    """Resolve, and write the file; exit with uv's own message if that fails."""
    arguments = _parser().parse_args()
    path: Path = arguments.lock
    index: str = arguments.index
    if index and not reaches(index):
        print(f"{path} stays as it is: {index} cannot be reached")
        return
    requirements, options = split(arguments.packages)
    if arguments.torch:
        requirements.append(arguments.torch)
    command = [
        arguments.uv, "pip", "compile", "-", "--output-file", str(path), "--quiet",
        "--universal", "--python-version", path.stem.rpartition("-py")[2],
        "--generate-hashes", "--annotation-style", "line",
        "--no-emit-package", "edgeflow-backend",
        "--custom-compile-command", "make lock",
        *(["--index-url", index] if index else []),
        *(["--upgrade"] if arguments.upgrade else []),
        *(["--only-binary", ":all:", "--emit-build-options"] if arguments.wheels else []),
        *(part for other in arguments.constraint for part in ("--constraint", str(other))),
        *options,
    ]  # fmt: skip
    done = subprocess.run(command, input="\n".join(requirements), text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    if arguments.torch:
        path.write_text(without_pytorch(path.read_text()))
    print(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.environments.lock", description=__doc__)
    parser.add_argument("lock", type=Path, help="file, named NAME-pyVERSION.txt")
    parser.add_argument("--uv", default="uv", help="uv's executable")
    parser.add_argument("--torch", default="", help="PyTorch's version, which is left out")
    parser.add_argument("--index", default="", help="instead of PyPI; no change where it is away")
    parser.add_argument("--constraint", type=Path, action="append", default=[], help="lock to fit")
    parser.add_argument(
        "--wheels", action="store_true", help="nothing that is built when installed"
    )
    parser.add_argument("--upgrade", action="store_true", help="take the newest of everything")
    parser.add_argument("packages", nargs="+", help="arguments of pip install, after --")
    return parser


if __name__ == "__main__":
    main()
