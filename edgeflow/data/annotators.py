"""Whose annotation of a Label Studio task counts, of those that it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from edgeflow.data.json_files import objects_in
from edgeflow.data.left_out import LeftOut

FIRST = "first"
LAST = "last"
ALL = "all"
VOTES = ("vote", "staple")
"""Words for whose annotations count; :data:`VOTES` for what several annotators agree on."""

LONGEST = 20
"""Most digits of an annotator's number; a 64-bit one has no more."""


class Counted(NamedTuple):
    """An annotation that counts.

    Attributes:
        results: Its results, untrusted.
        number: Its id; where the id is no number of its own, its place among the task's.
        by: Whose it is: ``by`` and the annotator's number; with several of one annotator, ``-`` and
            the annotation's behind; without a number, ``annotation`` and the annotation's.
    """

    results: list[Any]
    number: int
    by: str


class Chosen(NamedTuple):
    """The annotations of a task that count.

    Attributes:
        annotations: In the order in which they were made; several only where all or votes are
            asked for.
        left_out: The other annotations, drafts and predictions.
    """

    annotations: tuple[Counted, ...]
    left_out: tuple[LeftOut, ...]


def choose_annotations(task: dict[str, Any], source: str, annotator: str = FIRST) -> Chosen:
    """Choose one of a task's annotations, or several that stay apart.

    Cancelled ones never count. For ``first``, ``last`` and the votes, a ground truth comes before
    all others, then the order is that in which they were made.

    Args:
        task: As Label Studio exports it, untrusted.
        source: Where it was read, for messages.
        annotator: ``first`` or ``last``, or the id or e-mail address of the annotator whose
            annotation counts; of several the last. ``all`` takes all, and each of :data:`VOTES` the
            last one of each annotator.
    """
    left_out = [
        LeftOut(what)
        for key, what in (("drafts", "drafts"), ("predictions", "predictions"))
        for _ in objects_in(task.get(key))
    ]
    candidates = []
    for annotation in objects_in(task.get("annotations")):
        if annotation.get("was_cancelled"):
            left_out.append(LeftOut("cancelled annotations"))
        elif not isinstance(annotation.get("result"), list):
            left_out.append(LeftOut("an annotation without result", source))
        else:
            candidates.append(annotation)
    candidates.sort(key=_number)
    counted = _counted(candidates)
    chosen = tuple(counted[place] for place in _choose(candidates, annotator))
    others = len(candidates) - len(chosen)
    left_out += [LeftOut("further annotations of a task")] * others
    return Chosen(chosen, tuple(left_out))


def _choose(candidates: list[dict[str, Any]], annotator: str) -> list[int]:
    """Places of the annotations that count."""
    everyone = annotator in (FIRST, LAST, ALL, *VOTES)
    mine = [
        place for place, each in enumerate(candidates) if everyone or annotator in _annotators(each)
    ]
    if annotator == ALL:
        return mine
    if everyone:
        mine = [place for place in mine if candidates[place].get("ground_truth") is True] or mine
    if annotator in VOTES:
        last = {next(_annotators(candidates[place]), place): place for place in mine}
        return sorted(last.values())
    return mine[:1] if annotator == FIRST else mine[-1:]


def _counted(candidates: list[dict[str, Any]]) -> list[Counted]:
    """Annotations with a number and a name each, which are unique."""
    people = [next(_annotators(each), "") for each in candidates]
    ids = list(map(_number, candidates))
    numbers = [
        number if number > 0 and ids.count(number) == 1 else -place
        for place, number in enumerate(ids)
    ]
    return [
        Counted(each["result"], number, _by(person, number, sole=people.count(person) == 1))
        for each, number, person in zip(candidates, numbers, people, strict=True)
    ]


def _by(person: str, number: int, *, sole: bool) -> str:
    if person.isascii() and person.isdigit() and len(person) <= LONGEST:
        return f"by{person}" if sole else f"by{person}-{number}"
    return f"annotation{number}"  # an e-mail address goes no further


def _number(annotation: dict[str, Any]) -> int:
    number = annotation.get("id")
    return number if type(number) is int else 0


def _annotators(annotation: dict[str, Any]) -> Iterator[str]:
    """What an annotator may be called: the id, and in exports the e-mail address, too."""
    person = annotation.get("completed_by")
    names = [person.get("id"), person.get("email")] if isinstance(person, dict) else [person]
    yield from (str(name) for name in names if isinstance(name, str | int))
