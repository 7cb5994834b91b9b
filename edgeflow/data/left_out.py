"""What a reader of annotations leaves out, and how that is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from edgeflow.errors import EdgeFlowError

SHOWN = 20
"""Most faults that are named one by one."""


class LeftOut(NamedTuple):
    """Something in a dataset that is not among its objects.

    Attributes:
        reason: What it is, as a plural noun; of a fault, what is wrong.
        fault: Where it is, if an object is lost by it; empty for what never was a mask, such as
            points and texts.
    """

    reason: str
    fault: str = ""

    @classmethod
    def of(cls, error: EdgeFlowError, fault: str) -> LeftOut:
        """What an error costs, said without the place where its message names it, too.

        Args:
            error: What is wrong.
            fault: Where it is.
        """
        return cls(error.message.removeprefix(f"{fault}: "), fault)


def left_out_lines(left_out: Iterable[LeftOut]) -> list[str]:
    """Lines for people: faults by name, the rest counted by reason. None if nothing was left out.

    Args:
        left_out: In the dataset's order.
    """
    plain: Counter[str] = Counter()
    faults: list[LeftOut] = []
    for each in left_out:
        if each.fault:
            faults.append(each)
        else:
            plain[each.reason] += 1
    lines = []
    if plain:
        counted = ", ".join(f"{reason} ({count})" for reason, count in plain.most_common())
        lines.append(f"left out: {counted}")
    if faults:
        lines.append(f"warning: {len(faults)} could not be read:")
        lines += [f"  {each.fault}: {each.reason}" for each in faults[:SHOWN]]
    if len(faults) > SHOWN:
        lines.append(f"  … and {len(faults) - SHOWN} more")
    return lines
