"""Whether a version may be served, and why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from edgeflow.learning.gate.comparison import Comparison


@dataclass(frozen=True)
class Tried:
    """A share of what was learnt that was judged; see :func:`.weigh_shares`.

    Attributes:
        share: How far it goes from the base weights to what was learnt, 0 to 1.
        level: Level that it was judged at.
        saved: Share of the clicks that it saves on held-out objects, against the base weights.
        p: How likely it would save so much by chance, 0 to 1.
        accepted: Whether it may be served.
    """

    share: float
    level: float
    saved: float
    p: float
    accepted: bool

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Tried:
        """What :func:`dataclasses.asdict` made.

        Raises:
            KeyError, TypeError, ValueError: It made something else.
        """
        share, level, saved, p = (float(data[name]) for name in ("share", "level", "saved", "p"))
        return cls(share, level, saved, p, data["accepted"] is True)


@dataclass(frozen=True)
class Verdict:
    """What was found of a version.

    Attributes:
        accepted: Whether it may be served.
        reasons: Why not, in words; none if it may.
        held_out: Against the base weights, on held-out objects; None where it was not measured.
        served: Against the version that is served, on the same objects; None if there is none.
        general: Against the base weights, on the general set.
        share: How far the version goes from the base weights to what was learnt, 0 to 1.
        left_out: Objects that were neither learnt from nor judged by, by reason.
        tried: The shares that were judged, in order; none in verdicts of before there were several.
    """

    accepted: bool
    reasons: tuple[str, ...]
    held_out: Comparison | None = None
    served: Comparison | None = None
    general: Comparison | None = None
    share: float | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    tried: tuple[Tried, ...] = ()

    @classmethod
    def refused(cls, *reasons: str, left_out: Mapping[str, int] | None = None) -> Verdict:
        """A verdict on what need not be measured."""
        return cls(accepted=False, reasons=reasons, left_out=left_out or {})

    def to_json(self) -> dict[str, Any]:
        """As JSON; IoUs 0 to 1, keys are strings."""
        return {
            "accepted": self.accepted,
            "reasons": list(self.reasons),
            "held_out": _to_json(self.held_out),
            "served": _to_json(self.served),
            "general": _to_json(self.general),
            "share": self.share,
            "left_out": dict(self.left_out),
            "tried": [asdict(each) for each in self.tried],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Verdict:
        """What :meth:`to_json` made.

        Raises:
            ValueError: It made something else.
        """
        try:
            return cls(
                accepted=data["accepted"] is True,
                reasons=tuple(str(reason) for reason in data["reasons"]),
                held_out=_from_json(data["held_out"]),
                served=_from_json(data["served"]),
                general=_from_json(data["general"]),
                share=None if data["share"] is None else float(data["share"]),
                left_out={str(why): int(count) for why, count in data["left_out"].items()},
                tried=tuple(map(Tried.from_json, data.get("tried", ()))),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no verdict: {type(error).__name__} {error}") from error


def _to_json(comparison: Comparison | None) -> dict[str, Any] | None:
    return None if comparison is None else comparison.to_json()


def _from_json(data: Mapping[str, Any] | None) -> Comparison | None:
    return None if data is None else Comparison.from_json(data)
