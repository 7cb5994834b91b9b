"""A comparison of two annotations in lines for people, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from edgeflow.agreement.comparison import (
    ClassAgreement,
    Match,
    Side,
    by_class,
    confusions,
    of_all,
)

NO_CLASS = "(no class)"
HEADER = ("class", "in A", "in B", "both", "only A", "only B", "IoU", "boundary IoU")
COLUMNS = ("image", "key_a", "class_a", "key_b", "class_b", "iou", "boundary_iou")
LONGEST = 32
"""Most characters of a class's name in a table."""

DIGITS = 6
"""Decimals in files."""


@dataclass(frozen=True)
class Comparison:
    """Two annotations of the same images.

    Attributes:
        a: What A is called.
        b: What B is called.
        least: Objects with a smaller IoU are different ones.
        images: Names of the compared images.
        matches: Their objects.
        only_a: Names of images that were not compared, since B does not have them.
        only_b: Names of those that A does not have.
        other_size: Names of those that have another size in B than in A.
    """

    a: str
    b: str
    least: float
    images: Sequence[str]
    matches: Sequence[Match]
    only_a: Sequence[str]
    only_b: Sequence[str]
    other_size: Sequence[str]


def report_lines(comparison: Comparison) -> Iterable[str]:
    """A table by class, and what differs besides."""
    yield f"A: {_printable(comparison.a)}"
    yield f"B: {_printable(comparison.b)}"
    yield f"{len(comparison.images)} images in both"
    for names, said in (
        (comparison.only_a, "in A alone, not compared"),
        (comparison.only_b, "in B alone, not compared"),
        (comparison.other_size, "of another size in B than in A, not compared"),
    ):
        if names:
            yield f"{len(names)} images {said}"
    yield ""
    rows = [_row(_class(each.label), each) for each in by_class(comparison.matches)]
    yield from _table([HEADER, *rows, _row("all", of_all(comparison.matches))])
    for (one, other), count in confusions(comparison.matches):
        yield f"{count} × {_class(one)} in A, {_class(other)} in B"


def as_json(comparison: Comparison) -> bytes:
    """All figures and all objects."""
    document = {
        "a": comparison.a,
        "b": comparison.b,
        "least_iou": comparison.least,
        "images": {
            "compared": len(comparison.images),
            "only_a": list(comparison.only_a),
            "only_b": list(comparison.only_b),
            "other_size": list(comparison.other_size),
        },
        "all": _figures(of_all(comparison.matches)),
        "classes": [
            {"class": each.label, **_figures(each)} for each in by_class(comparison.matches)
        ],
        "confusions": [
            {"a": one, "b": other, "objects": count}
            for (one, other), count in confusions(comparison.matches)
        ],
        "objects": [
            {
                "image": comparison.images[each.image],
                "a": _side(each.a),
                "b": _side(each.b),
                "iou": _rounded(each.iou),
                "boundary_iou": _rounded(each.boundary_iou),
            }
            for each in comparison.matches
        ],
    }
    return json.dumps(document, indent=1).encode()


def as_csv(comparison: Comparison) -> bytes:
    """One line an object; empty where one of the two does not have it."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    for each in comparison.matches:
        sides = [field for side in (each.a, each.b) for field in _cells(side)]
        ious = _rounded(each.iou), _rounded(each.boundary_iou)
        writer.writerow([comparison.images[each.image], *sides, *ious])
    return stream.getvalue().encode("utf-8", "backslashreplace")


def _figures(agreement: ClassAgreement) -> dict[str, Any]:
    figures = agreement._asdict()
    del figures["label"]
    means = {name: _rounded(figures[name]) for name in ("iou", "boundary_iou")}
    return {**figures, **means}


def _side(side: Side | None) -> dict[str, Any] | None:
    return None if side is None else {"key": side.key, "class": side.label}


def _cells(side: Side | None) -> tuple[str, str]:
    return ("", "") if side is None else (side.key, side.label or "")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def _row(name: str, agreement: ClassAgreement) -> tuple[str, ...]:
    _, *counts, iou, rims = agreement
    means = ("–" if value is None else f"{value:.3f}" for value in (iou, rims))
    return (name, *map(str, counts), *means)


def _table(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *cells in rows:
        first, *others = widths
        yield "  ".join([name.ljust(first), *map(str.rjust, cells, others)])


def _class(label: str | None) -> str:
    if label is None:
        return NO_CLASS
    text = _printable(label)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _printable(text: str) -> str:
    """A text of unknown origin, without what would do harm in a terminal."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
