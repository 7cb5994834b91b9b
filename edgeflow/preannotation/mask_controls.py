"""Where a labelling config has masks of one image go, and with which labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from edgeflow.errors import LabelConfigError, brief
from edgeflow.label_studio.config.controls import Control, ImageTag
from edgeflow.label_studio.config.holder import Holder
from edgeflow.label_studio.config.label_config import TaskConfig
from edgeflow.label_studio.controls import CONTROLS, LABELS_TAG

KINDS = {
    kind.name.lower(): kind.name
    for kind in CONTROLS.values()
    if kind.mask is not None and kind.mask.drawn_is_mask
}
"""The kinds of controls that hold masks: ``brush``, ``bitmask``, ``polygon`` to their tags."""


@dataclass(frozen=True)
class MaskControls:
    """The controls that hold the masks of an image.

    Attributes:
        image: The image.
        masks: At least one, the preferred one first.
        carriers: The ``Labels`` controls on the image.
    """

    image: ImageTag
    masks: tuple[Control, ...]
    carriers: tuple[Control, ...] = ()

    def hold(self, labels: Sequence[str]) -> Holder:
        """Where a mask with these labels goes.

        A mask without labels gets the only one that there is, if there is just one.

        Args:
            labels: Values or aliases of labels.

        Raises:
            LabelConfigError: No control has all of them.
        """
        for control in self.masks:
            held = _own(control, labels) if control.labelled else self._carried(control, labels)
            if held is not None:
                return held
        names = ", ".join(f"'{brief(label)}'" for label in labels)
        tag = f"<Label value={quoteattr(brief(labels[0]))}/>"
        owner = (self.masks[0], *self.carriers)[0 if self.masks[0].labelled else -1]
        raise LabelConfigError(
            f"the labelling config has no mask control for the label {names}",
            hint=f"add {tag} to {owner}",
        )

    def _carried(self, control: Control, labels: Sequence[str]) -> Holder | None:
        carried: dict[Control, tuple[str, ...]] = {}
        for text in labels or _only(self.carriers):
            for carrier in self.carriers:
                if (stored := _stored(carrier, text)) is not None:
                    carried[carrier] = (*carried.get(carrier, ()), stored)
                    break
            else:
                return None
        return Holder(control, carried=tuple(carried.items()))


def mask_controls(
    config: TaskConfig, kind: str | None = None, image: str | None = None
) -> MaskControls:
    """The controls for the masks of an image.

    Args:
        config: As a task shows it.
        kind: Name of their kind, such as ``Brush``; None for any, brushes before bitmasks before
            polygons.
        image: Name of the ``Image`` tag; None where there is only one.

    Raises:
        LabelConfigError: There is no such control or image, or several images.
    """
    tag = config.image(image) if image is not None else _sole(config.images)
    controls = [
        control
        for control in config.mask_controls
        if control.is_on(tag.name if tag is not None else "")
        and control.kind is not None
        and control.kind.name in ([kind] if kind else KINDS.values())
    ]
    if tag is None or not controls:
        what = kind or "mask"
        raise LabelConfigError(
            f"the labelling config has no {what} control on its image",
            hint=f'add <{kind or "Brush"}Labels name="mask" toName="image"> with the labels, or '
            f"choose another --control ({', '.join(KINDS)})",
        )
    controls.sort(key=lambda control: control.preference)
    carriers = (c for c in config.controls if c.tag == LABELS_TAG and c.is_on(tag.name))
    return MaskControls(tag, tuple(controls), tuple(carriers))


def _sole(images: Sequence[ImageTag]) -> ImageTag | None:
    if len(images) > 1:
        raise LabelConfigError(
            f"the labelling config shows {len(images)} images, and which is meant is not clear",
            hint="use a labelling config with one Image tag",
        )
    return images[0] if images else None


def _own(control: Control, labels: Sequence[str]) -> Holder | None:
    stored = [_stored(control, text) for text in labels or _only([control])]
    known = tuple(text for text in stored if text is not None)
    return Holder(control, known) if len(known) == len(stored) else None


def _only(owners: Sequence[Control]) -> tuple[str, ...]:
    """The one label that there is; none if there are several."""
    values = [label.value for owner in owners for label in owner.labels]
    if len(values) != 1 or any(owner.open for owner in owners):
        return ()
    return (values[0],)


def _stored(owner: Control, text: str) -> str | None:
    """How a control stores a label; None if it does not have it."""
    label = owner.label(text)
    if label is not None:
        return label.stored
    return text if owner.open else None
