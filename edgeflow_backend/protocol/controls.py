"""The controls and images of a labelling config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgeflow.label_studio.controls import CONTROLS, ControlKind, kind_of_tag


@dataclass(frozen=True)
class ImageTag:
    """An ``Image`` tag.

    Attributes:
        name: What controls refer to by ``toName``.
        key: Where in a task's data its image stands.
    """

    name: str
    key: str


@dataclass(frozen=True)
class Control:
    """A control tag: something an annotator draws with, or labels with.

    Attributes:
        tag: For example ``BrushLabels``.
        labels: Values of its labels; empty for unlabelled controls.
        smart: Whether it may send prompts to the backend.
        model: The attribute ``edgeflowModel``: which model answers prompts made with it.
        answer: The attribute ``edgeflowAnswer``: the name of the control that holds the answers to
            prompts made with it.
        aliases: By value, for labels that have one; Label Studio stores it in the value's place.
        smart_only: Whether it is for prompts alone.
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
    def preference(self) -> int:
        """Of several controls that could hold an answer, the one with the lowest does."""
        tags = [tag for kind in CONTROLS.values() for tag in kind.tags]
        return tags.index(self.tag)

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

    def region_label(self, label: str | None) -> str | None:
        """The label of a new region as stored: the prompt's (by value), or the only one it has.

        An unlabelled control passes the prompt's on, for a ``Labels`` control may carry it.
        """
        if not self.labels:
            return label
        if label is None and len(self.labels) == 1:
            label = self.labels[0]
        return self.stored(label) if label is not None else None

    def __str__(self) -> str:
        return f"{self.tag} '{self.name}'"


@dataclass(frozen=True)
class Holder:
    """Where an answer goes.

    Attributes:
        control: The mask control.
        label: As stored there; None without one.
        labels: The ``Labels`` control that carries the label where ``control`` has none itself.
    """

    control: Control
    label: str | None
    labels: Control | None = None


@dataclass(frozen=True)
class Target:
    """What a labelling config says of one prompt.

    Attributes:
        image: The image that was prompted on.
        control: The mask control that holds a new object.
        label: The prompt's label, by value; None without one.
        model: The model that the prompt's control asks for, if it does.
    """

    image: ImageTag
    control: Control
    label: str | None
    model: str | None
