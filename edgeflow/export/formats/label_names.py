"""Class names where a file cannot hold every text, still unlike each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def told_apart(
    names: Sequence[str], clean: Callable[[str], str], *, ignore_case: bool = False
) -> tuple[str, ...]:
    """Class names after cleaning; where two would be one, underscores set the later one apart.

    Names that need no cleaning stay as they are, whatever others become.

    Args:
        names: Each once.
        clean: What makes a name fit.
        ignore_case: Whether names that differ in case alone count as one, as for files.
    """
    fold = str.casefold if ignore_case else str
    chosen = list(map(clean, names))
    taken: set[str] = set()
    for place in sorted(range(len(names)), key=lambda place: chosen[place] != names[place]):
        while fold(chosen[place]) in taken:
            chosen[place] += "_"
        taken.add(fold(chosen[place]))
    return tuple(chosen)


def one_line(name: str) -> str:
    """A name without what breaks a line or cannot be encoded; never empty."""
    return _BREAKS.sub("_", name) or "_"


def one_word(name: str) -> str:
    """A name in one line and without blanks."""
    return re.sub(r"\s", "_", one_line(name))
