"""``<Repeater>``: a part of a labelling config that stands once for each entry of a task's list.

As ``core/Tree.tsx`` of the editor does it (Label Studio 1.23): in each copy the first ``{{idx}}``
of an attribute becomes the entry's number; in the outermost tags of a copy the second one, too.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from typing import Any

from edgeflow.errors import LabelConfigError
from edgeflow.label_studio.config.expressions import evaluate
from edgeflow.label_studio.config.tags import Tag

INDEX_FLAG = "{{idx}}"

MAX_TAGS = 100_000
"""Tags of a config in which all is repeated; a document of 500 pages with 100 labels has half."""


def expand(root: Tag, data: Mapping[str, Any] | None) -> Tag:
    """A config with all its repeaters carried out.

    Args:
        root: The config's outermost tag.
        data: The task's; None where it is not known: then each part stands once, as for the first
            entry.

    Raises:
        LabelConfigError: There would be more than ``MAX_TAGS``.
    """
    return _Expansion(data).expand(root, {})


class _Expansion:
    """One expansion, which counts the tags it makes."""

    def __init__(self, data: Mapping[str, Any] | None) -> None:
        self._data = data
        self._left = MAX_TAGS

    def expand(self, tag: Tag, flags: Mapping[str, int]) -> Tag:
        """A tag and what is inside it.

        Args:
            tag: As written, or a copy in a repeater.
            flags: What is replaced in the tag itself once more: outermost tags of a copy alone.
        """
        self._left -= 1
        if self._left < 0:
            raise LabelConfigError(
                f"the labelling config has more than {MAX_TAGS} tags for this task",
                hint="split the task: its <Repeater> has too many entries",
            )
        attributes = _replaced(tag.attributes, flags)
        if tag.type == "repeater":
            children = tuple(self._copies(tag, attributes, flags))
            return Tag("view", attributes, children)
        children = tuple(self.expand(child, {}) for child in tag.children)
        return _with(tag, attributes, children)

    def _copies(
        self, repeater: Tag, attributes: Mapping[str, str], flags: Mapping[str, int]
    ) -> Iterator[Tag]:
        flag = attributes.get("indexflag", INDEX_FLAG)
        for index in range(self._count(attributes.get("on", ""))):
            for child in repeater.children:
                yield self.expand(_copy(child, {flag: index}), {**flags, flag: index})

    def _count(self, expression: str) -> int:
        if self._data is None:
            return 1
        entries = evaluate(expression, self._data)
        return len(entries) if isinstance(entries, list | str) else 0


def _copy(tag: Tag, flag: Mapping[str, int]) -> Tag:
    children = tuple(_copy(child, flag) for child in tag.children)
    return _with(tag, _replaced(tag.attributes, flag), children)


def _replaced(attributes: Mapping[str, str], flags: Mapping[str, int]) -> Mapping[str, str]:
    for flag, index in flags.items():
        if any(flag in value for value in attributes.values()):
            attributes = {
                name: value.replace(flag, str(index), 1) for name, value in attributes.items()
            }
    return attributes


def _with(tag: Tag, attributes: Mapping[str, str], children: tuple[Tag, ...]) -> Tag:
    """A tag with these; itself where nothing changed, as for most labels of a document's pages."""
    same = all(map(operator.is_, children, tag.children))
    if same and attributes is tag.attributes:
        return tag
    name = tag.attributes.get("name", "")
    renamed = attributes.get("name", "") != name
    return Tag(tag.type, attributes, children, tag.text, tag.repeated or (name if renamed else ""))
