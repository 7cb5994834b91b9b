"""The labelling configs that are recommended, by kind of mask and number of labels.

Each was tried in Label Studio 1.23 for the fewest actions and for exports that keep every label
(docs/labelling-configs.md). What they share: the clicks' control is an unlabelled ``KeyPoint``,
because ``KeyPointLabels`` spoils Label Studio's own exports and wants its label picked again before
each click. With one label nothing is picked at all; with several, ``Labels`` carries them, whose
choice stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from xml.sax.saxutils import quoteattr

from edgeflow.label_studio.config.controls import ImageTag
from edgeflow.label_studio.config.label_config import TaskConfig
from edgeflow.label_studio.config.labels import Label
from edgeflow.label_studio.controls import LABELS_TAG


@dataclass(frozen=True)
class Recommendation:
    """What is recommended for one kind of mask.

    Attributes:
        kind: Of mask control, as in :data:`edgeflow.label_studio.controls.CONTROLS`.
        several: The control's tag beside ``Labels``: with the labels once more where Label Studio's
            exports read them from the mask alone, without where they would count masks twice.
        exports: Label Studio's own export formats that hold the masks, each once and with its
            label, also where an annotation has a point left in it. Its JSON always does.
    """

    kind: str
    several: str
    exports: tuple[str, ...] = ()

    @property
    def one(self) -> str:
        """The control's tag for a single label."""
        return f"{self.kind}Labels"


RECOMMENDATIONS = {
    row.kind: row
    for row in (
        Recommendation("Brush", "Brush", ("BRUSH_TO_PNG", "BRUSH_TO_NUMPY")),
        Recommendation("Bitmask", "Bitmask"),
        Recommendation("Polygon", "PolygonLabels", ("COCO", "YOLO")),
        Recommendation("Rectangle", "Rectangle", ("COCO", "YOLO")),
    )
}

OBJECT = Label("Object")
IMAGE = ImageTag("image", "$image")

SECOND_ROW = "To change a mask's label, or to draw by hand:"
"""Above the mask's own labels, beside ``Labels``: exports take a mask's label from there."""

_COLOURS = ("#1E90FF", "#FFB000", "#00B060", "#E0407F", "#8A5CF6", "#00B8C4")


def recommended_config(
    kind: str = "Brush",
    labels: Sequence[Label] = (OBJECT,),
    image: ImageTag = IMAGE,
    *,
    several: bool | None = None,
    similar: bool = False,
    pages: bool = False,
    model: str | None = None,
) -> str:
    """A labelling config that works, in XML.

    Args:
        kind: Of mask control.
        labels: At least one.
        image: The image that it shows.
        several: Whether ``Labels`` carries the labels, as is recommended for several of them; by
            default for several.
        similar: Whether a box finds all objects like the one in it.
        pages: Whether a second tool's click finds its object on all pages.
        model: The model that answers clicks; None for the backend's default.
    """
    row = RECOMMENDATIONS.get(kind) or Recommendation(kind, kind)
    to, several = f"toName={quoteattr(image.name)}", len(labels) > 1 if several is None else several
    mask = row.several if several else row.one
    own = labels if mask == row.one else ()
    source = "valueList" if image.several else "value"
    asked = f" edgeflowModel={quoteattr(model)}" if model else ""
    parts = [
        f'<KeyPoint name="click" {to} smart="true" smartOnly="true"{asked}/>',
        f'<Image name={quoteattr(image.name)} {source}={quoteattr(image.value)} zoom="true"/>',
        _control(mask, f'name="mask" {to} smart="false"', own),
    ]
    if similar:
        parts.insert(
            1,
            f'<Rectangle name="similar" {to} smart="true" smartOnly="true" '
            'edgeflowFind="similar"/>',
        )
    if pages:
        parts.insert(
            1,
            f'<KeyPoint name="pages" {to} smart="true" smartOnly="true" edgeflowFind="pages"/>',
        )
    if several:
        parts.insert(0, _control(LABELS_TAG, f'name="label" {to}', labels))
        if own:  # a second row of the same labels
            parts.insert(-1, f'<Header value={quoteattr(SECOND_ROW)} size="6"/>')
    return "\n".join(["<View>", *(f"  {part}" for part in parts), "</View>"])


def recommended_like(config: TaskConfig) -> str:
    """The recommended config with a given one's image, labels and kind of mask."""
    masks = config.mask_controls
    kind = min(masks, key=lambda control: control.preference).kind if masks else None
    labels = {
        label.value: label
        for control in [*masks, *config.controls]
        if control in masks or control.tag == LABELS_TAG or control.sends == "clicks"
        for label in control.labels
    }
    # One entry of a list may be a Repeater's, of which nothing is left here.
    images = [each for each in config.images if each.name and each.value and "[" not in each.value]
    return recommended_config(
        kind.name if kind else "Brush",
        tuple(labels.values()) or (OBJECT,),
        images[0] if images else IMAGE,
        similar=any(control.find not in (None, "pages") for control in config.controls),
        pages=any(control.find == "pages" for control in config.controls),
    )


def _control(tag: str, attributes: str, labels: Sequence[Label]) -> str:
    if not labels:
        return f"<{tag} {attributes}/>"
    rows = [
        f"    <Label value={quoteattr(label.value)}"
        + (f" alias={quoteattr(label.alias)}" if label.alias else "")
        + f' background="{colour}"/>'
        for label, colour in zip(labels, cycle(_COLOURS), strict=False)
    ]
    return "\n".join([f"<{tag} {attributes}>", *rows, f"  </{tag}>"])
