"""The sections of a training configuration that say what the network is shown."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Side = Annotated[int, Field(ge=32)]


class Section(BaseModel):
    """A table of the file; unknown entries are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Views(Section):
    """The views of images that the network is shown.

    Attributes:
        side: Square root of a view's pixels; its sides are multiples of 32. Of a list, each step
            draws one.
        aspect: Largest ratio of the longer to the shorter side.
        whole: Share of views of the whole image, as at a first click.
        zoomed_first: Whether views of the whole image come last in a batch, where samples have the
            fewest rounds of clicks: at inference, too, first clicks see it, and later ones do not.
        expansion: Range of a zoomed view's sides, relative to those of the object's box.
        least: Smallest side of a zoomed view, relative to the image's longer side.
        close: The same for half of the zoomed views of small objects.
        small: Longer side of an object below which it is small, relative to the image's.
        part: Share of views that show only a part of what they would show, as large as inference
            shows it: what a view of ``full`` pixels would have in as many pixels as this one has.
        full: Network pixels of the longer side at inference.
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
    zoomed_first: bool = False
    expansion: tuple[Positive, Positive] = (0.9, 2.2)
    least: Share = 0.0
    close: Share = 0.0
    small: Share = 0.0
    part: Share = 0.0
    full: Side = 448
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


class ClickSimulation(Section):
    """Simulated clicks.

    Attributes:
        centred: Share of first clicks that fall near the object's middle; others anywhere inside.
        extra: Share of samples with further random clicks beside the first.
        decay: Likelihood that a further click is followed by another (RITM's .8).
        max_extra: Most further clicks of each sign.
        near: Share of random negatives at most ``margin`` away from the object; others anywhere.
        margin: Distance in pixels that counts as near.
        taken_back: Share of samples whose first click a negative one beside it takes back, perhaps
            among many others: nothing is left to find.
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
    taken_back: Share = 0.0
    rounds: tuple[NotNegative, ...] = Field((0.35, 0.25, 0.2, 0.2), min_length=1)
    at_once: Count | None = None
    deepest: Share = 0.5
    forget: Share = 0.1
    soften: Share = 0.3
