"""JSON files of evaluations, which say what kind of evaluation they are of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from edgeflow.errors import EdgeFlowError
from edgeflow.files import write_atomically


def write_results(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file.

    Args:
        path: The file; an older one is replaced whole.
        content: With the kind of evaluation as ``format``.

    Raises:
        FileWriteError: The file cannot be written.
    """
    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
    write_atomically(path, orjson.dumps(content, option=options))


def check_format(
    path: Path, format: str, what: str, command: str, error: type[EdgeFlowError]
) -> None:
    """Make sure that a file is the result of such an evaluation.

    Args:
        path: The file.
        format: The kind of evaluation.
        what: The same in words, such as ``sequences``.
        command: The command that writes such files.
        error: What is raised if it is something else, or cannot be read.
    """
    try:
        data = orjson.loads(path.read_bytes())
        known = isinstance(data, dict) and data.get("format") == format
    except (OSError, ValueError):
        known = False
    if not known:
        raise error(
            f"{path} is not the result of an evaluation of {what}",
            hint=f"give a file that `{command} --json` wrote",
        )
