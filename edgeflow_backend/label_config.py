"""Labelling configs: which control takes clicks, which holds masks, what is wrong, in words."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from edgeflow_backend.errors import LabelConfigError

MAX_LENGTH = 1_000_000
"""Characters of a labelling config; real ones have a few thousand."""

CLICK_TAGS = ("KeyPointLabels", "KeyPoint")
MASK_TAGS = ("BrushLabels", "Brush")
REGION_TAGS = (
    *CLICK_TAGS, *MASK_TAGS, "RectangleLabels", "Rectangle", "PolygonLabels", "Polygon",
    "EllipseLabels", "Ellipse", "BitmaskLabels", "Bitmask", "VectorLabels", "Vector",
)  # fmt: skip

RECOMMENDED = """<View>
  <KeyPointLabels name="click" toName="image" smart="true" smartOnly="true">
    <Label value="Object" background="#FFB000"/>
  </KeyPointLabels>
  <Image name="image" value="$image" zoom="true"/>
  <BrushLabels name="mask" toName="image" smart="false">
    <Label value="Object" background="#1E90FF"/>
  </BrushLabels>
</View>"""


@dataclass(frozen=True)
class Control:
    """A control tag: something an annotator draws with.

    Attributes:
        tag: for example ``BrushLabels``.
        labels: values of its labels, empty for unlabelled controls.
        smart: whether it may send prompts to the backend.
        model: the attribute ``edgeflowModel``: which model answers clicks made with it.
    """

    name: str
    tag: str
    to_name: str
    labels: tuple[str, ...]
    smart: bool
    model: str | None = None

    @property
    def region_type(self) -> str:
        """The ``type`` of its regions, and the key of their labels."""
        return self.tag.lower()

    def __str__(self) -> str:
        return f"{self.tag} '{self.name}'"


@dataclass(frozen=True)
class ImageTag:
    """An ``Image`` tag: where in a task's data the picture stands."""

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

    def model_hint(self, from_name: str) -> str | None:
        """The model that the click control ``from_name`` asks for, if it does."""
        return next((c.model for c in self.controls if c.name == from_name), None)

    def mask_control(self, to_name: str, label: str | None) -> Control:
        """The control that holds the answer to a click made with ``label`` on ``to_name``.

        The first mask control on that picture that has the label (or takes none) answers.

        Raises:
            LabelConfigError: there is none.
        """
        masks = [c for c in self.controls if c.tag in MASK_TAGS and c.to_name == to_name]
        if not masks:
            raise LabelConfigError(
                f"the labelling config has no mask control for '{to_name}'",
                hint=f'add <BrushLabels name="mask" toName="{to_name}" smart="false"> with the '
                "same labels as the keypoints",
            )
        for control in masks:
            if label is None or not control.labels or label in control.labels:
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
    found: list[tuple[Element, list[str]]] = []
    todo: list[tuple[Element, list[str]]] = [(root, [])]
    while todo:  # one pass: each label belongs to the nearest control around it
        element, labels = todo.pop()
        if element.tag == "Image":
            images.append(_image(element))
        elif element.tag == "Label" and (value := element.get("value")) is not None:
            labels.append(value)
        elif element.tag in REGION_TAGS:
            labels = []
            found.append((element, labels))
        todo.extend((child, labels) for child in reversed(element))
    return LabelConfig(tuple(images), tuple(_control(*control) for control in found))


def _image(element: Element) -> ImageTag:
    value = element.get("valueList") or element.get("value") or ""
    return ImageTag(element.get("name", ""), value.removeprefix("$"))


def _control(element: Element, labels: list[str]) -> Control:
    return Control(
        name=element.get("name", ""),
        tag=str(element.tag),
        to_name=element.get("toName", ""),
        labels=tuple(labels),
        smart=element.get("smart", "true").lower() != "false",
        model=element.get("edgeflowModel"),
    )


def problems(config: LabelConfig) -> list[str]:
    """What keeps a config from working well with this backend, each with the way out."""
    found = []
    if not config.images:
        found.append('There is no Image tag; add <Image name="image" value="$image"/>.')
    clicks = [control for control in config.controls if control.tag in CLICK_TAGS]
    if not clicks:
        found.append(
            "No control takes clicks; add <KeyPointLabels> with the labels of the mask control, "
            'smart="true" and smartOnly="true".'
        )
    for click in clicks:
        if not click.smart:
            found.append(f'{click} is not smart; set smart="true".')
        try:
            config.image(click.to_name)
            for label in click.labels or (None,):
                config.mask_control(click.to_name, label)
        except LabelConfigError as error:
            found.append(f"{click}: {error.message}; {error.hint}.")
    if clicks:
        found += [
            f'{control} takes the smart tool\'s place from the keypoints; set smart="false".'
            for control in config.controls
            if control.smart and control.tag not in CLICK_TAGS
        ]
    return found
