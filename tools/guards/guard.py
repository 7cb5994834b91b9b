"""A guard: a row of the table."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Guard:
    """A line of defence, and how to be without it.

    Attributes:
        does: What it does, as half a sentence.
        module: Path of its module.
        code: The text in the module that it comes down to; stands there once.
        without: What stands there in a copy that lacks the guard.
        tests: Those that fail in that copy, as pytest names them, each without its parameters.
    """

    does: str
    module: str
    code: str
    without: str
    tests: tuple[str, ...]

    def remove(self, root: Path) -> None:
        """Take the guard out of the code below a folder.

        Raises:
            ValueError: Its code is not there, or not once.
        """
        path = root / self.module
        text = path.read_text(encoding="utf-8")
        if text.count(self.code) != 1:
            raise ValueError(f"{self.module} holds `{self.code}` {text.count(self.code)} times")
        path.write_text(text.replace(self.code, self.without), encoding="utf-8")


@dataclass(frozen=True)
class Threat:
    """What somebody may try.

    Attributes:
        name: In a few words.
        guards: What stands against it.
    """

    name: str
    guards: tuple[Guard, ...]


def problems(guard: Guard, root: Path) -> Iterator[str]:
    """What of a row is not true of the code below a folder."""
    path = root / guard.module
    if not path.is_file():
        yield f"there is no {guard.module}"
    else:
        text = path.read_text(encoding="utf-8")
        if text.count(guard.code) != 1:
            yield f"{guard.module} holds `{guard.code}` {text.count(guard.code)} times"
        if not _parses(text.replace(guard.code, guard.without)):
            yield f"{guard.module} without `{guard.code}` is not Python"
    if not guard.tests:
        yield f"no test notices that {guard.module} lacks `{guard.code}`"
    for test in guard.tests:
        file, _, name = test.partition("::")
        if not (root / file).is_file() or name not in _functions(root / file):
            yield f"there is no {test}"


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _functions(path: Path) -> set[str]:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return {each.name for each in body if isinstance(each, ast.FunctionDef)}
