"""The labels of a control: those of the config, then those of the task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from edgeflow.label_studio.config.expressions import evaluate, has_variable
from edgeflow.label_studio.config.tags import Tag


@dataclass(frozen=True, slots=True)
class Label:
    """A label.

    Attributes:
        value: As in the config or task.
        alias: What Label Studio stores in the value's place; None without one.
        shown: The text of a value such as ``$name``, which the editor shows, but does not store.
    """

    value: str
    alias: str | None = None
    shown: str | None = None

    @property
    def stored(self) -> str:
        """How Label Studio stores it."""
        return self.alias or self.value

    def called(self, text: str) -> Label | None:
        """This label, if ``text`` is its value or alias; named by what is shown, if that is it."""
        if text in (self.value, self.alias):
            return self
        return replace(self, value=text, shown=None) if text == self.shown else None


def labels_of(
    value: str, tags: list[Tag], data: Mapping[str, Any] | None
) -> tuple[tuple[Label, ...], bool]:
    """The labels of a control, and whether there may be others that only a task tells.

    Args:
        value: The control's ``value``: where in a task's data a list of labels stands.
        tags: Its ``Label`` tags.
        data: The task's; None where it is not known.
    """
    written = [label for tag in tags if (label := _written(tag, data)) is not None]
    if not has_variable(value):
        return tuple(written), False
    if data is None:
        return tuple(written), True
    return (*written, *_listed(evaluate(value, data))), False


def _written(tag: Tag, data: Mapping[str, Any] | None) -> Label | None:
    if not tag.value:
        return None
    label = Label(tag.value, tag.attributes.get("alias") or None)
    if data is not None and has_variable(tag.value):
        shown = evaluate(tag.value, data)
        return replace(label, shown=shown if isinstance(shown, str) else None)
    return label


def _listed(entries: object) -> Iterator[Label]:
    """The labels in a task's list: objects, perhaps with ``children``, or plain texts."""
    pending = [entries]
    while pending:
        entry = pending.pop()
        if isinstance(entry, list):
            pending.extend(reversed(entry))
        elif isinstance(entry, str):
            if entry:
                yield Label(entry)
        elif isinstance(entry, Mapping):
            value, alias = entry.get("value"), entry.get("alias")
            if isinstance(value, str) and value:
                yield Label(value, alias if isinstance(alias, str) and alias else None)
            pending.append(entry.get("children"))
