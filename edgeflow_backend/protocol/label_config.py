"""Labelling configs: which control takes clicks, which holds masks, what is wrong, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from edgeflow.label_studio.controls import MASK_TAGS, REGION_TAGS
from edgeflow_backend.errors import LabelConfigError

MAX_LENGTH = 1_000_000
"""Characters of a labelling config; real ones have a few thousand."""


@dataclass(frozen=True)
class Control:
    """A control tag: something an annotator draws with.

    Attributes:
        tag: for example ``BrushLabels``.
        labels: values of its labels, empty for unlabelled controls.
        smart: whether it may send prompts to the backend.
        smart_only: whether it is for prompts alone.
        model: the attribute ``edgeflowModel``: which model answers prompts made with it.
        answer: the attribute ``edgeflowAnswer``: the name of the control that holds the answers to
            prompts made with it.
        aliases: by value, for labels that have one; Label Studio stores it in the value's place.
    """

    name: str
    tag: str
    to_name: str
    labels: tuple[str, ...]
    smart: bool
    model: str | None = None
    answer: str | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    smart_only: bool = False

    @property
    def region_type(self) -> str:
        """The ``type`` of its regions, and the key of their labels."""
        return self.tag.lower()

    def stored(self, label: str) -> str:
        """How Label Studio stores a label, given by value."""
        return self.aliases.get(label, label)

    def value_of(self, stored: str) -> str:
        """The value of a label that Label Studio stored."""
        return next((value for value, alias in self.aliases.items() if alias == stored), stored)

    def takes(self, label: str | None) -> bool:
        """Whether it can hold a region with this label, given by value."""
        return label is None or not self.labels or label in self.labels

    def __str__(self) -> str:
        return f"{self.tag} '{self.name}'"


@dataclass(frozen=True)
class ImageTag:
    """An ``Image`` tag: where in a task's data the image stands."""

    name: str
    key: str


@dataclass(frozen=True)
class LabelConfig:
    """What matters to this backend of a labelling config."""

    images: tuple[ImageTag, ...]
    controls: tuple[Control, ...]

    def image(self, name: str) -> ImageTag:
        """The image tag called ``name``.

        Raises:
            LabelConfigError: there is none.
        """
        for image in self.images:
            if image.name == name:
                return image
        raise LabelConfigError(
            f"the labelling config has no Image tag named '{name}'",
            hint="check the toName attributes of its controls",
        )

    def control(self, name: str) -> Control | None:
        """The control called ``name``, if there is one."""
        return next((control for control in self.controls if control.name == name), None)

    def model_hint(self, from_name: str) -> str | None:
        """The model that the control ``from_name`` asks for, if it does."""
        control = self.control(from_name)
        return control.model if control else None

    def label_value(self, from_name: str, stored: str | None) -> str | None:
        """The value of a label as a prompt made with the control ``from_name`` carries it."""
        control = self.control(from_name)
        return control.value_of(stored) if control and stored is not None else stored

    def label_control(self, to_name: str, label: str) -> Control | None:
        """The ``Labels`` control that labels regions of unlabelled controls on an image."""
        for control in self.controls:
            if control.tag == "Labels" and control.to_name == to_name and label in control.labels:
                return control
        return None

    def mask_control(self, to_name: str, label: str | None, from_name: str = "") -> Control:
        """The control that holds the answer to a prompt.

        The one that the prompt's control names as ``edgeflowAnswer``. Otherwise, of the controls on
        that image that have the label (or take none), the first of the first kind in
        :data:`MASK_TAGS`.

        Args:
            to_name: the image.
            label: the prompt's, by value.
            from_name: the control that the prompt was made with.

        Raises:
            LabelConfigError: there is none.
        """
        masks = [c for c in self.controls if c.tag in MASK_TAGS and c.to_name == to_name]
        masks.sort(key=lambda control: MASK_TAGS.index(control.tag))
        prompted = self.control(from_name)
        if prompted is not None and prompted.answer is not None:
            masks = [control for control in masks if control.name == prompted.answer]
            if not masks:
                raise LabelConfigError(
                    f"{prompted} names '{prompted.answer[:100]}' for its answers, which is no mask "
                    f"control on '{to_name}'",
                    hint="edgeflowAnswer takes the name of a brush, bitmask, polygon or rectangle "
                    "control",
                )
        if not masks:
            raise LabelConfigError(
                f"the labelling config has no mask control for '{to_name}'",
                hint=f'add <BrushLabels name="mask" toName="{to_name}" smart="false"> with the '
                "same labels as the keypoints",
            )
        for control in masks:
            if control.takes(label):
                return control
        shown = str(label)[:100]
        raise LabelConfigError(
            f"no mask control has the label '{shown}'",
            hint=f'add <Label value="{shown}"/> to {masks[0]}',
        )


def parse_label_config(xml: object) -> LabelConfig:
    """Parse a labelling config.

    Args:
        xml: as the request has it.

    Raises:
        LabelConfigError: it is missing, or no well-formed XML without entities.
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
    try:
        root = fromstring(xml)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise LabelConfigError(
            f"the labelling config is not valid XML ({type(error).__name__})",
            hint="open the project's Labeling Interface settings and save it again",
        ) from error
    images = []
    found: list[tuple[Element, list[Element]]] = []
    todo: list[tuple[Element, list[Element]]] = [(root, [])]
    while todo:  # one pass: each label belongs to the nearest control around it
        element, labels = todo.pop()
        if element.tag == "Image":
            images.append(_image(element))
        elif element.tag == "Label" and element.get("value") is not None:
            labels.append(element)
        elif element.tag in REGION_TAGS:
            labels = []
            found.append((element, labels))
        todo.extend((child, labels) for child in reversed(element))
    return LabelConfig(tuple(images), tuple(_control(*control) for control in found))


def _image(element: Element) -> ImageTag:
    value = element.get("valueList") or element.get("value") or ""
    return ImageTag(element.get("name", ""), value.removeprefix("$"))


def _control(element: Element, labels: list[Element]) -> Control:
    return Control(
        name=element.get("name", ""),
        tag=str(element.tag),
        to_name=element.get("toName", ""),
        labels=tuple(label.get("value", "") for label in labels),
        smart=element.get("smart", "true").lower() != "false",
        smart_only=element.get("smartOnly", "false").lower() == "true",
        model=element.get("edgeflowModel"),
        answer=element.get("edgeflowAnswer"),
        aliases={
            label.get("value", ""): alias for label in labels if (alias := label.get("alias"))
        },
    )
