"""Labelling configs: as written, and as one task shows them."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from edgeflow.label_studio.config.controls import Control, ImageTag
from edgeflow.label_studio.config.labels import labels_of
from edgeflow.label_studio.config.repeater import expand
from edgeflow.label_studio.config.tags import Tag, parse_tags
from edgeflow.label_studio.controls import CONTROLS, LABELS_TAG

_OBJECTS = frozenset(
    {"image", "audio", "video", "pdf", "paragraphs", "timeseries", "table", "list", "ranker",
     "pairwise", "richtext"}
)  # fmt: skip
"""What the editor counts as an object tag; a config with one needs no ``toName``."""


@dataclass(frozen=True)
class TaskConfig:
    """The parts of a labelling config that matter to this project, as one task shows them."""

    images: tuple[ImageTag, ...]
    controls: tuple[Control, ...]

    @property
    def mask_controls(self) -> tuple[Control, ...]:
        """The controls that may hold answers, without those that are for prompts alone."""
        return tuple(
            control
            for control in self.controls
            if control.holds_masks and not (control.smart and control.smart_only)
        )

    def control(self, name: str) -> Control | None:
        """The control called ``name``, if there is one."""
        return next((control for control in self.controls if control.name == name), None)

    def image(self, name: str) -> ImageTag | None:
        """The image called ``name``, if there is one."""
        return next((image for image in self.images if image.name == name), None)


@dataclass(frozen=True)
class LabelConfig:
    """A labelling config as written.

    Attributes:
        root: Its outermost tag.
    """

    root: Tag

    def for_task(self, data: Mapping[str, Any] | None) -> TaskConfig:
        """The config as a task shows it: repeated, and with the task's labels.

        Args:
            data: The task's; None where there is none: then what is repeated stands once, and
                controls whose labels the task tells are ``open``.

        Raises:
            LabelConfigError: The task makes too much of it.
        """
        canonical = {tag.lower(): tag for kind in CONTROLS.values() for tag in kind.tags}
        canonical[LABELS_TAG.lower()] = LABELS_TAG
        tags = _controls_with_labels(expand(self.root, data), canonical)
        objects = [name for tag, _ in tags if tag.type in _OBJECTS and (name := _name(tag))]
        sole = objects[0] if len(objects) == 1 else ""
        return TaskConfig(
            images=tuple(_image(tag) for tag, _ in tags if tag.type == "image"),
            controls=tuple(
                _control(tag, canonical[tag.type], labels, sole, data)
                for tag, labels in tags
                if tag.type in canonical
            ),
        )


def parse_label_config(xml: object) -> LabelConfig:
    """Parse a labelling config.

    Args:
        xml: The config's text, untrusted.

    Raises:
        LabelConfigError: It is missing, too long or too deep, or not well-formed XML without
            entities.
    """
    return LabelConfig(parse_tags(xml))


def _controls_with_labels(root: Tag, controls: Container[str]) -> list[tuple[Tag, list[Tag]]]:
    """The tags of a config in their order, each with the labels of the nearest control around.

    Args:
        root: The outermost tag.
        controls: Types of tags that have labels.
    """
    found: list[tuple[Tag, list[Tag]]] = []
    pending: list[tuple[Tag, list[Tag]]] = [(root, [])]
    while pending:
        tag, labels = pending.pop()
        if tag.type == "label":
            labels.append(tag)
        elif tag.type in controls:
            labels = []
        if tag.type in controls or tag.type in _OBJECTS:
            found.append((tag, labels))
        pending.extend((child, labels) for child in reversed(tag.children))
    return found


def _name(tag: Tag) -> str:
    return tag.attributes.get("name", "")


def _image(tag: Tag) -> ImageTag:
    pages = tag.attributes.get("valuelist")
    return ImageTag(_name(tag), pages or tag.value, several=bool(pages), repeated=tag.repeated)


def _control(
    tag: Tag, canonical: str, labels: list[Tag], sole: str, data: Mapping[str, Any] | None
) -> Control:
    attributes = tag.attributes
    known, more = labels_of(tag.value, labels, data)
    return Control(
        name=_name(tag),
        tag=canonical,
        to_name=attributes.get("toname") or sole,
        labels=known,
        smart=tag.says("smart", default=True),
        model=attributes.get("edgeflowmodel"),
        answer=attributes.get("edgeflowanswer"),
        overlap=attributes.get("edgeflowoverlap"),
        find=attributes.get("edgeflowfind"),
        smart_only=tag.says("smartonly", default=False),
        open=more,
    )
