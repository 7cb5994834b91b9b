"""Runs a command quietly, and says every few seconds how far it is."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tools.environments.commands import Command

SECONDS = 5.0
"""Between two lines."""

Say = Callable[[str], None]


def run(command: Command, log: Path, packages: Callable[[], int], say: Say) -> bool:
    """Run a command to its end; its output goes to the log.

    Args:
        command: Program and arguments.
        log: File that the output is appended to.
        packages: Counts the packages that are installed so far.
        say: Gets a line every :data:`SECONDS`; an empty one where the output tells nothing.

    Returns:
        Whether it succeeded.
    """
    with log.open("a", encoding="utf-8") as output:
        output.write(f"$ {' '.join(command)}\n")
        output.flush()
        begin = output.tell()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},  # or the log stays empty for minutes
        )
        try:
            while True:
                try:
                    return process.wait(SECONDS) == 0
                except subprocess.TimeoutExpired:
                    say(describe(log.read_bytes()[begin:].decode(errors="replace"), packages()))
        finally:
            process.terminate()
            process.wait()


def describe(output: str, packages: int) -> str:
    """What pip or uv is doing, by what it has printed and how many packages are installed.

    Empty where that does not tell.
    """
    if re.search(r"^(Installing collected packages|Prepared)\b", output, re.MULTILINE):
        return f"unpacking: {packages} packages are in place"
    if resolved := re.findall(r"^Resolved (\d+) packages?", output, re.MULTILINE):
        return f"fetching {resolved[-1]} packages"
    if fetched := re.findall(r"^Collecting ([\w.-]+)", output, re.MULTILINE):
        return f"fetching {fetched[-1]}, package {len(fetched)}"
    return ""


def clock() -> Callable[[], str]:
    """Minutes and seconds since this call, as ``0:07``."""
    begin = time.monotonic()

    def passed() -> str:
        minutes, seconds = divmod(round(time.monotonic() - begin), 60)
        return f"{minutes}:{seconds:02d}"

    return passed
