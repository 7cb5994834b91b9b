"""The settings of a training run, checked before anything starts."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from edgeflow.train.config_views import (
    ClickSimulation,
    Count,
    NotNegative,
    Positive,
    Section,
    Share,
    Side,
    Views,
)

__all__ = ["ClickSimulation", "Config", "Data", "InitialTensors", "Losses", "Model", "Optimiser"]
__all__ += ["Output", "Recipe", "Schedule", "Source", "Teacher", "Views"]


class InitialTensors(Section):
    """Tensors from a file, put under a part of the network.

    Attributes:
        file: File, .safetensors, .pth or .pdparams; nothing in it is executed.
        under: Prefix of the tensors to take; it is removed from their names.
        into: Part of the network, such as ``backbone``; empty for the whole network.
        required: Whether the file must have every tensor of the part; it must always have one.
    """

    file: Path
    under: str = ""
    into: str = ""
    required: bool = True


class Model(Section):
    """The network, and the weights it begins with.

    Attributes:
        architecture: Key of :data:`edgeflow.nn.registry.ARCHITECTURES`.
        options: Options of that architecture.
        start_from: Model whose weights it begins with; a name or a file.
        initial: Tensors from other files, which replace those of ``start_from``.
    """

    architecture: str = "edgeflow_lite"
    options: dict[str, int | bool] = Field(default_factory=dict)
    start_from: str | None = None
    initial: tuple[InitialTensors, ...] = ()


class Source(Section):
    """One dataset.

    Attributes:
        path: Folder or file, relative to the configuration file; a path that begins with
            ``$EDGEFLOW_DATA`` is in the folder that ``edgeflow train --data`` names.
        layout: Layout, as for :func:`edgeflow.data.opening.open_dataset`.
        split: Split, as there.
        images: Folder of the images, as there; found like ``path``.
        label_config: File with the labelling config of a Label Studio project, as there; found like
            ``path``.
        weight: Factor on how often its images are drawn.
        exclude: Text file with a sample name a line, such as ``edgeflow near-duplicates`` writes.
        licence: Licence of the images, for the model card.
    """

    path: Path
    layout: str = "auto"
    split: str | None = None
    images: Path | None = None
    label_config: Path | None = None
    weight: Positive = 1.0
    exclude: Path | None = None
    licence: str = "not stated"


class Data(Section):
    """The images.

    Attributes:
        sources: Datasets; at least one.
        side: Pixels of the longer side of the images in memory.
        cache: Folder for the decoded images; None keeps them in memory only.
        balance: Exponent on a set's number of images: 1 draws every image equally often, 0
            every set.
        set_weights: Factors by set, the part of a sample's name before its last slash.
        held_out: Share of the images that is used for validation only.
        min_area: Share of its image that an object must cover.
        drawings: Number of plain drawings (:mod:`edgeflow.train.drawings`) among the images.
        drawn: Share of views that show one of these.
    """

    sources: tuple[Source, ...] = Field(min_length=1)
    side: Count = 448
    cache: Path | None = None
    balance: Share = 0.75
    set_weights: dict[str, Positive] = Field(default_factory=dict)
    held_out: Share = 0.03
    min_area: Share = 0.002
    drawings: Annotated[int, Field(ge=0)] = 0
    drawn: Annotated[float, Field(ge=0, lt=1)] = 0.05


class Losses(Section):
    """Weights of the losses, which are defined in :mod:`edgeflow.train.losses`.

    Attributes:
        mask: Weight of the normalised focal loss on the mask.
        coarse: Weight of the same on the coarse mask.
        aux: Weight of binary cross-entropy on the auxiliary map.
        edge: Weight of class-balanced binary cross-entropy on the edge map.
        edge_width: Width of the edge target in pixels; odd.
        teacher: Weight of cross-entropy against a teacher's mask.
    """

    mask: NotNegative = 1.0
    coarse: NotNegative = 0.0
    aux: NotNegative = 0.4
    edge: NotNegative = 0.5
    edge_width: Annotated[int, Field(ge=1)] = 5
    teacher: NotNegative = 1.0

    @model_validator(mode="after")
    def _odd(self) -> Losses:
        if self.edge_width % 2 == 0:
            raise ValueError("edge_width must be odd: the border itself is in its middle")
        return self


class Optimiser(Section):
    """AdamW, its learning rate and the average of the weights.

    Attributes:
        rate: Highest learning rate.
        encoder: Factor on it for the encoder's parameters.
        weight_decay: Decay of weights with two or more dimensions.
        betas: Adam's betas.
        clip: Largest norm of the gradient.
        warm_up: Steps of linear increase.
        floor: Learning rate at the end of the cosine, relative to the highest.
        average: Decay of the exponential moving average of the weights, which becomes the result.
        freeze_norms: Whether batch norms keep their statistics.
    """

    rate: Positive = 5e-4
    encoder: NotNegative = 0.2
    weight_decay: NotNegative = 0.01
    betas: tuple[Share, Share] = (0.9, 0.999)
    clip: Positive = 1.0
    warm_up: Annotated[int, Field(ge=0)] = 200
    floor: Share = 0.01
    average: Share = 0.999
    freeze_norms: bool = False


class Schedule(Section):
    """How long a run takes, and what happens on the way.

    Attributes:
        steps: Most steps.
        minutes: Most minutes of training, over all resumptions; None for no bound.
        batch: Views in a step on each device.
        at_once: Views that gradients are computed of at a time, which bounds the memory; None for
            all. Where norms are frozen, a step learns the same.
        precision: Precision of the layers: ``bf16`` is autocast, in which parameters stay float32.
        save_every: Steps between checkpoints.
        log_every: Steps between log lines.
        validate_every: Steps between validations; 0 for one at the end.
        validation_objects: Objects that are clicked at each validation.
        validation_side: Network pixels of the longer side in validation; inference has 448.
        seed: Seed of everything random.
    """

    steps: Count = 20_000
    minutes: Positive | None = None
    batch: Count = 32
    at_once: Count | None = None
    precision: Literal["float32", "bf16"] = "bf16"
    save_every: Count = 500
    log_every: Count = 20
    validate_every: Annotated[int, Field(ge=0)] = 2_000
    validation_objects: Annotated[int, Field(ge=0)] = 120
    validation_side: Side = 448
    seed: int = 0

    def over(self, step: int, spent: float) -> bool:
        """Whether a run is over after so many steps and seconds."""
        return step >= self.steps or (self.minutes is not None and spent >= self.minutes * 60)

    def progress(self, step: int, spent: float) -> float:
        """Share of a run that is over, by steps or by time, whichever ends it first."""
        return max(step / self.steps, spent / (self.minutes * 60) if self.minutes else 0.0)


class Output(Section):
    """The files that a run writes.

    Attributes:
        folder: Folder of checkpoints, logs, contact sheet, weights, manifest and card; relative to
            the configuration file.
        name: Name of the model in the manifest.
        use: Intended use, for the manifest.
        licence: Licence of the weights, for the manifest.
    """

    folder: Path
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]
    use: str = "generic"
    licence: str = "see the model card"


class Teacher(Section):
    """A model to learn from.

    Attributes:
        model: Name or weights file; it must feed back the same kind of map.
        drawings: The same, of the one that teaches drawings, and what to do where clicks were taken
            back; None for the same one.
    """

    model: str
    drawings: str | None = None


class Recipe(Section):
    """How a network learns, wherever it and its images come from."""

    model: Model = Model()
    views: Views = Views()
    clicks: ClickSimulation = ClickSimulation()
    losses: Losses = Losses()
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()


class Config(Recipe):
    """A whole run."""

    data: Data
    output: Output
    teacher: Teacher | None = None

    @property
    def digest(self) -> str:
        """Changes with everything that a step depends on, but not with the length of the run."""
        bounds = {"steps", "minutes", "save_every", "log_every", "validate_every"}
        text = self.model_dump_json(exclude={"schedule": bounds, "output": True})
        return hashlib.sha256(text.encode()).hexdigest()
