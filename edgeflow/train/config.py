"""The settings of a training run, checked before anything starts."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Side = Annotated[int, Field(ge=32)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InitialTensors(_Section):
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


class Model(_Section):
    """The network, and the weights it begins with.

    Attributes:
        architecture: Key of :data:`edgeflow.nn.registry.ARCHITECTURES`.
        options: Options of that architecture.
        start_from: Model whose weights it begins with; a name or a file.
        initial: Tensors from other files, which replace those of ``start_from``.
    """

    architecture: str = "edgeflow_lite"
    options: dict[str, int | bool] = {}
    start_from: str | None = None
    initial: tuple[InitialTensors, ...] = ()


class Source(_Section):
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


class Data(_Section):
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
    """

    sources: tuple[Source, ...] = Field(min_length=1)
    side: Count = 448
    cache: Path | None = None
    balance: Share = 0.75
    set_weights: dict[str, Positive] = {}
    held_out: Share = 0.03
    min_area: Share = 0.002


class Views(_Section):
    """The views of images that the network is shown.

    Attributes:
        side: Square root of a view's pixels; its sides are multiples of 32. Of a list, each step
            draws one.
        aspect: Largest ratio of the longer to the shorter side.
        whole: Share of views of the whole image, as at a first click.
        expansion: Range of a zoomed view's sides, relative to those of the object's box.
        shift: Largest shift of a zoomed view, relative to its sides.
        stretch: Largest change of the sides' ratio.
        rotation: Largest rotation in degrees.
        warp: Largest smooth displacement relative to the sides.
        merge: Share of objects that are joined with another of the same image.
        cut: Share of objects of which a straight cut leaves a part; only clicks tell where.
        paste: Share of views into which an object of another image is pasted; half of those
            become the object, half are in its way.
        colour: Strength of brightness, contrast, saturation, tint and gamma changes.
        grey: Share of views without colour.
        blur: Share of views that are blurred.
        noise: Share of views with sensor noise.
    """

    side: Side | Annotated[tuple[Side, ...], Field(min_length=1)] = 320
    aspect: Annotated[float, Field(ge=1)] = 1.5
    whole: Share = 0.4
    expansion: tuple[Positive, Positive] = (0.9, 2.2)
    shift: Share = 0.1
    stretch: Share = 0.15
    rotation: NotNegative = 10.0
    warp: Share = 0.02
    merge: Share = 0.1
    cut: Share = 0.0
    paste: Share = 0.1
    colour: Share = 0.5
    grey: Share = 0.05
    blur: Share = 0.1
    noise: Share = 0.1


class ClickSimulation(_Section):
    """Simulated clicks.

    Attributes:
        centred: Share of first clicks that fall near the object's middle; others anywhere inside.
        extra: Share of samples with further random clicks beside the first.
        decay: Likelihood that a further click is followed by another (RITM's .8).
        max_extra: Most further clicks of each sign.
        near: Share of random negatives at most ``margin`` away from the object; others anywhere.
        margin: Distance in pixels that counts as near.
        rounds: Likelihood of 0, 1, 2, … corrective rounds.
        at_once: Samples that a round shows the network at a time; None for all that have the
            round. A GPU's convolution library plans for each number of samples.
        deepest: Share of corrective clicks on the deepest point of the larger error region, as an
            evaluation clicks; others on a random one deeper than half of that.
        forget: Share of rounds after which nothing is fed back.
        soften: Share of feedback that is blurred, as a change of the zoom-in region blurs it.
    """

    centred: Share = 0.6
    extra: Share = 0.4
    decay: Annotated[float, Field(ge=0, lt=1)] = 0.8
    max_extra: Annotated[int, Field(ge=0)] = 11
    near: Share = 0.5
    margin: Positive = 24.0
    rounds: tuple[NotNegative, ...] = Field((0.35, 0.25, 0.2, 0.2), min_length=1)
    at_once: Count | None = None
    deepest: Share = 0.5
    forget: Share = 0.1
    soften: Share = 0.3


class Losses(_Section):
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


class Optimiser(_Section):
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


class Schedule(_Section):
    """How long a run takes, and what happens on the way.

    Attributes:
        steps: Most steps.
        minutes: Most minutes of training, over all resumptions; None for no bound.
        batch: Views in a step on each device.
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
    precision: Literal["float32", "bf16"] = "bf16"
    save_every: Count = 500
    log_every: Count = 20
    validate_every: Annotated[int, Field(ge=0)] = 2_000
    validation_objects: Annotated[int, Field(ge=0)] = 120
    validation_side: Side = 448
    seed: int = 0


class Output(_Section):
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


class Teacher(_Section):
    """A model to learn from.

    Attributes:
        model: Name or weights file; it must feed back the same kind of map.
    """

    model: str


class Config(_Section):
    """A whole run."""

    model: Model = Model()
    data: Data
    views: Views = Views()
    clicks: ClickSimulation = ClickSimulation()
    losses: Losses = Losses()
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    output: Output
    teacher: Teacher | None = None

    @property
    def digest(self) -> str:
        """Changes with everything that a step depends on, but not with the length of the run."""
        bounds = {"steps", "minutes", "save_every", "log_every", "validate_every"}
        text = self.model_dump_json(exclude={"schedule": bounds, "output": True})
        return hashlib.sha256(text.encode()).hexdigest()
