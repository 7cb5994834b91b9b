"""The expressions with which a labelling config refers to a task's data.

``parseValue`` of the editor (``utils/data.js``, Label Studio 1.23), on es-toolkit's ``get``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_VARIABLE = re.compile(r"\$[\w\[\].{}]+", re.ASCII)
"""JavaScript's ``\\w`` knows ASCII alone."""

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")

MISSING: Any = object()
"""What a task does not say; JavaScript's ``undefined``."""


def has_variable(expression: str) -> bool:
    """Whether an expression refers to the task at all."""
    return "$" in expression


def evaluate(expression: str, data: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """The value of an expression.

    Where the editor would find nothing, the data's key of exactly that name stands in: such as
    ``my-image``, which cannot be written as an expression.

    Args:
        expression: For example ``$image``, ``$images[0]``, ``$meta.url``, a text with such a name
            in it, or a constant.
        data: The task's.

    Returns:
        What stands there, of any type; a string where there is text around a name; ``MISSING``
        where the task lacks a part of it.
    """
    variable = _VARIABLE.search(expression)
    if variable is not None and variable[0] == expression:
        value = look_up(expression[1:], data)
    else:
        parts = {name: look_up(name[1:], data) for name in _VARIABLE.findall(expression)}
        if any(part is MISSING or part is None for part in parts.values()):
            value = MISSING
        elif variable is None:
            value = expression or MISSING
        else:
            value = _VARIABLE.sub(lambda match: _text(parts[match[0]]), expression)
    if value is MISSING or variable is None:
        return data.get(expression.strip().removeprefix("$"), value)
    return value


def look_up(path: str, data: object) -> Any:  # noqa: ANN401 - any JSON value
    """What stands at a path in a task's data: a key of exactly that name, or else a nested one.

    Args:
        path: For example ``image``, ``images[0]`` or ``a.b[1].c``.
        data: The task's.

    Returns:
        ``MISSING`` where there is nothing.
    """
    value = _member(data, path)
    if value is not MISSING or not set(path) & set(".[]"):
        return value
    keys = _keys(path)
    value = data if keys else MISSING
    for key in keys:
        value = _member(value, key)
        if value is MISSING:
            break
    return value


def _keys(path: str) -> list[str]:
    """The keys of a path; empty ones count only in brackets and before a leading dot."""
    keys = [""] if path.startswith(".") else []
    key, bracket = "", False
    for character in path[len(keys) :]:
        if bracket and character == "]":
            keys.append(key)
            key, bracket = "", False
        elif not bracket and character in "[.":
            if key:
                keys.append(key)
            key, bracket = "", character == "["
        else:
            key += character
    return [*keys, key] if key else keys


def _member(value: object, key: str) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, Mapping):
        return value.get(key, MISSING)
    if isinstance(value, list) and _INDEX.fullmatch(key) and int(key) < len(value):
        return value[int(key)]
    return MISSING


def _text(value: object) -> str:
    """A value as JavaScript writes it into a text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join("" if item is None else _text(item) for item in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "[object Object]" if isinstance(value, Mapping) else str(value)
