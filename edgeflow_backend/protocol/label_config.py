"""Labelling configs: parsed from XML, and resolved for one prompt at a time."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from edgeflow.label_studio.controls import LABELS_TAG, kind_of_tag
from edgeflow_backend.errors import LabelConfigError
from edgeflow_backend.protocol.controls import Control, Holder, ImageTag, Target

MAX_LENGTH = 1_000_000
"""Characters of a labelling config; real ones have a few thousand."""


@dataclass(frozen=True)
class LabelConfig:
    """The parts of a labelling config that matter to this backend."""

    images: tuple[ImageTag, ...]
    controls: tuple[Control, ...]

    def resolve(self, from_name: str, to_name: str, stored_label: str | None) -> Target:
        """What the config says of a prompt: all questions in one.

        Args:
            from_name: The control that the prompt was made with.
            to_name: The image that it was made on.
            stored_label: Its label as Label Studio stores it.

        Raises:
            LabelConfigError: No control can hold the answer, or there is no such image.
        """
        prompted = self.control(from_name)
        label = stored_label
        if prompted is not None and stored_label is not None:
            label = prompted.value_of(stored_label)
        return Target(
            control=self._mask_control(to_name, label, prompted),
            image=self._image(to_name),
            label=label,
            model=prompted.model if prompted is not None else None,
        )

    def control(self, name: str) -> Control | None:
        """The control called ``name``, if there is one."""
        return next((control for control in self.controls if control.name == name), None)

    def holder(self, name: str, label: str | None, to_name: str) -> Holder:
        """Where a region goes.

        Args:
            name: The mask control.
            label: As stored; None without one.
            to_name: The image.

        Raises:
            LabelConfigError: There is no such control any more.
        """
        control = self.control(name)
        if control is None:
            raise LabelConfigError(
                f"the labelling config has no control '{name[:100]}' any more",
                hint="reload the task in Label Studio",
            )
        if control.labels or label is None:
            return Holder(control, label)
        carrier = next(
            (
                other
                for other in self.controls
                if other.tag == LABELS_TAG and other.to_name == to_name and label in other.labels
            ),
            None,
        )
        return Holder(control, label if carrier else None, carrier)

    def _image(self, name: str) -> ImageTag:
        for image in self.images:
            if image.name == name:
                return image
        raise LabelConfigError(
            f"the labelling config has no Image tag named '{name}'",
            hint="check the toName attributes of its controls",
        )

    def _mask_control(self, to_name: str, label: str | None, prompted: Control | None) -> Control:
        """The control that holds the answer to a prompt.

        It is the one that the prompt's control names as ``edgeflowAnswer``. Otherwise, of the
        controls on that image that have the label (or take none), the first of the preferred kind.
        """
        masks = [c for c in self.controls if c.holds_masks and c.to_name == to_name]
        masks.sort(key=lambda control: control.preference)
        if prompted is not None and prompted.answer is not None:
            masks = [control for control in masks if control.name == prompted.answer]
            if not masks:
                raise LabelConfigError(
                    f"{prompted} names '{prompted.answer[:100]}' for its answers, which is not a "
                    f"mask control on '{to_name}'",
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
        quoted = str(label)[:100]
        raise LabelConfigError(
            f"no mask control has the label '{quoted}'",
            hint=f'add <Label value="{quoted}"/> to {masks[0]}',
        )


def parse_label_config(xml: object) -> LabelConfig:
    """Parse a labelling config.

    Args:
        xml: The request's, untrusted.

    Raises:
        LabelConfigError: It is missing, or not well-formed XML without entities.
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
    controls: list[tuple[Element, list[Element]]] = []
    pending: list[tuple[Element, list[Element]]] = [(root, [])]
    while pending:  # one pass: each label belongs to the nearest control around it
        element, labels = pending.pop()
        if element.tag == "Image":
            images.append(_image(element))
        elif element.tag == "Label" and element.get("value") is not None:
            labels.append(element)
        elif element.tag == LABELS_TAG or kind_of_tag(str(element.tag)) is not None:
            labels = []
            controls.append((element, labels))
        pending.extend((child, labels) for child in reversed(element))
    return LabelConfig(tuple(images), tuple(_control(*control) for control in controls))


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
