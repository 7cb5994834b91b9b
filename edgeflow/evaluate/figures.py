"""How figures are written: for the terminal, and in the tables of a report's page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edgeflow.evaluate.summary import Estimate, Mean

NONE = "–"

STYLE = """
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 1400px; }
  table { border-collapse: collapse; margin-bottom: 1em; }
  td, th { border-bottom: 1px solid #ddd; padding: .2em .8em; text-align: left; }
  img { max-width: 100%; } small { color: #555; }
"""
"""Of a report's page, in CSS."""


def plain(value: float | None, digits: int = 2) -> str:
    """A number; a dash for none."""
    return NONE if value is None else f"{value:.{digits}f}"


def number(mean: Mean, digits: int = 2) -> str:
    """A mean alone; a dash for none."""
    return plain(None if mean is None else mean.mean, digits)


def interval(mean: Mean, digits: int = 2) -> str:
    """A mean with its interval; a dash for none."""
    return NONE if mean is None else f"{number(mean, digits)} {_bounds(mean, digits)}"


def html_interval(mean: Mean, digits: int = 2) -> str:
    """The same in HTML, the interval in small letters."""
    if mean is None:
        return NONE
    return f"{number(mean, digits)} <small>{_bounds(mean, digits)}</small>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in HTML; its cells are HTML, too."""
    lines = [
        "".join(f"<th>{each}</th>" for each in head),
        *("".join(f"<td>{each}</td>" for each in row) for row in rows),
    ]
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>\n"


def _bounds(mean: Estimate, digits: int) -> str:
    return f"[{mean.low:.{digits}f}, {mean.high:.{digits}f}]"
