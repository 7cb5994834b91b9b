"""What a labelling config says of a prompt: which control holds the answer, with which labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeflow.errors import LabelConfigError, brief
from edgeflow.label_studio.config.controls import Control, ImageTag
from edgeflow.label_studio.config.holder import Holder
from edgeflow.label_studio.config.label_config import TaskConfig
from edgeflow.label_studio.config.labels import Label
from edgeflow.label_studio.controls import CONTROLS, LABELS_TAG

SIMILAR = "similar"
"""Value of ``edgeflowFind``: all objects like the one that is prompted on."""

PAGES = "pages"
"""Value of ``edgeflowFind``: the same object on the other pages of its task."""

POLYGONS = CONTROLS["Polygon"].tags


@dataclass(frozen=True)
class Target:
    """What a labelling config says of one prompt.

    Attributes:
        image: The image that was prompted on.
        control: The mask control that holds a new object.
        labels: Those of the prompt's labels that it can hold, in their order.
        stored: The labels of a new region as stored: these, or the only one that the control has.
        lost: Those that it cannot hold.
        model: The model that the prompt's control asks for, if it does.
    """

    image: ImageTag
    control: Control
    labels: tuple[Label, ...]
    stored: tuple[str, ...]
    lost: tuple[Label, ...]
    model: str | None

    def losses(self) -> list[LabelConfigError]:
        """What is to be said of each label that is lost."""
        return [_no_label(label.value, self.control) for label in self.lost]


def finds_similar(config: TaskConfig, from_name: str) -> bool:
    """Whether a prompt made with a control is an example, and all its like are wanted, too.

    Also where the attribute's value means nothing, which :func:`resolve` refuses.
    """
    prompted = config.control(from_name)
    return prompted is not None and prompted.find not in (None, PAGES)


def finds_pages(config: TaskConfig, from_name: str) -> bool:
    """Whether the object that a prompt made with a control shows is wanted on all pages."""
    prompted = config.control(from_name)
    return prompted is not None and prompted.find == PAGES


def resolve(
    config: TaskConfig, from_name: str, to_name: str, stored_labels: Sequence[str] = ()
) -> Target:
    """What a labelling config says of a prompt: all questions in one.

    Args:
        config: As the prompt's task shows it.
        from_name: The control that the prompt was made with.
        to_name: The image that it was made on.
        stored_labels: Its labels as Label Studio stores them.

    Raises:
        LabelConfigError: No control can hold the answer and one of its labels, there is no such
            image, or an attribute of the control has a value that means nothing.
    """
    prompted = config.control(from_name)
    labels = [(prompted and prompted.label(text)) or Label(text) for text in stored_labels]
    control = _mask_control(config, to_name, labels, prompted)
    image = config.image(to_name)
    if image is None:
        raise LabelConfigError(
            f"the labelling config has no Image tag named '{brief(to_name)}'",
            hint="check the toName attributes of its controls",
        )
    if control.overlap not in (None, "never"):
        raise LabelConfigError(
            f'{control} has edgeflowOverlap="{brief(control.overlap)}"',
            hint='edgeflowOverlap takes "never"; without it masks may overlap',
        )
    if prompted is not None and prompted.find not in (None, SIMILAR, PAGES):
        raise LabelConfigError(
            f'{prompted} has edgeflowFind="{brief(prompted.find)}"',
            hint=f'edgeflowFind takes "{SIMILAR}" or "{PAGES}"; without it a prompt is for one '
            "object on one page",
        )
    held = {label: _stored(config, control, label) for label in labels}
    stored = tuple(dict.fromkeys(text for text in held.values() if text is not None))
    if not labels and len(control.labels) == 1 and not control.open:
        stored = (control.labels[0].stored,)
    return Target(
        image=image,
        control=control,
        labels=tuple(label for label, text in held.items() if text is not None),
        stored=stored,
        lost=tuple(label for label, text in held.items() if text is None),
        model=prompted.model if prompted is not None else None,
    )


def holder(config: TaskConfig, name: str, labels: Sequence[str], to_name: str) -> Holder:
    """Where a region goes.

    Args:
        config: As the region's task shows it.
        name: The mask control.
        labels: As stored.
        to_name: The image.

    Raises:
        LabelConfigError: There is no such control, or none for its labels, any more.
    """
    control = config.control(name)
    if control is None:
        raise LabelConfigError(
            f"the labelling config has no control '{brief(name)}' any more",
            hint="reload the task in Label Studio",
        )
    if control.labelled or not labels:
        return Holder(control, tuple(labels))
    carried: dict[Control, tuple[str, ...]] = {}
    for text in labels:
        for carrier in _carriers(config, to_name):
            if carrier.open or carrier.label(text) is not None:
                carried[carrier] = (*carried.get(carrier, ()), text)
                break
    if not carried:
        raise _no_label(labels[0], control)
    return Holder(control, carried=tuple(carried.items()))


def has_labels(
    config: TaskConfig, control: Control, stored: Sequence[str], labels: Sequence[Label]
) -> bool:
    """Whether a region has all of a prompt's labels.

    Args:
        config: As the task shows it.
        control: The region's.
        stored: The region's labels as stored.
        labels: The prompt's.
    """
    owners = [control] if control.labelled else _carriers(config, control.to_name)
    names = set(stored)
    for owner in owners:
        names |= {found.value for text in stored if (found := owner.label(text)) is not None}
    return all(label.value in names or label.stored in names for label in labels)


def _mask_control(
    config: TaskConfig, to_name: str, labels: Sequence[Label], prompted: Control | None
) -> Control:
    """The control that holds the answer to a prompt.

    It is the one that the prompt's control names as ``edgeflowAnswer``. Otherwise, of the controls
    on that image that can hold most of the labels, the first of the preferred kind; where there may
    be many answers, that is polygons, which the editor shows and accepts much faster.
    """
    many = prompted is not None and prompted.find is not None
    masks = [c for c in config.controls if c.holds_masks and c.is_on(to_name)]
    masks.sort(
        key=lambda each: (many and each.tag not in POLYGONS, each.preference, each.smart_only)
    )
    if prompted is not None and prompted.answer is not None:
        masks = [control for control in masks if control.name == prompted.answer]
        if not masks:
            raise LabelConfigError(
                f"{prompted} names '{brief(prompted.answer)}' for its answers, which is not a "
                f"mask control on '{brief(to_name)}'",
                hint="edgeflowAnswer takes the name of a brush, bitmask, polygon or rectangle "
                "control",
            )
    if not masks:
        raise LabelConfigError(
            f"the labelling config has no mask control for '{brief(to_name)}'",
            hint=f'add <BrushLabels name="mask" toName="{brief(to_name)}" smart="false"> with the '
            "same labels as the keypoints",
        )
    counts = [sum(_stored(config, each, label) is not None for label in labels) for each in masks]
    if labels and not any(counts):
        quoted, hint = brief(labels[0].value), _no_label(labels[0].value, masks[0]).hint
        raise LabelConfigError(f"no mask control has the label '{quoted}'", hint=hint)
    return masks[counts.index(max(counts))]


def _stored(config: TaskConfig, control: Control, label: Label) -> str | None:
    """A prompt's label as a region of a mask control stores it; None where it cannot hold it."""
    owners = [control] if control.labelled else _carriers(config, control.to_name)
    for owner in owners:
        own = owner.own(label)
        if own is not None:
            return own.stored
    return label.stored if any(owner.open for owner in owners) else None


def _carriers(config: TaskConfig, to_name: str) -> list[Control]:
    return [c for c in config.controls if c.tag == LABELS_TAG and c.is_on(to_name)]


def _no_label(label: str, control: Control) -> LabelConfigError:
    tag = f'<Label value="{brief(label)}"/>'
    if control.labelled:
        hint = f"add {tag} to {control}"
    else:
        hint = (
            f"{control} has no labels itself: use {control.tag}Labels with {tag} in its place, or "
            f'add <Labels name="labels" toName="{brief(control.to_name)}"> with it'
        )
    return LabelConfigError(f"{control} cannot hold the label '{brief(label)}'", hint=hint)
