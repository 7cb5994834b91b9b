"""Whether this Python can run the project: prints nothing, or one line that says why not.

    python3 -m tools.environments.check_python

Written so that older Pythons also reach the message.
"""

import importlib.util
import pathlib
import re
import shutil
import subprocess
import sys

PYPROJECT = pathlib.Path(__file__).parents[2] / "pyproject.toml"


def supported(pyproject: str) -> tuple:  # type: ignore[type-arg]
    """First supported minor version of Python 3 and the one after the last, by a pyproject.toml."""
    found = re.search(r'^requires-python = ">=3\.(\d+),<3\.(\d+)"', pyproject, re.MULTILINE)
    assert found, "requires-python is not written as >=3.A,<3.B"
    return int(found[1]), int(found[2])


def fault(major: int, minor: int, pyproject: str) -> str:
    """One line about a version that is not supported, with the way out; empty for one that is."""
    first, end = supported(pyproject)
    if major == 3 and first <= minor < end:
        return ""
    names = [f"python3.{each}" for each in range(end - 1, first - 1, -1)]
    other = next(filter(_runs, names), names[0])
    return (
        f"Python 3.{first} to 3.{end - 1} is needed, and this is {major}.{minor}; "
        f"name another, as in: make demo PYTHON={other}"
    )


def _runs(name: str) -> bool:
    """Whether there is such a program and it starts; version managers leave empty shells."""
    return shutil.which(name) is not None and not subprocess.call(
        [name, "-c", ""], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def main() -> None:
    """Print what is wrong, if anything is."""
    text = fault(sys.version_info[0], sys.version_info[1], PYPROJECT.read_text())
    if not text and importlib.util.find_spec("ensurepip") is None and not shutil.which("uv"):
        text = "this Python has no ensurepip; on Debian and Ubuntu: apt install python3-venv"
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
