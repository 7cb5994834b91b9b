"""Request bodies with one to three things wrong, made from those that Label Studio really sent."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

MAX_ITEMS = 12
"""Items of a list that are mutated one by one; brush codes have thousands, all alike."""


def _nested(depth: int) -> list[Any]:
    inner: list[Any] = []
    for _ in range(depth):
        inner = [inner]
    return inner


STRANGE: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 0.0, -0.5, 50, 99.99, 1e9, 1e308, 2**31, 2**53, 2**63, 10**30,
    float("nan"), float("inf"), -float("inf"),
    "", " ", "0", "1", "-1", "640", "1e9", "nan", "Object", "mask", "image", "$image", "keypoint",
    "brushlabels", "rectanglelabels", "Zebra", "\0", "\ud800", "é" * 300, "x" * 5000, "<View>",
    "data:image/png;base64,", "http://[", "//", "2026-01-01T00:00:00Z",
    [], [None], [[]], [{}], ["Object", "Object"], [5], ["a", 5], [1, 2], [[1, 2], [3, 4], [5, 6]],
    {}, {"result": []}, {"x": 1}, {"": None}, {"type": ["keypointlabels"]}, {"type": "brush"},
    {"rle": [0, 4], "format": "rle"}, {"edgeflow": {"v": 1}},
    _nested(30), _nested(200), _nested(260),
)  # fmt: skip
"""What may stand where anything else is expected."""


def mutated(body: Any, chance: random.Random) -> Any:
    """A copy of a JSON value with one to three changes anywhere in it."""
    changed = copy.deepcopy(body)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        places = list(_places(changed))
        if not places:
            return changed
        _change(*chance.choice(places), chance)
    return changed


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """All places below a node, as container and key."""
    keys: list[Any] = []
    if isinstance(node, dict):
        keys = list(node)
    elif isinstance(node, list):
        keys = list(range(min(len(node), MAX_ITEMS)))
    for key in keys:
        yield node, key
        yield from _places(node[key])


def _change(holder: Any, key: Any, chance: random.Random) -> None:
    value = holder[key]
    match chance.choice(("replace", "replace", "replace", "text", "delete", "double", "swap")):
        case "delete":
            del holder[key]
        case "double" if isinstance(holder, list):
            holder.insert(key, copy.deepcopy(value))
        case "double":
            holder[key] = [value, copy.deepcopy(value)]
        case "swap":
            other = chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
            holder[key], holder[other] = holder[other], value
        case "text" if isinstance(value, str) and value:
            holder[key] = _misspelt(value, chance)
        case _:
            holder[key] = copy.deepcopy(chance.choice(STRANGE))


def _misspelt(text: str, chance: random.Random) -> str:
    """A text with a piece taken out, doubled, moved to its end, or a character changed."""
    start, end = sorted(chance.randrange(len(text) + 1) for _ in range(2))
    piece = text[start:end]
    match chance.randrange(4):
        case 0:
            return text[:start] + text[end:]
        case 1:
            return text[:end] + piece + text[end:]
        case 2:
            return text[:start] + text[end:] + piece
        case _:
            strange = chance.choice(("<", ">", '"', "&", "$", "[", "]", ".", "{{", "\0", "\ud800"))
            return text[:start] + strange + text[start + 1 :]
