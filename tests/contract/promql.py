"""The series that a PromQL expression reads."""

from __future__ import annotations

import re
from typing import NamedTuple

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)")
_TIME = re.compile(r"\[[^\]]*\]|\boffset\s+\S+")
_SELECTOR = re.compile(r"(?<![\w:$.])([A-Za-z_:][\w:]*)(?![\w:])\s*(?:\{([^}]*)\})?(?!\s*\()")
_MATCHER = re.compile(r"([A-Za-z_]\w*)\s*(?:=~|!~|!=|=)")
_WORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "bool", "inf", "nan"}
_ADDED = {"job", "instance"}
"""Labels that Prometheus adds."""


class Selector(NamedTuple):
    """A metric, and the labels that an expression selects it by."""

    metric: str
    labels: frozenset[str]


def selectors(expression: str) -> list[Selector]:
    """The selectors of an expression; labels that Prometheus adds are left out."""
    text = _TIME.sub("", _GROUPING.sub("", _STRING.sub('""', expression)))
    return [
        Selector(name, frozenset(_MATCHER.findall(matchers or "")) - _ADDED)
        for name, matchers in _SELECTOR.findall(text)
        if name.lower() not in _WORDS
    ]


def groupings(expression: str) -> frozenset[str]:
    """The labels that an expression groups or matches by, without those that Prometheus adds."""
    inner = ",".join(_GROUPING.findall(_STRING.sub('""', expression)))
    return frozenset(filter(None, re.split(r"[\s,]+", inner))) - _ADDED
