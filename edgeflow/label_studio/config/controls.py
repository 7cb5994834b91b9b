"""The images and controls of a labelling config, as one task shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgeflow.errors import brief
from edgeflow.label_studio.config.expressions import MISSING, evaluate
from edgeflow.label_studio.config.labels import Label
from edgeflow.label_studio.controls import CONTROLS, ControlKind, kind_of_tag


@dataclass(frozen=True)
class ImageTag:
    """An ``Image`` tag.

    Attributes:
        name: What controls refer to by ``toName``.
        value: Where in a task's data its image stands, or its list of images; an expression.
        several: Whether it shows a list of images, ``valueList``.
        repeated: Its name as written, where a ``Repeater`` made it; empty elsewhere.
    """

    name: str
    value: str
    several: bool = False
    repeated: str = ""

    def shown(self, data: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
        """What it shows of a task: a URL, or a list of them, where the task is as it should be.

        None where there is nothing.
        """
        found = evaluate(self.value, data)
        return None if found is MISSING else found


@dataclass(frozen=True)
class Control:
    """A control tag: something an annotator draws with, or labels with.

    Attributes:
        tag: For example ``BrushLabels``.
        to_name: The image that it is for.
        labels: Empty for unlabelled controls.
        smart: Whether it may send prompts to the backend.
        model: The attribute ``edgeflowModel``: which model answers prompts made with it.
        answer: The attribute ``edgeflowAnswer``: the name of the control that holds the answers to
            prompts made with it.
        overlap: The attribute ``edgeflowOverlap``: ``never`` where masks that it holds must leave
            out what others cover.
        find: The attribute ``edgeflowFind``: ``similar`` where a prompt made with it is an example,
            and all its like are wanted, too; ``pages`` where its object is wanted on all pages.
        smart_only: Whether it is for prompts alone.
        open: Whether it may have further labels that only a task tells.
    """

    name: str
    tag: str
    to_name: str
    labels: tuple[Label, ...] = ()
    smart: bool = True
    model: str | None = None
    answer: str | None = None
    overlap: str | None = None
    find: str | None = None
    smart_only: bool = False
    open: bool = False

    @property
    def kind(self) -> ControlKind | None:
        """Its row in the table; None for ``Labels``, which draws nothing."""
        return kind_of_tag(self.tag)

    @property
    def sends(self) -> str:
        """What its smart tool sends: ``clicks``, ``shapes`` or ``nothing``."""
        return self.kind.sends if self.kind else "nothing"

    @property
    def holds_masks(self) -> bool:
        """Whether its regions can be answers."""
        return self.kind is not None and self.kind.mask is not None

    @property
    def exclusive(self) -> bool:
        """Whether its masks leave out what others cover."""
        return self.overlap == "never"

    @property
    def labelled(self) -> bool:
        """Whether its regions hold labels themselves, and not a ``Labels`` control for them."""
        return self.kind is None or self.tag == self.kind.tags[0]

    @property
    def preference(self) -> int:
        """Of several controls that could hold an answer, the one with the lowest does."""
        tags = [tag for kind in CONTROLS.values() for tag in kind.tags]
        return tags.index(self.tag)

    @property
    def region_type(self) -> str:
        """The ``type`` of its regions, and the key of their labels."""
        return self.tag.lower()

    def is_on(self, image: str) -> bool:
        """Whether it is for that image."""
        return image == self.to_name or image in self.to_name.split(",")

    def label(self, text: str) -> Label | None:
        """The label that Label Studio stored as ``text``: the first with that alias or value."""
        return next((found for each in self.labels if (found := each.called(text))), None)

    def own(self, label: Label) -> Label | None:
        """Its label for one of another control: of the same value, or else of the same alias."""
        for each in self.labels:
            if each.value == label.value:
                return each
        return self.label(label.value) or self.label(label.stored)

    def __str__(self) -> str:
        return f"{self.tag} '{brief(self.name)}'"
