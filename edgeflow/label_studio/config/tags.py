"""The tags of a labelling config, with the names and spellings that the editor accepts.

The editor lower-cases the names of tags and attributes (``core/Tree.tsx``, Label Studio 1.23), and
takes the text of a tag that holds nothing else for its ``value``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError, TreeBuilder
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from edgeflow.errors import LabelConfigError

MAX_LENGTH = 1_000_000
"""Characters of a labelling config; real ones have a few thousand."""

MAX_DEPTH = 100
"""Tags inside each other; real configs have a dozen."""


@dataclass(frozen=True, slots=True, eq=False)
class Tag:
    """A tag and what is inside it.

    Attributes:
        type: Its name in lower case.
        attributes: By name in lower case; of names that differ in their case alone, the last.
        children: The tags directly inside.
        text: Text inside, where there is nothing else.
        repeated: Its name as written, where a repeater made it; empty elsewhere.
    """

    type: str
    attributes: Mapping[str, str]
    children: tuple[Tag, ...] = ()
    text: str = ""
    repeated: str = ""

    @property
    def value(self) -> str:
        """Its text, or else the attribute of that name."""
        return self.text or self.attributes.get("value", "")

    def says(self, attribute: str, *, default: bool) -> bool:
        """An attribute that is ``true`` or ``false``; the default for anything else."""
        return {"true": True, "false": False}.get(
            self.attributes.get(attribute, "").lower(), default
        )


def parse_tags(xml: object) -> Tag:
    """Parse a labelling config; returns its outermost tag.

    Args:
        xml: The config's text, untrusted.

    Raises:
        LabelConfigError: It is missing, too long or too deep, or not well-formed XML without
            entities.
    """
    if not isinstance(xml, str) or not xml.strip():
        raise LabelConfigError(
            "the request has no labelling config", hint="send the project's as `label_config`"
        )
    if len(xml) > MAX_LENGTH:
        raise LabelConfigError(
            f"the labelling config has {len(xml)} characters, the limit is {MAX_LENGTH}",
            hint="remove labels that are not used",
        )
    parser = DefusedXMLParser(target=_ShallowTree())
    try:
        parser.feed(xml)
        root: Element = parser.close()
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise LabelConfigError(
            f"the labelling config is not valid XML ({type(error).__name__})",
            hint="open the project's Labeling Interface settings and save it again",
        ) from error
    return _tag(root)


class _ShallowTree(TreeBuilder):
    """Elements that end at the first one too deep: the rest of a hostile config is never read."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise LabelConfigError(
                f"the labelling config has more than {MAX_DEPTH} tags inside each other",
                hint="remove some of the <View> tags around its controls",
            )
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def _tag(element: Element) -> Tag:
    kind = str(element.tag).lower()
    attributes = {name.lower(): value for name, value in element.items()}
    if kind == "hypertext":  # its content is HTML
        return Tag(kind, attributes)
    # The editor takes the text as XML, in which an ampersand stays "&amp;".
    text = "" if len(element) else escape((element.text or "").strip())
    return Tag(kind, attributes, tuple(_tag(child) for child in element), text)
