"""This project's own attributes in a labelling config, and those that stand where they do nothing.

Label Studio passes attributes that it does not know, so a misplaced or misspelt one is as good as
none to it, and nobody would hear of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from edgeflow.errors import brief
from edgeflow.label_studio.config.tags import Tag
from edgeflow.label_studio.controls import CONTROLS, ControlKind, kind_of_region
from edgeflow_backend.protocol.targets import PAGES, SIMILAR

PREFIX = "edgeflow"

_PROMPTS = tuple(kind for kind in CONTROLS.values() if kind.sends != "nothing")
_MASKS = tuple(kind for kind in CONTROLS.values() if kind.mask is not None)

ATTRIBUTES: dict[str, tuple[ControlKind, ...]] = {
    "edgeflowModel": _PROMPTS,
    "edgeflowAnswer": _PROMPTS,
    "edgeflowFind": _PROMPTS,
    "edgeflowOverlap": _MASKS,
}
"""The attributes, and the kinds of controls that take them."""

_SPELT = {name.lower(): name for name in ATTRIBUTES}


def misplaced(root: Tag) -> list[str]:
    """What is to be said of each attribute that does nothing, with what to do.

    Args:
        root: A config's outermost tag.
    """
    return list(dict.fromkeys(chain.from_iterable(map(_of_tag, _tags(root)))))


def _of_tag(tag: Tag) -> Iterator[str]:
    kind = kind_of_region(tag.type)  # a region's type is its control's tag in lower case
    for attribute, value in tag.attributes.items():
        if not attribute.startswith(PREFIX):
            continue
        name = _SPELT.get(attribute)
        if name is None:
            yield (
                f"There is no attribute '{brief(attribute)}'; known are {', '.join(ATTRIBUTES)}."
            )
            continue
        if kind not in ATTRIBUTES[name]:
            takers = " or ".join(each.name for each in ATTRIBUTES[name])
            yield f"{name} does nothing on <{brief(tag.type)}>; put it on a {takers} control."
        elif name == "edgeflowAnswer" and value == SIMILAR:
            yield f'To find all like one object, write edgeflowFind="{SIMILAR}", not {name}.'
        elif name == "edgeflowAnswer" and value == PAGES:
            yield f'To carry one object to all pages, write edgeflowFind="{PAGES}", not {name}.'
        elif name == "edgeflowFind" and not tag.says("smart", default=True):
            yield f'edgeflowFind does nothing on <{brief(tag.type)}> without smart="true"; set it.'


def _tags(root: Tag) -> Iterator[Tag]:
    pending = [root]
    while pending:
        tag = pending.pop()
        yield tag
        pending.extend(reversed(tag.children))
