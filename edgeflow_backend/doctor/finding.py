"""What the doctor, and whoever else checks something, has to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One line of a report.

    Attributes:
        verdict: Whether it is fine.
        text: What was checked, and the outcome.
        advice: How to fix it; may be empty.
    """

    verdict: Verdict
    text: str
    advice: str = ""
